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

candidate as (
    select * from {{ ref('mart_gateway_candidate') }}
),

unmet_rules as (
    select
        gateway_id,
        {{ ordered_list("concat(rule_id, ': ', reason)", " ", "rule_order") }} as unmet
    from rule
    where status <> 'met'
    group by gateway_id
),

choices as (
    select
        rule_id,
        choose_among,
        -- Gaps are counted, not named: which of them are unchanged may be withheld in public.
        case
            when max(candidate_kind) = 'gap' then concat(cast(count(*) as string), ' gaps not reduced yet')
            else {{ ordered_list("candidate_id", ", ", "candidate_id") }}
        end as listed,
        count(*) as choice_n
    from candidate
    group by rule_id, choose_among
),

lacking as (
    select
        rule.gateway_id,
        rule.rule_id,
        rule.rule_order,
        rule.required_n - rule.met_n as lacking_n,
        coalesce(sum(choices.choice_n), 0) as candidate_n,
        max(choices.listed) as listed,
        {{ ordered_list("case when choices.choose_among <> 'all' then concat('one of ', choices.listed) end", " and ", "choices.choose_among") }} as one_each
    from rule
    left join choices on rule.rule_id = choices.rule_id
    where rule.status <> 'met'
    group by rule.gateway_id, rule.rule_id, rule.rule_order, rule.required_n, rule.met_n
),

told as (
    select
        gateway_id,
        rule_id,
        rule_order,
        candidate_n >= lacking_n as can_be_met,
        case
            when candidate_n = 0 then 'nothing that is there to count now would suffice'
            when candidate_n < lacking_n
                then concat('all of ', listed, ', and ', cast(lacking_n - candidate_n as string), ' more than there is to count now')
            when one_each is not null then one_each
            when candidate_n = lacking_n then concat('all of ', listed)
            else concat('any ', cast(lacking_n as string), ' of ', listed)
        end as change
    from lacking
),

smallest as (
    select
        gateway_id,
        {{ ordered_list("concat(rule_id, ': ', change)", "; ", "rule_order") }} as smallest_change
    from told
    group by gateway_id
),

by_rules as (
    select
        rule.gateway_id,
        count(*) as rule_n,
        count(*) filter (where rule.status = 'met') as rule_met_n,
        count(*) filter (where rule.status = 'not_met') as rule_not_met_n,
        case
            when max(case when not told.can_be_met then 1 else 0 end) = 0
                then cast(sum(case when rule.status = 'met' then 0 else rule.required_n - rule.met_n end) as bigint)
        end as missing_n
    from rule
    left join told on rule.rule_id = told.rule_id
    group by rule.gateway_id
),

-- What a gateway needs: itself and, by that reading, those before it; the ongoing proof point carries nothing.
needed as (
    select gateway.gateway_id, other.gateway_id as needed_id
    from gateway
    cross join community
    inner join gateway as other
        on
            gateway.gateway_id = other.gateway_id
            or (community.cumulative and other.gateway_order < gateway.gateway_order and other.is_state_of is null)
),

-- The same change may serve several requirements: it is counted once.
needed_change as (
    select distinct needed.gateway_id, candidate.candidate_kind, candidate.candidate_id, candidate.setting
    from needed
    inner join candidate on needed.needed_id = candidate.gateway_id and candidate.is_in_smallest_set
),

whole_set as (
    select
        gateway_id,
        count(*) as change_n,
        {{ ordered_list("setting", ", ", "setting") }} as settings
    from needed_change
    group by gateway_id
),

whole as (
    select
        needed.gateway_id,
        min(case when by_rules.missing_n is null then 0 else 1 end) = 1 as can_be_met,
        max(coalesce(whole_set.change_n, 0)) as change_n,
        max(whole_set.settings) as settings
    from needed
    inner join by_rules on needed.needed_id = by_rules.gateway_id
    left join whole_set on needed.gateway_id = whole_set.gateway_id
    group by needed.gateway_id
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
        case when whole.can_be_met then cast(whole.change_n as bigint) end as missing_with_earlier_n,
        case when whole.can_be_met then whole.settings end as smallest_set,
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
    inner join whole on gateway.gateway_id = whole.gateway_id
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
    missing_with_earlier_n,
    missing_benchmarks,
    smallest_change,
    smallest_set,
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
