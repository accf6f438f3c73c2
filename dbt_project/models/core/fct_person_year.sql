with economic as (
    select * from {{ ref('int_person__economic_status_by_year') }}
),

student as (
    select * from {{ ref('int_enrollment__student_year') }}
),

keys as (
    select person_key, school_year from economic
    union
    select person_key, school_year from student
)

select
    keys.person_key,
    keys.school_year,
    coalesce(economic.economic_group, 'unknown') as economic_group,
    economic.economic_source,
    student.organization_key,
    student.district_key,
    student.partner_id,
    student.grade_level,
    cast(student.grade_number as bigint) as grade_number,
    student.first_entry_date,
    student.last_exit_date,
    student.last_exit_type,
    cast(student.member_days as bigint) as member_days,
    student.school_n,
    student.school_change_n,
    student.zip_code,
    student.is_english_learner,
    student.has_disability,
    student.is_homeless,
    student.person_key is not null as is_enrolled
from keys
left join economic on keys.person_key = economic.person_key and keys.school_year = economic.school_year
left join student on keys.person_key = student.person_key and keys.school_year = student.school_year
