with student as (
    select * from {{ ref('fct_person_year') }}
),

attendance as (
    select * from {{ ref('fct_attendance_year') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

-- The student is followed, not the school: days are summed before the share is taken.
summed as (
    select
        person_key,
        school_year,
        sum(days_enrolled) as days_enrolled,
        sum(days_absent) as days_absent
    from attendance
    group by person_key, school_year
),

judged as (
    select
        student.person_key,
        student.school_year,
        student.organization_key,
        student.partner_id,
        summed.days_absent / nullif(summed.days_enrolled, 0) as absence_rate,
        case
            when summed.person_key is null then 'no_record:k12_attendance'
            when summed.days_enrolled < {{ indicator_parameter('chronic_absence_minimum_days') }} then 'enrolled_too_few_days'
        end as reason
    from student
    cross join community
    left join summed on student.person_key = summed.person_key and student.school_year = summed.school_year
    where
        student.is_enrolled
        and student.grade_number between 0 and 12
        and make_date(cast(student.school_year as integer), 6, 30) <= community.as_of_date
)

select
    person_key,
    school_year as cohort_year,
    'chronic_absence' as indicator_id,
    case
        when reason = 'no_record:k12_attendance' then 'not_measured'
        when reason is not null then 'excluded'
        when absence_rate >= {{ indicator_parameter('chronic_absence_share') }} then 'met'
        else 'not_met'
    end as status,
    reason as exclusion_reason,
    organization_key,
    cast(null as date) as evidence_date,
    absence_rate as evidence_value,
    partner_id
from judged
