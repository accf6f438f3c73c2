with student as (
    select * from {{ ref('fct_person_year') }}
),

community as (
    select * from {{ source('config', 'community') }}
)

select
    student.person_key,
    student.school_year as cohort_year,
    'school_mobility' as indicator_id,
    case when student.school_change_n > 0 then 'met' else 'not_met' end as status,
    cast(null as string) as exclusion_reason,
    student.organization_key,
    cast(null as date) as evidence_date,
    cast(student.school_n as double) as evidence_value,
    student.partner_id
from student
cross join community
where
    student.is_enrolled
    and student.grade_number between 0 and 12
    and make_date(cast(student.school_year as integer), 6, 30) <= community.as_of_date
