with enrollment as (
    select * from {{ ref('stg_postsecondary__enrollment') }}
),

community as (
    select * from {{ source('config', 'community') }}
)

-- A search without a date speaks for everything up to the present.
select
    enrollment.person_key,
    max(
        case
            when enrollment.search_date is not null then enrollment.search_date
            when not enrollment.is_record_found then community.as_of_date
        end
    ) as searched_through_date,
    min(case when enrollment.enrollment_intensity = 'Deceased' then enrollment.begin_date end) as deceased_date
from enrollment
cross join community
where enrollment.person_key is not null
group by enrollment.person_key
