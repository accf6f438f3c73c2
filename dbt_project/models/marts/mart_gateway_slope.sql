with community as (
    select * from {{ source('config', 'community') }}
),

choice as (
    select * from {{ source('config', 'indicator_choice') }}
),

indicator as (
    select * from {{ ref('indicator') }}
),

incomparable as (
    select * from {{ ref('fct_indicator_incomparable_year') }}
),

rate as (
    select rate.*
    from {{ ref('mart_indicator_rate') }} as rate
    inner join community on rate.geography_id = community.geography_id
    where
        rate.organization_key = 'all'
        and rate.race_scheme = 'federal7'
        and rate.race_group = 'all'
        and rate.gender_group = 'all'
        and rate.economic_group = 'all'
        and rate.is_enough_data
        and rate.denominator_n > 0
),

-- The slope over the last years that compare with the latest, by sums of whole numbers.
window_year as (
    select
        rate.indicator_id,
        latest.indicator_direction,
        latest.latest_year,
        rate.numerator_n as x,
        rate.denominator_n as n,
        rate.cohort_year - latest.latest_year as t,
        community.minimum_n,
        community.practical_margin
    from rate
    cross join community
    inner join (
        select rate.indicator_id, max(rate.cohort_year) as latest_year, max(indicator.direction) as indicator_direction
        from rate
        inner join indicator on rate.indicator_id = indicator.indicator_id
        inner join choice on rate.indicator_id = choice.indicator_id and choice.role in ('core', 'core_further')
        group by rate.indicator_id
    ) as latest on rate.indicator_id = latest.indicator_id
    left join incomparable as apart
        on rate.indicator_id = apart.indicator_id
        and apart.organization_key = 'all'
        and rate.cohort_year = apart.cohort_year
        and latest.latest_year = apart.later_year
    where rate.cohort_year > latest.latest_year - community.trend_years and apart.indicator_id is null
),

summed as (
    select
        indicator_id,
        max(indicator_direction) as direction,
        max(practical_margin) as practical_margin,
        max(t) - min(t) as span,
        max(latest_year) as latest_year,
        max(latest_year) + min(t) as first_year,
        count(*) as year_n,
        min(n) < max(minimum_n) as has_too_few,
        cast(sum(x) as double) / sum(n) as mean_rate,
        cast(sum(x * t) as double) - cast(sum(n * t) as double) * sum(x) / sum(n) as sxy,
        cast(sum(n * t * t) as double) - cast(sum(n * t) as double) * sum(n * t) / sum(n) as sxx
    from window_year
    group by indicator_id
),

-- Cochran (1954) and Armitage (1955): the slope of a share over years, with the binomial variance of no trend.
sloped as (
    select
        *,
        span * sxy / sxx as change,
        span * sqrt(mean_rate * (1 - mean_rate) / sxx) as standard_error,
        case when mean_rate > 0 and mean_rate < 1 then {{ p_two_sided('sxy / sqrt(mean_rate * (1 - mean_rate) * sxx)') }} else 1e0 end as p_value
    from summed
    where year_n >= 3
),

ranked as (
    select *, row_number() over (order by p_value, indicator_id) as p_rank, count(*) over () as family_n
    from sloped
),

limited as (
    select
        *,
        change - {{ z_95() }} * standard_error as change_low,
        change + {{ z_95() }} * standard_error as change_high,
        change - {{ z_90() }} * standard_error as change_low_90,
        change + {{ z_90() }} * standard_error as change_high_90,
        {{ benjamini_hochberg('p_value', 'p_rank', 'family_n', '1') }} as q_value
    from ranked
)

select
    indicator_id,
    cast(first_year as bigint) as first_year,
    cast(latest_year as bigint) as latest_year,
    cast(year_n as bigint) as year_n,
    change,
    change_low,
    change_high,
    p_value,
    q_value,
    case
        when has_too_few then 'not_enough_evidence'
        else {{ change_verdict('change', 'change_low', 'change_high', 'q_value', 'change_low_90', 'change_high_90', 'practical_margin', 'direction') }}
    end as verdict,
    case
        when has_too_few then 'not_enough_evidence'
        else {{ plain_verdict('change', 'practical_margin', 'direction') }}
    end as plain_verdict
from limited
