with enrollment as (
    select * from {{ ref('stg_k12__enrollment') }}
),

-- What each year's rows say most often of a school.
counted as (
    select
        organization_key,
        school_year,
        school_name,
        district_key,
        count(*) as row_n
    from enrollment
    where organization_key is not null
    group by organization_key, school_year, school_name, district_key
),

ranked as (
    select
        *,
        row_number() over (
            partition by organization_key, school_year order by row_n desc, school_name nulls last, district_key nulls last
        ) as choice,
        sum(row_n) over (partition by organization_key, school_year) as enrollment_row_n
    from counted
)

select
    organization_key,
    school_year,
    school_name as organization_name,
    district_key as parent_organization_key,
    cast(enrollment_row_n as bigint) as enrollment_row_n
from ranked
where choice = 1
