with indicator as (
    select * from {{ ref('indicator') }}
),

choice as (
    select * from {{ source('config', 'indicator_choice') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

chosen as (
    select
        indicator_id,
        max(case when role = 'core' then outcome_id end) as core_of_outcome_id,
        max(case when role = 'priority' then 1 else 0 end) as is_priority,
        max(case when role = 'contributing' then 1 else 0 end) as is_contributing,
        max(baseline_year) as baseline_year
    from choice
    group by indicator_id
)

select
    indicator.indicator_id,
    indicator.outcome_id,
    indicator.role,
    indicator.title,
    indicator.population,
    indicator.numerator,
    indicator.denominator,
    indicator.exclusions,
    indicator.timing,
    indicator.direction,
    coalesce(indicator.minimum_coverage, community.minimum_coverage) as minimum_coverage,
    indicator.source,
    indicator.version,
    chosen.core_of_outcome_id is not null as is_core,
    chosen.core_of_outcome_id,
    coalesce(chosen.is_priority, 0) = 1 as is_priority,
    coalesce(chosen.is_contributing, 0) = 1 as is_contributing_chosen,
    indicator.variant_of,
    indicator.feeds,
    cast(chosen.baseline_year as bigint) as baseline_year
from indicator
cross join community
left join chosen on indicator.indicator_id = chosen.indicator_id
