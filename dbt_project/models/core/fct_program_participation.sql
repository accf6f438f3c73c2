with program as (
    select * from {{ ref('stg_program__participation') }}
),

-- The same program and start sent twice is one.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, school_year, start_date order by delivery_seq desc, source_row desc
        ) as recency
    from program
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    school_year,
    program_id,
    program_type,
    start_date,
    end_date,
    sessions_offered,
    sessions_attended,
    case when sessions_offered > 0 then sessions_attended / sessions_offered end as attendance_rate,
    is_eligible
from latest
where recency = 1
