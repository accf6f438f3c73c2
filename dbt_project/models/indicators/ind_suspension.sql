with student as (
    select * from {{ ref('fct_person_year') }}
),

action as (
    select * from {{ ref('fct_discipline_action') }}
),

covered as (
    select * from {{ ref('int_coverage__k12_feed_year') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

suspended as (
    select
        person_key,
        school_year,
        min(action_date) as first_date,
        count(*) as action_n
    from action
    where {{ has_code(indicator_parameter('suspension_actions', 'string'), 'action') }}
    group by person_key, school_year
),

judged as (
    select
        student.person_key,
        student.school_year,
        student.organization_key,
        student.partner_id,
        suspended.first_date,
        suspended.action_n,
        covered.partner_id is not null as is_covered
    from student
    cross join community
    left join suspended on student.person_key = suspended.person_key and student.school_year = suspended.school_year
    left join covered
        on covered.feed_id = 'k12_discipline'
        and student.partner_id = covered.partner_id
        and student.school_year = covered.school_year
    where
        student.is_enrolled
        and student.grade_number between 0 and 12
        and make_date(cast(student.school_year as integer), 6, 30) <= community.as_of_date
)

select
    person_key,
    school_year as cohort_year,
    'suspension' as indicator_id,
    case
        when action_n > 0 then 'met'
        when is_covered then 'not_met'
        else 'not_measured'
    end as status,
    case when action_n is null and not is_covered then 'missing:k12_discipline' end as exclusion_reason,
    organization_key,
    first_date as evidence_date,
    cast(action_n as double) as evidence_value,
    partner_id
from judged
