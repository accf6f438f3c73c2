with community as (
    select * from {{ source('config', 'community') }}
),

gateway as (
    select * from {{ ref('gateway') }}
),

rule as (
    select * from {{ ref('mart_gateway_rule') }}
),

benchmark as (
    select * from {{ ref('mart_gateway_benchmark') }}
),

by_rules as (
    select
        gateway_id,
        count(*) as rule_n,
        count(*) filter (where status = 'met') as rule_met_n,
        count(*) filter (where status = 'not_met') as rule_not_met_n,
        cast(sum(case when status = 'met' then 0 else required_n - met_n end) as bigint) as missing_n
    from rule
    group by gateway_id
),

unmet_rules as (
    select
        gateway_id,
        {{ ordered_list("concat(rule_id, ': ', reason)", " ", "rule_order") }} as unmet
    from rule
    where status <> 'met'
    group by gateway_id
),

candidates as (
    select
        rule_id,
        -- Gaps are counted, not named: which of them are unchanged may be withheld in public.
        case
            when max(candidate_kind) = 'gap' then concat(cast(count(*) as string), ' gaps not reduced yet')
            else {{ ordered_list("candidate_id", ", ", "candidate_id") }}
        end as listed,
        count(*) as candidate_n
    from {{ ref('mart_gateway_candidate') }}
    group by rule_id
),

smallest as (
    select
        rule.gateway_id,
        {{ ordered_list("concat(rule.rule_id, ': ', case when candidates.candidate_n is null then concat(cast(rule.required_n - rule.met_n as string), ' more than there is to count now') when candidates.candidate_n <= rule.required_n - rule.met_n then concat('all of ', candidates.listed) else concat('any ', cast(rule.required_n - rule.met_n as string), ' of ', candidates.listed) end)", "; ", "rule.rule_order") }} as smallest_change
    from rule
    left join candidates on rule.rule_id = candidates.rule_id
    where rule.status <> 'met'
    group by rule.gateway_id
),

unmet_benchmarks as (
    select
        gateway_id,
        {{ ordered_list("benchmark_id", ", ", "benchmark_id") }} as missing_benchmarks,
        max(attested_since) as latest_attestation
    from benchmark
    where status <> 'met'
    group by gateway_id
),

met_since as (
    select gateway_id, max(attested_since) as since_date
    from benchmark
    where status = 'met'
    group by gateway_id
),

own as (
    select
        gateway.gateway_id,
        gateway.gateway_order,
        gateway.gateway_title,
        gateway.is_state_of,
        by_rules.rule_n,
        by_rules.rule_met_n,
        by_rules.missing_n,
        unmet_rules.unmet,
        unmet_benchmarks.missing_benchmarks,
        smallest.smallest_change,
        met_since.since_date,
        case
            when by_rules.rule_met_n = by_rules.rule_n then 'met'
            when by_rules.rule_not_met_n > 0 then 'not_met'
            else 'cannot_tell'
        end as own_status
    from gateway
    inner join by_rules on gateway.gateway_id = by_rules.gateway_id
    left join unmet_rules on gateway.gateway_id = unmet_rules.gateway_id
    left join unmet_benchmarks on gateway.gateway_id = unmet_benchmarks.gateway_id
    left join smallest on gateway.gateway_id = smallest.gateway_id
    left join met_since on gateway.gateway_id = met_since.gateway_id
),

-- A gateway stands on those before it; the ongoing proof point is a state, not a step, and carries nothing.
with_earlier as (
    select
        own.*,
        community.cumulative,
        (
            select {{ ordered_list("earlier.gateway_title", ", ", "earlier.gateway_order") }}
            from own as earlier
            where earlier.gateway_order < own.gateway_order and earlier.is_state_of is null and earlier.own_status <> 'met'
        ) as earlier_unmet,
        (
            select max(case when earlier.own_status = 'not_met' then 1 else 0 end)
            from own as earlier
            where earlier.gateway_order < own.gateway_order and earlier.is_state_of is null
        ) as earlier_not_met
    from own
    cross join community
)

select
    gateway_id,
    gateway_order,
    gateway_title,
    is_state_of,
    own_status,
    case
        when not cumulative or earlier_unmet is null then own_status
        when own_status = 'not_met' or earlier_not_met = 1 then 'not_met'
        else 'cannot_tell'
    end as status,
    case when own_status = 'met' then since_date end as since_date,
    rule_n,
    rule_met_n,
    missing_n,
    missing_benchmarks,
    smallest_change,
    case
        when own_status = 'met' and (not cumulative or earlier_unmet is null) then 'All requirements are met.'
        else concat_ws(
            ' ',
            unmet,
            case when missing_benchmarks is not null and own_status <> 'met' then concat('Missing: ', missing_benchmarks, '.') end,
            case when cumulative and earlier_unmet is not null then concat('Earlier gateways first: ', earlier_unmet, '.') end
        )
    end as reason
from with_earlier
