with student as (
    select * from {{ ref('fct_person_year') }}
),

fafsa as (
    select * from {{ ref('fct_fafsa') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

judged as (
    select
        student.person_key,
        student.school_year,
        student.organization_key,
        student.partner_id,
        fafsa.status_date,
        case
            when coalesce(fafsa.fafsa_status, 'Unknown') = 'Unknown' then 'not_measured'
            when
                fafsa.fafsa_status = 'Complete'
                and (
                    fafsa.status_date is null
                    or fafsa.status_date <= {{ day_in_year('student.school_year', indicator_parameter('fafsa_deadline', 'string')) }}
                )
                then 'met'
            else 'not_met'
        end as status
    from student
    cross join community
    left join fafsa on student.person_key = fafsa.person_key and student.school_year = fafsa.school_year
    where
        student.is_enrolled
        and student.grade_number = 12
        and {{ day_in_year('student.school_year', indicator_parameter('fafsa_deadline', 'string')) }} <= community.as_of_date
)

select
    person_key,
    school_year as cohort_year,
    'fafsa_completion' as indicator_id,
    status,
    case when status = 'not_measured' then 'no_record:k12_fafsa' end as exclusion_reason,
    organization_key,
    status_date as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from judged
