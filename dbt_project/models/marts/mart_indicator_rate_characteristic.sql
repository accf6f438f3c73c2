{% set characteristics = {'english_learner': 'is_english_learner', 'disability': 'has_disability', 'homelessness': 'is_homeless'} %}

with status as (
    select * from {{ ref('fct_indicator_status') }}
),

student as (
    select * from {{ ref('fct_person_year') }}
),

indicator as (
    select * from {{ ref('dim_indicator') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

-- The cohort's year tells the characteristic; a cohort that is judged after school takes the last year in school.
last_year as (
    select person_key, max(school_year) as school_year
    from student
    where is_enrolled
    group by person_key
),

described as (
    select
        status.indicator_id,
        status.cohort_year,
        status.status,
        student.is_english_learner,
        student.has_disability,
        student.is_homeless
    from status
    left join last_year on status.person_key = last_year.person_key
    left join student
        on status.person_key = student.person_key
        and student.is_enrolled
        and least(status.cohort_year, last_year.school_year) = student.school_year
),

counted as (
    {% for characteristic, column in characteristics.items() %}
        select
            indicator_id,
            cohort_year,
            '{{ characteristic }}' as characteristic,
            case when {{ column }} then 'yes' when not {{ column }} then 'no' else 'unknown' end as group_value,
            count(*) as eligible_n,
            count(*) filter (where status = 'excluded') as excluded_n,
            count(*) filter (where status = 'not_measured') as not_measured_n,
            count(*) filter (where status = 'met') as numerator_n
        from described
        group by 1, 2, 3, 4
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

measured as (
    select
        *,
        eligible_n - excluded_n - not_measured_n as denominator_n
    from counted
)

select
    measured.indicator_id,
    measured.cohort_year,
    community.geography_id,
    measured.characteristic,
    measured.group_value,
    measured.eligible_n,
    measured.excluded_n,
    measured.not_measured_n,
    measured.denominator_n,
    measured.numerator_n,
    cast(measured.numerator_n as double) / nullif(measured.denominator_n, 0) as rate,
    cast(measured.denominator_n as double) / nullif(measured.eligible_n - measured.excluded_n, 0) as coverage_rate,
    case when measured.denominator_n > 0 then {{ wilson_lower('measured.numerator_n', 'measured.denominator_n') }} end as rate_low,
    case when measured.denominator_n > 0 then {{ wilson_upper('measured.numerator_n', 'measured.denominator_n') }} end as rate_high,
    measured.denominator_n > 0
    and cast(measured.denominator_n as double) / nullif(measured.eligible_n - measured.excluded_n, 0) >= indicator.minimum_coverage as is_enough_data
from measured
inner join indicator on measured.indicator_id = indicator.indicator_id
cross join community
