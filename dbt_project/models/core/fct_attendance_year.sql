with attendance as (
    select * from {{ ref('stg_k12__attendance') }}
),

-- A school may be delivered by two files of the same year; the latest counts.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, school_year order by delivery_seq desc, source_row desc
        ) as recency
    from attendance
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    school_year,
    days_enrolled,
    days_absent,
    case when days_enrolled > 0 then days_absent / days_enrolled end as absence_rate
from latest
where recency = 1
