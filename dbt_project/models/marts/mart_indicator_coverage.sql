with community as (
    select * from {{ source('config', 'community') }}
),

rate as (
    select * from {{ ref('mart_indicator_rate') }}
)

select
    rate.indicator_id,
    rate.cohort_year,
    rate.is_enough_data,
    rate.missing_feeds
from rate
cross join community
where
    rate.geography_id = community.geography_id
    and rate.organization_key = 'all'
    and rate.race_scheme = 'federal7'
    and rate.race_group = 'all'
    and rate.gender_group = 'all'
    and rate.economic_group = 'all'
    -- So many that what is known of how many were measured tells of nobody.
    and rate.eligible_n - rate.excluded_n >= 10 * community.minimum_n
