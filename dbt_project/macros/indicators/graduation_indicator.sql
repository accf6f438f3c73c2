{# The adjusted cohort graduation rate after so many years. Args: indicator id, years from grade 9. #}
{% macro graduation_indicator(indicator_id, years_n) %}
with cohort as (
    select * from {{ ref('fct_graduation_cohort') }}
),

covered as (
    select * from {{ ref('int_coverage__k12_feed_year') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

first_delivered as (
    select min(school_year) as school_year from covered where feed_id = 'k12_enrollment'
),

due as (
    select
        cohort.*,
        covered.partner_id is not null as is_covered
    from cohort
    cross join community
    cross join first_delivered
    left join covered
        on covered.feed_id = 'k12_graduation'
        and cohort.partner_id = covered.partner_id
        and cohort.cohort_year + {{ years_n }} - 4 = covered.school_year
    where
        cohort.years_n = {{ years_n }}
        and cohort.due_date < community.as_of_date
        -- Of a cohort that entered before the first file only those who stayed are seen.
        and (
            cohort.grade_9_year >= first_delivered.school_year
            or not {{ indicator_parameter('graduation_requires_grade_9_observed', 'boolean') }}
        )
)

select
    person_key,
    cohort_year,
    '{{ indicator_id }}' as indicator_id,
    case
        when is_graduate then 'met'
        when has_left_cohort then 'excluded'
        when not is_covered then 'not_measured'
        else 'not_met'
    end as status,
    case
        when is_graduate then null
        when has_left_cohort then exclusion_reason
        when not is_covered then 'missing:k12_graduation'
    end as exclusion_reason,
    organization_key,
    case when is_graduate then diploma_date when has_left_cohort then exit_date end as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from due
{% endmacro %}
