with community as (
    select * from {{ source('config', 'community') }}
),

choice as (
    select * from {{ source('config', 'indicator_choice') }}
),

outcome as (
    select * from {{ ref('outcome') }}
),

trend as (
    select * from {{ ref('mart_indicator_trend') }}
),

slope as (
    select * from {{ ref('mart_gateway_slope') }}
),

judged as (
    select
        outcome.outcome_id,
        choice.indicator_id,
        coalesce(choice.role, 'core') = 'core' as is_headline,
        trend.baseline_year,
        trend.latest_year,
        case
            when community.comparison = 'trend' then trend.latest_year - community.trend_years + 1
            else trend.previous_year
        end as first_year,
        trend.baseline_rate,
        trend.latest_rate,
        -- A total of fewer people than may be published says nothing here either.
        coalesce(
            case
                when community.comparison = 'trend' and community.trend_reading = 'plain' then slope.plain_verdict
                when community.comparison = 'trend' then slope.verdict
                when least(trend.latest_denominator_n, trend.baseline_denominator_n) < community.minimum_n then 'not_enough_evidence'
                when community.comparison = 'previous' and community.trend_reading = 'plain' then trend.plain_vs_previous
                when community.comparison = 'previous' then trend.verdict_vs_previous
                when community.trend_reading = 'plain' then trend.plain_vs_baseline
                else trend.verdict_vs_baseline
            end,
            'not_measured'
        ) as verdict,
        coalesce(
            case when community.trend_reading = 'plain' then trend.plain_vs_previous else trend.verdict_vs_previous end,
            'not_measured'
        ) as last_step
    from outcome
    cross join community
    left join choice on outcome.outcome_id = choice.outcome_id and choice.role in ('core', 'core_further')
    left join trend
        on choice.indicator_id = trend.indicator_id
        and trend.organization_key = 'all'
        and trend.geography_id = community.geography_id
        and trend.race_scheme = 'federal7'
        and trend.race_group = 'all'
        and trend.gender_group = 'all'
        and trend.economic_group = 'all'
    left join slope on choice.indicator_id = slope.indicator_id
)

select
    outcome_id,
    indicator_id,
    is_headline,
    baseline_year,
    latest_year,
    cast(first_year as bigint) as first_year,
    baseline_rate,
    latest_rate,
    verdict,
    last_step,
    verdict in ('improved', 'maintained') as is_maintained_or_improved,
    verdict = 'improved' and last_step <> 'declined' as is_improving,
    verdict not in ('improved', 'maintained', 'declined') as is_unknown
from judged
