with student as (
    select * from {{ ref('fct_person_year') }}
),

attendance as (
    select * from {{ ref('fct_attendance_year') }}
),

suspension as (
    select * from {{ ref('ind_suspension') }}
),

course as (
    select * from {{ ref('fct_course_credit') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

absence as (
    select
        person_key,
        school_year,
        sum(days_absent) / nullif(sum(days_enrolled), 0) as absence_rate
    from attendance
    group by person_key, school_year
),

mark as (
    select
        person_key,
        school_year,
        sum(case when course_subject = 'ELA' then 1 else 0 end) as reading_n,
        sum(case when course_subject = 'Mathematics' then 1 else 0 end) as math_n,
        sum(case when not is_passed then 1 else 0 end) as failed_n
    from course
    where course_subject in ('ELA', 'Mathematics') and is_passed is not null
    group by person_key, school_year
),

-- Each part is true, false or unknown; one false settles it, one unknown leaves it open.
part as (
    select
        student.person_key,
        student.school_year,
        student.organization_key,
        student.partner_id,
        absence.absence_rate,
        absence.absence_rate <= {{ indicator_parameter('on_track_absence_share') }} as is_present,
        case suspension.status when 'not_met' then true when 'met' then false end as is_not_suspended,
        case
            when mark.failed_n > 0 then false
            when mark.reading_n > 0 and mark.math_n > 0 then true
        end as is_passing
    from student
    cross join community
    left join absence on student.person_key = absence.person_key and student.school_year = absence.school_year
    left join suspension on student.person_key = suspension.person_key and student.school_year = suspension.cohort_year
    left join mark on student.person_key = mark.person_key and student.school_year = mark.school_year
    where
        student.is_enrolled
        and student.grade_number = 6
        and make_date(cast(student.school_year as integer), 6, 30) <= community.as_of_date
),

judged as (
    select
        *,
        case
            when is_present and is_not_suspended and is_passing then 'met'
            when not is_present or not is_not_suspended or not is_passing then 'not_met'
            else 'not_measured'
        end as status
    from part
)

select
    person_key,
    school_year as cohort_year,
    'on_track_grade_6' as indicator_id,
    status,
    case
        when status <> 'not_measured' then null
        when is_present is null then 'no_record:k12_attendance'
        when is_not_suspended is null then 'missing:k12_discipline'
        else 'no_record:k12_course'
    end as exclusion_reason,
    organization_key,
    cast(null as date) as evidence_date,
    absence_rate as evidence_value,
    partner_id
from judged
