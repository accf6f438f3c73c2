{# Algebra I or higher passed by the end of a grade. Args: indicator id, the grade as a number. #}
{% macro algebra_indicator(indicator_id, grade_number) %}
with student as (
    select * from {{ ref('fct_person_year') }}
),

course as (
    select * from {{ ref('fct_course_credit') }}
),

covered as (
    select * from {{ ref('int_coverage__k12_feed_year') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

passed as (
    select
        person_key,
        min(school_year) as passed_year
    from course
    where is_passed and is_algebra_1_or_higher
    group by person_key
),

judged as (
    select
        student.person_key,
        student.school_year,
        student.organization_key,
        student.partner_id,
        coalesce(passed.passed_year <= student.school_year, false) as is_passed,
        passed.passed_year,
        covered.partner_id is not null as is_covered
    from student
    cross join community
    left join passed on student.person_key = passed.person_key
    left join covered
        on covered.feed_id = 'k12_course'
        and student.partner_id = covered.partner_id
        and student.school_year = covered.school_year
    where
        student.is_enrolled
        and student.grade_number = {{ grade_number }}
        and make_date(cast(student.school_year as integer), 6, 30) <= community.as_of_date
)

select
    person_key,
    school_year as cohort_year,
    '{{ indicator_id }}' as indicator_id,
    case
        when is_passed then 'met'
        when is_covered then 'not_met'
        else 'not_measured'
    end as status,
    case when not is_passed and not is_covered then 'missing:k12_course' end as exclusion_reason,
    organization_key,
    cast(null as date) as evidence_date,
    cast(case when is_passed then passed_year end as double) as evidence_value,
    partner_id
from judged
{% endmacro %}
