{#
  Enrollment of regular-diploma graduates in a two- or four-year institution by a limit.
  Args: indicator id; limit, an expression over `graduate` (completion_date, class_year); first day on which the
  whole class can be judged, an expression over `graduate`.
#}
{% macro postsecondary_enrollment_indicator(indicator_id, limit, judged_from) %}
with completion as (
    select * from {{ ref('fct_high_school_completion') }}
),

term as (
    select * from {{ ref('fct_postsecondary_enrollment') }}
),

search as (
    select * from {{ ref('fct_postsecondary_search') }}
),

cohort as (
    select * from {{ ref('fct_graduation_cohort') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

graduate as (
    select * from completion where is_first_regular_diploma
),

due as (
    select
        graduate.person_key,
        graduate.class_year,
        graduate.completion_date,
        graduate.organization_key,
        graduate.partner_id,
        {{ limit }} as limit_date
    from graduate
    cross join community
    where {{ judged_from }} < community.as_of_date
),

first_term as (
    select
        due.person_key,
        min(term.begin_date) as begin_date
    from due
    inner join term on due.person_key = term.person_key
    where
        term.is_enrolled
        and term.is_two_or_four_year
        and term.begin_date > due.completion_date
        and term.begin_date <= due.limit_date
    group by due.person_key
),

death as (
    select person_key, max(exit_date) as died_date
    from cohort
    where exit_type = 'Died'
    group by person_key
),

judged as (
    select
        due.*,
        first_term.begin_date,
        search.searched_through_date,
        coalesce(least(search.deceased_date, death.died_date) <= due.limit_date, false) as is_deceased
    from due
    left join first_term on due.person_key = first_term.person_key
    left join search on due.person_key = search.person_key
    left join death on due.person_key = death.person_key
)

select
    person_key,
    class_year as cohort_year,
    '{{ indicator_id }}' as indicator_id,
    case
        when begin_date is not null then 'met'
        when is_deceased then 'excluded'
        when searched_through_date >= limit_date then 'not_met'
        else 'not_measured'
    end as status,
    case
        when begin_date is not null then null
        when is_deceased then 'deceased'
        when searched_through_date >= limit_date then null
        else 'no_record:postsecondary_enrollment'
    end as exclusion_reason,
    organization_key,
    begin_date as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from judged
{% endmacro %}
