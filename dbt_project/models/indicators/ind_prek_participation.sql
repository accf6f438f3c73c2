with student as (
    select * from {{ ref('fct_person_year') }}
),

early as (
    select * from {{ ref('fct_early_childhood_enrollment') }}
),

covered as (
    select * from {{ ref('int_coverage__feed_year') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

kindergartner as (
    select
        *,
        min(school_year) over (partition by person_key) as first_kindergarten_year
    from student
    where is_enrolled and grade_number = 0
),

days as (
    select
        person_key,
        school_year,
        sum(member_days) as member_days
    from early
    where {{ has_code(indicator_parameter('prek_program_types', 'string'), 'program_type') }}
    group by person_key, school_year
),

held as (
    select distinct school_year from covered where feed_id = 'early_childhood_enrollment' -- several partners may hold a year
),

judged as (
    select
        kindergartner.person_key,
        kindergartner.school_year,
        kindergartner.organization_key,
        kindergartner.partner_id,
        coalesce(days.member_days, 0) as member_days,
        case
            when kindergartner.school_year > kindergartner.first_kindergarten_year then 'repeater'
            when held.school_year is null then 'missing:early_childhood_enrollment'
        end as reason
    from kindergartner
    cross join community
    left join days on kindergartner.person_key = days.person_key and kindergartner.school_year - 1 = days.school_year
    left join held on kindergartner.school_year - 1 = held.school_year
    where make_date(cast(kindergartner.school_year - 1 as integer), 12, 31) <= community.as_of_date
)

select
    person_key,
    school_year as cohort_year,
    'prek_participation' as indicator_id,
    case
        when reason = 'repeater' then 'excluded'
        when reason is not null then 'not_measured'
        when member_days >= {{ indicator_parameter('prek_days') }} then 'met'
        else 'not_met'
    end as status,
    reason as exclusion_reason,
    organization_key,
    cast(null as date) as evidence_date,
    member_days as evidence_value,
    partner_id
from judged
