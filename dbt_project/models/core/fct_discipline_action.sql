with discipline as (
    select * from {{ ref('stg_k12__discipline') }}
),

-- The same action sent twice is one action.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, action_date, action order by delivery_seq desc, source_row desc
        ) as recency
    from discipline
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    school_year,
    action_date,
    action,
    days
from latest
where recency = 1
