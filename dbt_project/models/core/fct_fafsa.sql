with fafsa as (
    select * from {{ ref('stg_k12__fafsa') }}
),

-- A completed form stays complete: the earliest complete row tells it, else the latest row.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, school_year
            order by
                case when fafsa_status = 'Complete' then 0 else 1 end,
                case when fafsa_status = 'Complete' then status_date end,
                delivery_seq desc,
                source_row desc
        ) as choice
    from fafsa
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    school_year,
    fafsa_status,
    status_date
from latest
where choice = 1
