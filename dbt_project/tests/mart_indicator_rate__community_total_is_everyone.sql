-- What: the community's total of an indicator and year counts each status row of fct_indicator_status once.
-- When: fails if describing people (organization, residence, economic status) multiplies or drops rows.
-- How to look: count fct_indicator_status and fct_indicator_count (federal7) of the indicator and year.
with told as (
    select indicator_id, cohort_year, count(*) as eligible_n
    from {{ ref('fct_indicator_status') }}
    group by indicator_id, cohort_year
),

total as (
    select rate.indicator_id, rate.cohort_year, rate.eligible_n
    from {{ ref('mart_indicator_rate') }} as rate
    inner join {{ source('config', 'community') }} as community on rate.geography_id = community.geography_id
    where
        rate.organization_key = 'all' and rate.race_scheme = 'federal7'
        and rate.race_group = 'all' and rate.gender_group = 'all' and rate.economic_group = 'all'
)

select
    told.indicator_id,
    told.cohort_year,
    told.eligible_n,
    total.eligible_n as total_n
from told
left join total on told.indicator_id = total.indicator_id and told.cohort_year = total.cohort_year
where total.eligible_n is null or told.eligible_n <> total.eligible_n
