with community as (
    select * from {{ source('config', 'community') }}
),

framework as (
    select framework.*
    from {{ ref('framework_rule') }} as framework
    inner join community on framework.edition_id = community.edition
),

unmet as (
    select
        framework.rule_id,
        framework.gateway_id,
        framework.measure,
        judged.required_n - judged.met_n as lacking_n,
        judged.is_designated
    from {{ ref('mart_gateway_rule') }} as judged
    inner join framework on judged.rule_id = framework.rule_id
    where judged.status <> 'met'
),

benchmark as (
    select
        *,
        max(case when status = 'met' then 1 else 0 end) over (partition by gateway_id, pillar_id) as has_met_in_pillar,
        row_number() over (
            partition by gateway_id, pillar_id, status = 'met' order by benchmark_id
        ) as order_in_pillar
    from {{ ref('mart_gateway_benchmark') }}
),

-- What counts for several requirements at once comes first in all of them, so that their sets share it: the first
-- benchmark of a pillar that has none, and the outcomes that are not even maintained.
open_benchmark as (
    select
        benchmark.*,
        case
            when benchmark.gateway_id = 'systems_change' and benchmark.has_met_in_pillar = 0 and benchmark.order_in_pillar = 1 then 1
            else 2
        end as place,
        concat(
            'benchmark:', benchmark.benchmark_id, '=met',
            case
                when community.stricter_evidence_counts and benchmark.measured_status <> 'met' then concat(', measured:', benchmark.measured_by, '=met')
                else ''
            end
        ) as setting,
        community.pillar_reading
    from benchmark
    cross join community
    where benchmark.status <> 'met'
),

outcome_verdict as (
    select * from {{ ref('mart_gateway_outcome') }}
),

gap as (
    select
        gap_unit,
        min(concat_ws(', ', indicator_id, dimension, group_value)) as title,
        max(verdict) as verdict
    from {{ ref('mart_gateway_gap') }}
    where was_adverse_at_baseline
    group by gap_unit
    having max(case when counts_as_reduced then 1 else 0 end) = 0
),

adjacent as (
    select measure_id, max(verdict) as verdict
    from {{ ref('mart_gateway_adjacent') }}
    group by measure_id
),

candidate as (
    select
        unmet.*,
        'benchmark' as candidate_kind,
        open_benchmark.benchmark_id as candidate_id,
        open_benchmark.title,
        open_benchmark.reason as present_state,
        open_benchmark.setting,
        case when unmet.measure = 'benchmark_pillars' and open_benchmark.pillar_reading = 'each_pillar' then open_benchmark.pillar_id else 'all' end as choose_among,
        open_benchmark.place
    from unmet
    inner join open_benchmark
        on
            (unmet.measure = 'benchmark_share' and unmet.gateway_id = open_benchmark.gateway_id)
            or (unmet.measure = 'further_examples' and unmet.is_designated and open_benchmark.gateway_id = 'systems_change')
            or (
                unmet.measure = 'benchmark_pillars'
                and open_benchmark.gateway_id = 'systems_change'
                -- With one benchmark asked of each pillar, another one of a pillar that has one brings nothing.
                and (open_benchmark.pillar_reading = 'any_four' or open_benchmark.has_met_in_pillar = 0)
            )
    union all
    select
        unmet.*,
        'benchmark' as candidate_kind,
        'SYC-EXAMPLE' as candidate_id,
        'A further documented example of systems change' as title,
        'None documented that would suffice.' as present_state,
        'benchmark:SYC-EXAMPLE=met' as setting,
        'all' as choose_among,
        3 as place
    from unmet
    where unmet.measure = 'further_examples' and unmet.is_designated
    union all
    select
        unmet.*,
        'outcome' as candidate_kind,
        outcome_verdict.outcome_id as candidate_id,
        coalesce(outcome_verdict.indicator_id, outcome_verdict.outcome_id) as title,
        outcome_verdict.verdict as present_state,
        concat('outcome:', outcome_verdict.outcome_id, '=improved') as setting,
        'all' as choose_among,
        case when outcome_verdict.is_maintained_or_improved then 2 else 1 end as place
    from unmet
    inner join outcome_verdict
        on
            (unmet.measure = 'outcomes_held' and not outcome_verdict.is_maintained_or_improved)
            or (unmet.measure = 'outcomes_improving' and not outcome_verdict.is_improving)
    union all
    select
        unmet.*,
        'gap' as candidate_kind,
        gap.gap_unit as candidate_id,
        gap.title,
        gap.verdict as present_state,
        concat('gap:', gap.gap_unit, '=reduced') as setting,
        'all' as choose_among,
        1 as place
    from unmet
    inner join gap on unmet.measure in ('gaps_ongoing', 'gaps_transformation')
    union all
    select
        unmet.*,
        'adjacent' as candidate_kind,
        adjacent.measure_id as candidate_id,
        adjacent.measure_id as title,
        adjacent.verdict as present_state,
        concat('adjacent:', adjacent.measure_id, '=improved') as setting,
        'all' as choose_among,
        1 as place
    from unmet
    inner join adjacent on unmet.measure = 'adjacent_improving'
),

ranked as (
    select
        *,
        row_number() over (partition by rule_id order by place, candidate_id) as choice_order,
        count(*) over (partition by rule_id) as candidate_n
    from candidate
)

select
    rule_id,
    gateway_id,
    candidate_kind,
    candidate_id,
    title,
    present_state,
    choose_among,
    setting,
    candidate_n >= lacking_n and choice_order <= lacking_n as is_in_smallest_set
from ranked
