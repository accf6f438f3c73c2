with student as (
    select * from {{ ref('fct_person_year') }}
),

attempt as (
    select * from {{ ref('fct_assessment_result') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

twelfth_grader as (
    select student.*
    from student
    cross join community
    where
        student.is_enrolled
        and student.grade_number = 12
        and make_date(cast(student.school_year as integer), 6, 30) <= community.as_of_date
),

-- Each subject is true once any attempt reaches its benchmark, false if attempts were made and none did.
part as (
    select
        twelfth_grader.person_key,
        twelfth_grader.school_year,
        bool_or(case when attempt.subject = 'ReadingELA' then attempt.is_at_or_above_cut end) as is_ready_in_reading,
        bool_or(case when attempt.subject = 'Mathematics' then attempt.is_at_or_above_cut end) as is_ready_in_math,
        max(attempt.test_date) as test_date
    from twelfth_grader
    inner join attempt on twelfth_grader.person_key = attempt.person_key and attempt.school_year <= twelfth_grader.school_year
    where
        attempt.instrument_kind = 'college_entrance'
        and attempt.is_valid
        and attempt.subject in ('ReadingELA', 'Mathematics')
    group by twelfth_grader.person_key, twelfth_grader.school_year
),

judged as (
    select
        twelfth_grader.*,
        part.test_date,
        case
            when part.is_ready_in_reading and part.is_ready_in_math then 'met'
            when not part.is_ready_in_reading or not part.is_ready_in_math then 'not_met'
            else 'not_measured'
        end as status
    from twelfth_grader
    left join part on twelfth_grader.person_key = part.person_key and twelfth_grader.school_year = part.school_year
)

select
    person_key,
    school_year as cohort_year,
    'college_ready' as indicator_id,
    status,
    case when status = 'not_measured' then 'no_record:k12_assessment' end as exclusion_reason,
    organization_key,
    test_date as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from judged
