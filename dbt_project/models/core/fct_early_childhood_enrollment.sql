with enrollment as (
    select * from {{ ref('stg_early_childhood__enrollment') }}
),

-- The same site and first day sent twice is one.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, school_year, entry_date order by delivery_seq desc, source_row desc
        ) as recency
    from enrollment
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    school_year,
    program_type,
    entry_date,
    exit_date,
    days_attended,
    days_enrolled,
    cast(
        coalesce(
            days_enrolled,
            days_attended,
            {{ days_inclusive('entry_date', 'coalesce(exit_date, make_date(cast(school_year as integer), 6, 30))') }}
        ) as double
    ) as member_days
from latest
where recency = 1
