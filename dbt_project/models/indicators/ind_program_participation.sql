with program as (
    select * from {{ ref('fct_program_participation') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

offered as (
    select program.*
    from program
    cross join community
    where
        {{ has_code(indicator_parameter('program_types', 'string'), 'program.program_type') }}
        and make_date(cast(program.school_year as integer), 6, 30) <= community.as_of_date
),

-- The program attended best stands for the year; those meant for others, or never held, come last.
ranked as (
    select
        *,
        coalesce(is_eligible, true) as is_meant_for,
        row_number() over (
            partition by person_key, school_year
            order by
                case when coalesce(is_eligible, true) and sessions_offered > 0 then 0 when coalesce(is_eligible, true) then 1 else 2 end,
                attendance_rate desc nulls last,
                organization_key
        ) as choice
    from offered
)

select
    person_key,
    school_year as cohort_year,
    'program_participation' as indicator_id,
    case
        when not is_meant_for then 'excluded'
        when attendance_rate is null then 'excluded'
        when attendance_rate >= {{ indicator_parameter('program_attendance_share') }} then 'met'
        else 'not_met'
    end as status,
    case
        when not is_meant_for then 'not_eligible'
        when attendance_rate is null then 'no_session_offered'
    end as exclusion_reason,
    organization_key,
    start_date as evidence_date,
    attendance_rate as evidence_value,
    partner_id
from ranked
where choice = 1
