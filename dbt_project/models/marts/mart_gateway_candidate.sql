with community as (
    select * from {{ source('config', 'community') }}
),

framework as (
    select * from {{ ref('framework_rule') }}
),

unmet as (
    select framework.rule_id, framework.gateway_id, framework.measure
    from {{ ref('mart_gateway_rule') }} as judged
    inner join framework on judged.rule_id = framework.rule_id
    where judged.status <> 'met'
),

benchmark as (
    select * from {{ ref('mart_gateway_benchmark') }}
),

outcome_verdict as (
    select * from {{ ref('mart_gateway_outcome') }}
),

gap as (
    select * from {{ ref('mart_gateway_gap') }}
),

adjacent as (
    select * from {{ ref('mart_gateway_adjacent') }}
),

pillar_met as (
    select pillar_id, max(case when status = 'met' then 1 else 0 end) as has_met
    from benchmark
    where gateway_id = 'systems_change'
    group by pillar_id
),

benchmarks as (
    select unmet.rule_id, unmet.gateway_id, benchmark.benchmark_id, benchmark.title, benchmark.reason
    from unmet
    inner join benchmark
        on unmet.measure = 'benchmark_share' and unmet.gateway_id = benchmark.gateway_id and benchmark.status <> 'met'
    union all
    -- With one benchmark asked of each pillar, another one of a pillar that has one brings nothing.
    select unmet.rule_id, unmet.gateway_id, benchmark.benchmark_id, benchmark.title, benchmark.reason
    from unmet
    cross join community
    inner join benchmark
        on
            unmet.measure in ('benchmark_pillars', 'further_examples')
            and benchmark.gateway_id = 'systems_change'
            and benchmark.status <> 'met'
    inner join pillar_met on benchmark.pillar_id = pillar_met.pillar_id
    where
        unmet.measure = 'further_examples'
        or community.pillar_reading = 'any_four'
        or pillar_met.has_met = 0
),

gaps as (
    select
        gap_unit,
        min(concat_ws(', ', indicator_id, dimension, group_value)) as title,
        max(verdict) as verdict,
        max(case when counts_as_reduced then 1 else 0 end) as is_reduced
    from gap
    where was_adverse_at_baseline
    group by gap_unit
)

select
    rule_id,
    gateway_id,
    'benchmark' as candidate_kind,
    benchmark_id as candidate_id,
    title,
    reason as present_state
from benchmarks
union all
select
    unmet.rule_id,
    unmet.gateway_id,
    'outcome' as candidate_kind,
    outcome_verdict.outcome_id as candidate_id,
    coalesce(outcome_verdict.indicator_id, outcome_verdict.outcome_id) as title,
    outcome_verdict.verdict as present_state
from unmet
inner join outcome_verdict
    on
        (unmet.measure = 'outcomes_held' and not outcome_verdict.is_maintained_or_improved)
        or (unmet.measure = 'outcomes_improving' and not outcome_verdict.is_improving)
union all
select
    unmet.rule_id,
    unmet.gateway_id,
    'gap' as candidate_kind,
    gaps.gap_unit as candidate_id,
    gaps.title,
    gaps.verdict as present_state
from unmet
inner join gaps on unmet.measure in ('gaps_ongoing', 'gaps_transformation') and gaps.is_reduced = 0
union all
select
    unmet.rule_id,
    unmet.gateway_id,
    'adjacent' as candidate_kind,
    adjacent.measure_id as candidate_id,
    adjacent.measure_id as title,
    adjacent.verdict as present_state
from unmet
inner join adjacent on unmet.measure = 'adjacent_improving' and adjacent.verdict <> 'improved'
