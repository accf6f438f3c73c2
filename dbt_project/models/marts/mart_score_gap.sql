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
        -- What tells of an indicator's people is withheld with its groups.
        case
            when
                result.instrument_kind = 'state'
                and result.subject = 'ReadingELA'
                and result.grade_level = {{ indicator_parameter('early_grade_reading_grade', 'string') }}
                then 'early_grade_reading'
            when
                result.instrument_kind = 'state'
                and result.subject = 'Mathematics'
                and result.grade_level = {{ indicator_parameter('middle_grade_math_grade', 'string') }}
                then 'middle_grade_math'
            when result.instrument_kind = 'kindergarten_entry' and result.grade_level = 'KG' then 'kindergarten_readiness'
            when result.instrument_kind = 'college_entrance' and result.grade_level = '12' then 'college_ready'
        end as indicator_id,
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
            max(indicator_id) as indicator_id,
            count(*) as person_n,
            cast(sum(exact_score) as decimal(38, 6)) as total,
            cast(sum(exact_score * exact_score) as decimal(38, 6)) as squares
        from described
        group by instrument_id, subject, grade_level, school_year, {{ dimension }}_group
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- Everybody but the group, of whom all others and the whole are made.
grouped as (
    select
        instrument_id,
        subject,
        grade_level,
        school_year,
        dimension,
        group_value,
        indicator_id,
        person_n,
        sum(person_n) over dimension_whole as all_n,
        (sum(person_n) over dimension_whole) - person_n as others_n,
        {% for name, count, sum, squares in [
            ('', 'person_n', 'total', 'squares'),
            (
                'others_', '((sum(person_n) over dimension_whole) - person_n)', '((sum(total) over dimension_whole) - total)',
                '((sum(squares) over dimension_whole) - squares)',
            ),
        ] %}
        cast({{ sum }} as double) / nullif({{ count }}, 0) as {{ name }}score_mean,
        case
            when {{ count }} > 1
                then sqrt(
                    greatest(0e0, cast({{ squares }} as double) - cast({{ sum }} as double) * cast({{ sum }} as double) / {{ count }})
                    / ({{ count }} - 1)
                )
        end as {{ name }}score_sd,
        {% endfor %}
        cast(sum(total) over dimension_whole as double) / sum(person_n) over dimension_whole as whole_score_mean
    from summed
    window dimension_whole as (partition by instrument_id, subject, grade_level, school_year, dimension)
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
        ) as place,
        case dimension when 'race' then race_reference when 'gender' then gender_reference else economic_reference end as asked
    from grouped
    cross join community
),

-- A group differs from the whole by its share of others times its difference to these, and they are independent of it.
beside as (
    select
        ranked.*,
        ranked.asked in ('all_others', 'whole') as is_against_others,
        case when ranked.asked = 'whole' then cast(ranked.others_n as double) / ranked.all_n else 1e0 end as weight,
        best.group_value as best_value,
        best.person_n as best_n,
        best.score_mean as best_mean,
        best.score_sd as best_sd
    from ranked
    inner join ranked as best
        on ranked.instrument_id = best.instrument_id
        and ranked.subject = best.subject
        and coalesce(ranked.grade_level, '') = coalesce(best.grade_level, '')
        and ranked.school_year = best.school_year
        and ranked.dimension = best.dimension
        and best.place = 1
),

yardstick as (
    select
        *,
        case when is_against_others then asked else best_value end as reference_value,
        case asked when 'all_others' then others_n when 'whole' then all_n else best_n end as reference_n,
        case asked when 'all_others' then others_score_mean when 'whole' then whole_score_mean else best_mean end as reference_mean,
        case when is_against_others then others_n else best_n end as yard_n,
        case when is_against_others then others_score_sd else best_sd end as yard_sd
    from beside
),

compared as (
    select
        *,
        reference_mean - score_mean as score_gap,
        weight * sqrt(score_sd * score_sd / person_n + yard_sd * yard_sd / nullif(yard_n, 0)) as gap_standard_error,
        sqrt(
            ((person_n - 1) * score_sd * score_sd + (yard_n - 1) * yard_sd * yard_sd) / nullif(person_n + yard_n - 2, 0)
        ) as pooled_sd
    from yardstick
)

select
    instrument_id,
    subject,
    grade_level,
    school_year,
    dimension,
    group_value,
    indicator_id,
    person_n,
    smallest_n,
    score_mean,
    score_sd,
    reference_value,
    cast(reference_n as bigint) as reference_n,
    reference_mean,
    score_gap,
    case when group_value <> reference_value then gap_standard_error end as gap_standard_error,
    case when group_value <> reference_value then score_gap - {{ z_95() }} * gap_standard_error end as gap_low,
    case when group_value <> reference_value then score_gap + {{ z_95() }} * gap_standard_error end as gap_high,
    case when group_value <> reference_value then score_gap / nullif(pooled_sd, 0) end as standardized_gap
from compared
