with student as (
    select * from {{ ref('fct_person_year') }}
),

covered as (
    select * from {{ ref('int_coverage__feed_year') }}
),

exit_type as (
    select * from {{ ref('exit_type') }}
),

held as (
    select distinct school_year from covered where feed_id = 'k12_enrollment' -- several partners hold a year
),

pupil as (
    select * from student where is_enrolled and grade_number between 0 and 11
),

next_year as (
    select * from student where is_enrolled
),

judged as (
    select
        pupil.person_key,
        pupil.school_year,
        pupil.organization_key,
        pupil.partner_id,
        pupil.last_exit_date,
        case
            when next_year.grade_number > pupil.grade_number then 'met'
            when next_year.grade_number <= pupil.grade_number then 'not_met'
            when exit_type.leaves_cohort then 'excluded'
            when pupil.last_exit_type = 'DroppedOut' then 'not_met'
            when pupil.last_exit_type = 'Promoted' then 'met'
            else 'not_measured'
        end as status,
        exit_type.exclusion_reason
    from pupil
    inner join held on pupil.school_year + 1 = held.school_year
    left join next_year on pupil.person_key = next_year.person_key and pupil.school_year + 1 = next_year.school_year
    left join exit_type on pupil.last_exit_type = exit_type.exit_type
)

select
    person_key,
    school_year as cohort_year,
    'grade_promotion' as indicator_id,
    status,
    case status when 'excluded' then exclusion_reason when 'not_measured' then 'no_record:k12_enrollment' end as exclusion_reason,
    organization_key,
    last_exit_date as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from judged
