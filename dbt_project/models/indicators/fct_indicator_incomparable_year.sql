{#
  Pairs of years of an indicator that must not be compared, whole community and by organization.
  1. Which tests and cuts (scales) the results of each year are on, and how large the share of each is.
  2. Two years compare where the shares that they have in common reach the parameter comparable_share.
  3. Breaks that the community declares come on top.
#}
with scale as (
    select * from {{ ref('indicator_scale') }}
),

parameter as (
    select * from {{ ref('int_indicator__parameter') }}
),

result as (
    select * from {{ ref('fct_assessment_result') }}
),

organization as (
    select * from {{ ref('dim_organization') }}
),

status as (
    select * from {{ ref('fct_indicator_count') }}
),

declared as (
    select * from {{ source('config', 'comparability_break') }}
),

counted as (
    select
        scale.indicator_id,
        result.organization_key,
        organization.parent_organization_key as district_key,
        result.school_year as cohort_year,
        concat_ws('|', result.subject, result.comparability_key) as scale_key,
        count(*) as result_n
    from result
    inner join scale
        on result.instrument_kind = scale.instrument_kind
        and (nullif(scale.subject, '') is null or result.subject = scale.subject)
    left join parameter on scale.grade_parameter = parameter.parameter
    left join organization on result.organization_key = organization.organization_key
    where
        result.is_valid
        and result.is_at_or_above_cut is not null
        and (nullif(scale.grade_parameter, '') is null or result.grade_level = parameter.value)
    group by scale.indicator_id, result.organization_key, organization.parent_organization_key, result.school_year, concat_ws('|', result.subject, result.comparability_key)
),

placed as (
    select indicator_id, 'all' as organization_key, cohort_year, scale_key, result_n from counted
    union all
    select indicator_id, organization_key, cohort_year, scale_key, result_n from counted where organization_key is not null
    union all
    select indicator_id, district_key, cohort_year, scale_key, result_n from counted
    where district_key is not null and (organization_key is null or district_key <> organization_key)
),

summed as (
    select indicator_id, organization_key, cohort_year, scale_key, sum(result_n) as result_n
    from placed
    group by indicator_id, organization_key, cohort_year, scale_key
),

shared as (
    select
        *,
        cast(result_n as double) / sum(result_n) over (partition by indicator_id, organization_key, cohort_year) as share
    from summed
),

tested as (
    select distinct indicator_id, organization_key, cohort_year from shared -- one row a year with results
),

year_pair as (
    select
        earlier.indicator_id,
        earlier.organization_key,
        earlier.cohort_year,
        later.cohort_year as later_year
    from tested as earlier
    inner join tested as later
        on earlier.indicator_id = later.indicator_id
        and earlier.organization_key = later.organization_key
        and earlier.cohort_year < later.cohort_year
),

common as (
    select
        earlier.indicator_id,
        earlier.organization_key,
        earlier.cohort_year,
        later.cohort_year as later_year,
        sum(least(earlier.share, later.share)) as common_share
    from shared as earlier
    inner join shared as later
        on earlier.indicator_id = later.indicator_id
        and earlier.organization_key = later.organization_key
        and earlier.scale_key = later.scale_key
        and earlier.cohort_year < later.cohort_year
    group by earlier.indicator_id, earlier.organization_key, earlier.cohort_year, later.cohort_year
),

on_other_tests as (
    select
        year_pair.indicator_id,
        year_pair.organization_key,
        year_pair.cohort_year,
        year_pair.later_year
    from year_pair
    left join common
        on year_pair.indicator_id = common.indicator_id
        and year_pair.organization_key = common.organization_key
        and year_pair.cohort_year = common.cohort_year
        and year_pair.later_year = common.later_year
    where coalesce(common.common_share, 0) < {{ indicator_parameter('comparable_share') }} - 1e-9
),

measured as (
    select indicator_id, 'all' as organization_key, cohort_year from status
    union
    select indicator_id, organization_key, cohort_year from status where organization_key is not null
    union
    select indicator_id, district_key, cohort_year from status where district_key is not null
),

across_a_break as (
    select
        earlier.indicator_id,
        earlier.organization_key,
        earlier.cohort_year,
        later.cohort_year as later_year
    from measured as earlier
    inner join declared on earlier.indicator_id = declared.indicator_id and earlier.cohort_year < declared.first_year
    inner join measured as later
        on earlier.indicator_id = later.indicator_id
        and earlier.organization_key = later.organization_key
        and later.cohort_year >= declared.first_year
)

select indicator_id, organization_key, cohort_year, later_year from on_other_tests
union
select indicator_id, organization_key, cohort_year, later_year from across_a_break
