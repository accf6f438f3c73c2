with graduation as (
    select * from {{ ref('stg_k12__graduation') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

-- The same completion sent twice is one.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, completion_date, diploma_type
            order by delivery_seq desc, source_row desc
        ) as recency
    from graduation
    where person_key is not null
),

dated as (
    select
        latest.*,
        -- A summer graduate belongs to the class before the cutoff.
        cast(
            year(latest.completion_date)
            + case
                when latest.completion_date > {{ day_in_year('year(latest.completion_date)', 'community.graduation_cutoff') }} then 1
                else 0
            end as bigint
        ) as class_year
    from latest
    cross join community
    where latest.recency = 1
)

select
    person_key,
    organization_key,
    partner_id,
    school_year,
    completion_date,
    diploma_type,
    class_year,
    diploma_type = 'RegularDiploma'
    and row_number() over (
        partition by person_key
        order by case when diploma_type = 'RegularDiploma' then 0 else 1 end, completion_date, organization_key
    ) = 1 as is_first_regular_diploma
from dated
