with community as (
    select * from {{ source('config', 'community') }}
),

indicator as (
    select
        core.*,
        community.outcome_reading,
        case when community.core_count_unit = 'indicator' then core.indicator_id end as own_unit
    from {{ ref('mart_gateway_core_indicator') }} as core
    cross join community
    where core.is_headline or community.outcome_reading <> 'headline' or community.core_count_unit = 'indicator'
),

counted as (
    select
        outcome_id,
        coalesce(own_unit, max(case when is_headline then indicator_id end)) as indicator_id,
        -- How many indicators of the outcome must do so for the outcome to do so.
        case max(outcome_reading)
            when 'all' then count(*)
            when 'most' then floor(count(*) / 2) + 1
            else 1
        end as needed_n,
        count(*) as indicator_n,
        count(*) filter (where is_maintained_or_improved) as held_n,
        count(*) filter (where verdict = 'improved') as improved_n,
        count(*) filter (where is_improving) as improving_n,
        count(*) filter (where is_unknown) as unknown_n,
        max(case when is_headline or own_unit is not null then verdict end) as own_verdict,
        max(case when is_headline or own_unit is not null then last_step end) as own_last_step,
        max(case when is_headline or own_unit is not null then baseline_year end) as baseline_year,
        max(case when is_headline or own_unit is not null then latest_year end) as latest_year,
        max(case when is_headline or own_unit is not null then first_year end) as first_year,
        max(case when is_headline or own_unit is not null then baseline_rate end) as baseline_rate,
        max(case when is_headline or own_unit is not null then latest_rate end) as latest_rate
    from indicator
    group by outcome_id, own_unit
),

-- The verdict of several indicators is the best that as many of them as are needed reach together.
judged as (
    select
        *,
        case
            when indicator_n = 1 then own_verdict
            when improved_n >= needed_n then 'improved'
            when held_n >= needed_n then 'maintained'
            when held_n + unknown_n >= needed_n then 'not_enough_evidence'
            else 'declined'
        end as verdict,
        case
            when indicator_n = 1 then own_last_step
            when improving_n >= needed_n then 'maintained'
            else own_last_step
        end as last_step
    from counted
)

select
    outcome_id,
    indicator_id,
    cast(indicator_n as bigint) as indicator_n,
    baseline_year,
    latest_year,
    first_year,
    baseline_rate,
    latest_rate,
    verdict,
    last_step,
    verdict in ('improved', 'maintained') as is_maintained_or_improved,
    verdict = 'improved' and improving_n >= needed_n as is_improving,
    verdict not in ('improved', 'maintained', 'declined') as is_unknown
from judged
