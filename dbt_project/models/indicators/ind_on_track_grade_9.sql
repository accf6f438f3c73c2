with student as (
    select * from {{ ref('fct_person_year') }}
),

course as (
    select * from {{ ref('fct_course_credit') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

ninth_grader as (
    select
        *,
        min(school_year) over (partition by person_key) as first_grade_9_year
    from student
    where is_enrolled and grade_number = 9
),

earned as (
    select
        person_key,
        school_year,
        sum(coalesce(credits_earned, 0)) as credits_earned,
        sum(
            case
                when not is_passed and {{ has_code(indicator_parameter('on_track_core_subjects', 'string'), 'course_subject') }} then 1
                else 0
            end
        ) as core_failure_n
    from course
    group by person_key, school_year
),

judged as (
    select
        ninth_grader.person_key,
        ninth_grader.school_year,
        ninth_grader.organization_key,
        ninth_grader.partner_id,
        earned.credits_earned,
        earned.core_failure_n,
        case
            when ninth_grader.school_year > ninth_grader.first_grade_9_year then 'repeater'
            when earned.person_key is null then 'no_record:k12_course'
        end as reason
    from ninth_grader
    cross join community
    left join earned on ninth_grader.person_key = earned.person_key and ninth_grader.school_year = earned.school_year
    where make_date(cast(ninth_grader.school_year as integer), 6, 30) <= community.as_of_date
)

select
    person_key,
    school_year as cohort_year,
    'on_track_grade_9' as indicator_id,
    case
        when reason = 'repeater' then 'excluded'
        when reason is not null then 'not_measured'
        when
            credits_earned >= {{ indicator_parameter('on_track_credits') }}
            and core_failure_n <= {{ indicator_parameter('on_track_core_failures') }}
            then 'met'
        else 'not_met'
    end as status,
    reason as exclusion_reason,
    organization_key,
    cast(null as date) as evidence_date,
    credits_earned as evidence_value,
    partner_id
from judged
