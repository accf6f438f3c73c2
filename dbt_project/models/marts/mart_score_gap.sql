with community as (
    select * from {{ source('config', 'community') }}
),

result as (
    select
        *,
        row_number() over (
            partition by person_key, instrument_id, subject, grade_level, school_year
            order by test_date, season
        ) as attempt
    from {{ ref('fct_assessment_result') }}
    where is_valid and not is_alternate and score is not null
),

person as (
    select * from {{ ref('dim_person') }}
),

economic as (
    select * from {{ ref('int_person__economic_status_spanned') }}
),

described as (
    select
        result.instrument_id,
        result.subject,
        result.grade_level,
        result.school_year,
        -- Sums of decimals are the same in whatever order they are made, so two machines publish the same digits.
        cast(result.score as decimal(18, 6)) as exact_score,
        coalesce(person.race_federal7, 'unknown') as race_group,
        coalesce(person.gender_group, 'unknown') as gender_group,
        coalesce(economic.economic_group, 'unknown') as economic_group
    from result
    left join person on result.person_key = person.person_key
    left join economic
        on result.person_key = economic.person_key
        and result.school_year between economic.first_year and economic.last_year
    where result.attempt = 1
),

summed as (
    {% for dimension in ['race', 'gender', 'economic'] %}
        select
            instrument_id,
            subject,
            grade_level,
            school_year,
            '{{ dimension }}' as dimension,
            {{ dimension }}_group as group_value,
            count(*) as person_n,
            cast(sum(exact_score) as double) as total,
            cast(sum(exact_score * exact_score) as double) as squares
        from described
        group by instrument_id, subject, grade_level, school_year, {{ dimension }}_group
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

grouped as (
    select
        instrument_id,
        subject,
        grade_level,
        school_year,
        dimension,
        group_value,
        person_n,
        total / person_n as score_mean,
        case when person_n > 1 then sqrt(greatest(0e0, squares - total * total / person_n) / (person_n - 1)) end as score_sd
    from summed
),

-- As for rates: the named group, else the best one large enough not to be best by chance; unknown is nobody's yardstick.
ranked as (
    select
        grouped.*,
        min(person_n) over (partition by instrument_id, subject, grade_level, school_year, dimension) as smallest_n,
        row_number() over (
            partition by instrument_id, subject, grade_level, school_year, dimension
            order by
                case
                    when dimension = 'race' and group_value = race_reference then 0
                    when dimension = 'gender' and group_value = gender_reference then 0
                    when dimension = 'economic' and group_value = economic_reference then 0
                    else 1
                end,
                case when person_n >= 30 and group_value <> 'unknown' then 0 else 1 end,
                score_mean desc,
                person_n desc,
                group_value
        ) as place
    from grouped
    cross join community
),

compared as (
    select
        ranked.*,
        best.group_value as reference_value,
        best.person_n as reference_n,
        best.score_mean as reference_mean,
        best.score_mean - ranked.score_mean as score_gap,
        sqrt(ranked.score_sd * ranked.score_sd / ranked.person_n + best.score_sd * best.score_sd / best.person_n) as gap_standard_error,
        sqrt(
            ((ranked.person_n - 1) * ranked.score_sd * ranked.score_sd + (best.person_n - 1) * best.score_sd * best.score_sd)
            / nullif(ranked.person_n + best.person_n - 2, 0)
        ) as pooled_sd
    from ranked
    inner join ranked as best
        on ranked.instrument_id = best.instrument_id
        and ranked.subject = best.subject
        and coalesce(ranked.grade_level, '') = coalesce(best.grade_level, '')
        and ranked.school_year = best.school_year
        and ranked.dimension = best.dimension
        and best.place = 1
)

select
    instrument_id,
    subject,
    grade_level,
    school_year,
    dimension,
    group_value,
    person_n,
    smallest_n,
    score_mean,
    score_sd,
    reference_value,
    reference_n,
    reference_mean,
    score_gap,
    case when group_value <> reference_value then gap_standard_error end as gap_standard_error,
    case when group_value <> reference_value then score_gap - {{ z_95() }} * gap_standard_error end as gap_low,
    case when group_value <> reference_value then score_gap + {{ z_95() }} * gap_standard_error end as gap_high,
    case when group_value <> reference_value then score_gap / nullif(pooled_sd, 0) end as standardized_gap
from compared
