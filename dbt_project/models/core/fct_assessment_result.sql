with k12 as (
    select * from {{ ref('stg_k12__assessment') }}
),

early as (
    select * from {{ ref('stg_early_childhood__assessment') }}
),

instrument as (
    select * from {{ ref('instrument') }}
),

cut as (
    select * from {{ ref('int_assessment__cut_score_resolved') }}
),

result as (
    select
        person_key, organization_key, partner_id, school_year, upper(trim(instrument_id)) as instrument_id, subject, grade_level,
        cast(null as string) as season, test_date, score, performance_level_code, coalesce(is_valid, true) as counts,
        coalesce(is_alternate, false) as is_alternate, coalesce(is_end_of_course, false) as is_end_of_course, 'state' as default_kind,
        delivery_seq, source_row
    from k12
    where person_key is not null
    union all
    select
        person_key, organization_key, partner_id, school_year, upper(trim(instrument_id)), 'KindergartenReadiness', grade_level,
        season, test_date, score, performance_level_code, coalesce(is_complete, true), false, false, 'kindergarten_entry',
        delivery_seq, source_row
    from early
    where person_key is not null
),

-- The same attempt sent twice (by a district and a state, or again) is one; the latest delivery tells it.
attempt as (
    select
        *,
        row_number() over (
            partition by person_key, instrument_id, subject, school_year, season, test_date, is_alternate, is_end_of_course
            order by delivery_seq desc, source_row desc, partner_id
        ) as recency
    from result
),

offered as (
    select distinct instrument_id, subject, grade_level, school_year from result -- one row a test as offered
),

-- The cuts in force for each test as offered: the community's before the seed's, the closest fit before the general.
matched as (
    select
        offered.instrument_id,
        offered.subject,
        offered.grade_level,
        offered.school_year,
        cut.level,
        cut.cut_score,
        dense_rank() over (
            partition by offered.instrument_id, offered.subject, offered.grade_level, offered.school_year
            order by
                cut.priority,
                case when cut.grade_level is not null then 0 else 1 end,
                case when cut.subject is not null then 0 else 1 end,
                cut.first_year desc
        ) as fit
    from offered
    inner join cut
        on offered.instrument_id = cut.instrument_id
        and (cut.subject is null or cut.subject = offered.subject)
        and (cut.grade_level is null or cut.grade_level = offered.grade_level)
        and offered.school_year between cut.first_year and cut.last_year
),

equated as (
    select * from {{ source('config', 'equated_instrument') }}
),

in_force as (
    select
        instrument_id, subject, grade_level, school_year,
        max(cut_score) as cut_score,
        concat(';', {{ text_list("replace(level, ',', ' ')") }}, ';') as levels
    from matched
    where fit = 1
    group by instrument_id, subject, grade_level, school_year
)

select
    attempt.person_key,
    attempt.organization_key,
    attempt.partner_id,
    attempt.school_year,
    attempt.instrument_id,
    coalesce(instrument.instrument_kind, attempt.default_kind) as instrument_kind,
    attempt.subject,
    attempt.grade_level,
    attempt.season,
    attempt.test_date,
    attempt.score,
    attempt.performance_level_code,
    attempt.counts and (attempt.score is not null or attempt.performance_level_code is not null) as is_valid,
    attempt.is_alternate,
    attempt.is_end_of_course,
    in_force.cut_score,
    case
        when attempt.score is not null and in_force.cut_score is not null then attempt.score >= in_force.cut_score
        when attempt.performance_level_code is not null and in_force.levels not in (';;', '')
            then replace(in_force.levels, ', ', ';') like concat('%;', replace(lower(trim(attempt.performance_level_code)), ',', ' '), ';%')
    end as is_at_or_above_cut,
    -- Results compare only where instrument and cut are the same, or where an equating row says so.
    coalesce(
        of_subject.scale,
        of_all.scale,
        concat_ws('|', attempt.instrument_id, cast(in_force.cut_score as string), nullif(in_force.levels, ';;'))
    ) as comparability_key
from attempt
left join instrument on attempt.instrument_id = instrument.instrument_id
left join in_force
    on attempt.instrument_id = in_force.instrument_id
    and attempt.subject = in_force.subject
    and attempt.grade_level = in_force.grade_level
    and attempt.school_year = in_force.school_year
left join equated as of_subject
    on attempt.instrument_id = of_subject.instrument_id and attempt.subject = of_subject.subject
left join equated as of_all
    on attempt.instrument_id = of_all.instrument_id and of_all.subject is null
where attempt.recency = 1
