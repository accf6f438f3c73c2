with status as (
    select * from {{ ref('fct_indicator_status') }}
),

organization as (
    select * from {{ ref('dim_organization') }}
),

-- The reason of a status that is not measured ends with the feed that would have told it.
unmeasured as (
    select
        indicator_id,
        cohort_year,
        organization_key,
        concat(coalesce(partner_id, 'unknown'), ':', substring(exclusion_reason, position(':' in exclusion_reason) + 1, 100)) as missing_feed,
        count(*) as not_measured_n
    from status
    where status = 'not_measured' and exclusion_reason like '%:%'
    group by indicator_id, cohort_year, organization_key, partner_id, exclusion_reason
),

placed as (
    select indicator_id, cohort_year, 'community' as place_kind, 'all' as place, missing_feed, not_measured_n
    from unmeasured
    union all
    select indicator_id, cohort_year, 'organization', organization_key, missing_feed, not_measured_n
    from unmeasured
    where organization_key is not null
    union all
    select
        unmeasured.indicator_id, unmeasured.cohort_year, 'organization', organization.parent_organization_key,
        unmeasured.missing_feed, unmeasured.not_measured_n
    from unmeasured
    inner join organization on unmeasured.organization_key = organization.organization_key
    where organization.parent_organization_key is not null
)

select
    indicator_id,
    cohort_year,
    place_kind,
    place,
    {{ text_list('missing_feed') }} as missing_feeds,
    cast(sum(not_measured_n) as bigint) as not_measured_n
from placed
group by indicator_id, cohort_year, place_kind, place
