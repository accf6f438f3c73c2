{#
  An indicator on a state test of one grade and subject.
  Args: indicator id, name of the parameter that holds the grade, subject, whether end-of-course tests may stand in.
#}
{% macro state_test_indicator(indicator_id, grade_parameter, subject, with_end_of_course=false) %}
with student as (
    select * from {{ ref('fct_person_year') }}
),

attempt as (
    select * from {{ ref('fct_assessment_result') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

in_grade as (
    select
        attempt.*,
        case when is_end_of_course then 2 else 1 end as test_rank
    from attempt
    where
        instrument_kind = 'state'
        and subject = '{{ subject }}'
        and grade_level = {{ indicator_parameter(grade_parameter, 'string') }}
        {% if with_end_of_course %}
            and (not is_end_of_course or {{ indicator_parameter('include_end_of_course', 'boolean') }})
        {% else %}
            and not is_end_of_course
        {% endif %}
),

ranked as (
    select
        *,
        row_number() over (
            partition by person_key, school_year
            order by
                case when is_valid then 0 else 1 end,
                test_rank,
                case when {{ indicator_parameter('attempt_rule', 'string') }} = 'best' and is_at_or_above_cut then 0 else 1 end,
                case when {{ indicator_parameter('attempt_rule', 'string') }} = 'best' then score end desc nulls last,
                case when {{ indicator_parameter('attempt_rule', 'string') }} = 'last' then test_date end desc nulls last,
                test_date nulls last,
                instrument_id,
                is_alternate
        ) as choice
    from in_grade
),

tested as (
    select * from ranked where choice = 1
),

enrolled as (
    select * from student
    where is_enrolled and grade_level = {{ indicator_parameter(grade_parameter, 'string') }}
),

keys as (
    select person_key, school_year from enrolled
    union
    select person_key, school_year from tested
),

joined as (
    select
        keys.person_key,
        keys.school_year,
        coalesce(student.organization_key, tested.organization_key) as organization_key,
        coalesce(student.partner_id, tested.partner_id) as partner_id,
        student.member_days,
        tested.person_key is not null as is_tested,
        tested.is_valid,
        tested.is_alternate,
        tested.is_at_or_above_cut,
        tested.test_date,
        tested.score
    from keys
    left join student on keys.person_key = student.person_key and keys.school_year = student.school_year and student.is_enrolled
    left join tested on keys.person_key = tested.person_key and keys.school_year = tested.school_year
),

judged as (
    select
        *,
        case
            when not is_tested then 'no_record:k12_assessment'
            when not is_valid then 'invalid_score'
            when is_alternate and {{ indicator_parameter('alternate_assessment', 'string') }} = 'exclude' then 'alternate_assessment'
            when is_alternate and is_at_or_above_cut is null then 'alternate_assessment_without_cut'
            when member_days < {{ indicator_parameter('minimum_days_enrolled_tested') }} then 'enrolled_too_few_days'
            when is_at_or_above_cut is null then 'no_cut_score'
        end as reason
    from joined
)

select
    judged.person_key,
    judged.school_year as cohort_year,
    '{{ indicator_id }}' as indicator_id,
    case
        when judged.reason in ('no_record:k12_assessment', 'no_cut_score') then 'not_measured'
        when judged.reason is not null then 'excluded'
        when judged.is_at_or_above_cut then 'met'
        else 'not_met'
    end as status,
    judged.reason as exclusion_reason,
    judged.organization_key,
    judged.test_date as evidence_date,
    judged.score as evidence_value,
    judged.partner_id
from judged
cross join community
where make_date(cast(judged.school_year as integer), 6, 30) <= community.as_of_date
{% endmacro %}
