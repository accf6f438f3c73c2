with delivered as (
    select * from {{ ref('int_coverage__feed_year') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

years as (
    select
        school_year,
        sum(case when feed_id = 'k12_enrollment' then row_n else 0 end) as enrollment_row_n
    from delivered
    group by school_year
)

select
    years.school_year,
    concat(cast(years.school_year - 1 as string), '-', substring(cast(years.school_year as string), 3, 2)) as school_year_label,
    make_date(cast(years.school_year - 1 as integer), 7, 1) as first_date,
    make_date(cast(years.school_year as integer), 6, 30) as last_date,
    {{ day_in_year('years.school_year', 'community.graduation_cutoff') }} as graduation_cutoff_date,
    years.enrollment_row_n > 0 as has_k12_enrollment,
    make_date(cast(years.school_year as integer), 6, 30) <= community.as_of_date as is_closed
from years
cross join community
