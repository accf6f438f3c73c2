with community as (
    select * from {{ source('config', 'community') }}
),

rule as (
    select rule.*
    from {{ ref('framework_rule') }} as rule
    inner join community on rule.edition_id = community.edition
),

benchmark as (
    select * from {{ ref('mart_gateway_benchmark') }}
),

evidence as (
    select * from {{ ref('fct_benchmark_evidence') }}
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

-- Gateways judged by benchmarks alone, and the benchmark part of the sixth: a share of all.
benchmark_share as (
    select
        benchmark.gateway_id as subject,
        cast(ceil(max(community.benchmarks_required) * count(*)) as integer) as required_n,
        count(*) filter (where benchmark.status = 'met') as met_n,
        count(*) filter (where benchmark.status = 'cannot_tell') as cannot_tell_n
    from benchmark
    cross join community
    group by benchmark.gateway_id
),

systems_change_pillar as (
    select
        pillar_id,
        max(case when status = 'met' then 1 else 0 end) as has_met,
        max(case when status = 'cannot_tell' then 1 else 0 end) as has_unknown
    from benchmark
    where gateway_id = 'systems_change'
    group by pillar_id
),

systems_change_pillars as (
    select
        'each_pillar' as reading,
        4 as required_n,
        sum(has_met) as met_n,
        count(*) filter (where has_met = 0 and has_unknown = 1) as cannot_tell_n
    from systems_change_pillar
),

systems_change_any as (
    select
        'any_four' as reading,
        4 as required_n,
        met_n,
        cannot_tell_n
    from benchmark_share
    where subject = 'systems_change'
),

-- What the backbone states beside the benchmarks: the designation as proof point, and further examples one by one.
stated as (
    select evidence.benchmark_id, evidence.effective_date, evidence.partner_id
    from evidence
    cross join community
    where evidence.status = 'met' and evidence.effective_date <= community.as_of_date
),

designation as (
    select min(effective_date) as designated_on
    from stated
    where benchmark_id = 'PRF-DESIGNATION'
),

met_at_designation as (
    select count(distinct stated.benchmark_id) as met_n
    from stated
    cross join designation
    inner join benchmark on stated.benchmark_id = benchmark.benchmark_id and benchmark.gateway_id = 'systems_change'
    where stated.effective_date <= designation.designated_on
),

example as (
    select
        count(distinct concat(coalesce(stated.partner_id, ''), cast(stated.effective_date as string))) as documented_n,
        count(
            distinct case
                when stated.effective_date <= designation.designated_on
                    then concat(coalesce(stated.partner_id, ''), cast(stated.effective_date as string))
            end
        ) as at_designation_n
    from stated
    cross join designation
    where stated.benchmark_id = 'SYC-EXAMPLE'
),

further_examples as (
    select
        'further_examples' as subject,
        designation.designated_on is not null as is_designated,
        case when designation.designated_on is null then 1 else met_at_designation.met_n + example.at_designation_n + 1 end as required_n,
        case when designation.designated_on is null then 0 else systems_change_any.met_n + example.documented_n end as met_n,
        case when designation.designated_on is null then 0 else systems_change_any.cannot_tell_n end as cannot_tell_n
    from systems_change_any
    cross join designation
    cross join met_at_designation
    cross join example
),

outcomes as (
    select
        max(community.outcomes_required) as required_n,
        count(*) filter (where outcome_verdict.is_maintained_or_improved) as held_n,
        count(*) filter (where outcome_verdict.is_improving) as improving_n,
        count(*) filter (where outcome_verdict.is_unknown) as cannot_tell_n
    from outcome_verdict
    cross join community
),

gaps as (
    select
        max(community.gaps_required_ongoing) as required_ongoing_n,
        max(community.gaps_required_transformation) as required_transformation_n,
        count(distinct case when gap.counts_as_reduced then gap.gap_unit end) as reduced_n,
        count(distinct case when gap.is_unknown then gap.gap_unit end) as cannot_tell_n
    from community
    left join gap on 1 = 1
),

adjacents as (
    select
        1 as required_n,
        count(*) filter (where verdict = 'improved') as improving_n,
        count(*) filter (where verdict in ('not_enough_evidence', 'not_measured', 'no_comparable_period')) as cannot_tell_n
    from adjacent
),

counted as (
    select rule.rule_id, b.required_n, b.met_n, b.cannot_tell_n
    from rule
    inner join benchmark_share as b on rule.measure = 'benchmark_share' and rule.gateway_id = b.subject
    union all
    select rule.rule_id, p.required_n, p.met_n, p.cannot_tell_n
    from rule
    cross join community
    inner join (select * from systems_change_pillars union all select * from systems_change_any) as p
        on rule.measure = 'benchmark_pillars' and community.pillar_reading = p.reading
    union all
    select rule.rule_id, f.required_n, f.met_n, f.cannot_tell_n
    from rule inner join further_examples as f on rule.measure = f.subject
    union all
    select rule.rule_id, o.required_n, case when rule.measure = 'outcomes_improving' then o.improving_n else o.held_n end, o.cannot_tell_n
    from rule inner join outcomes as o on rule.measure in ('outcomes_held', 'outcomes_improving')
    union all
    select
        rule.rule_id,
        case when rule.measure = 'gaps_ongoing' then g.required_ongoing_n else g.required_transformation_n end,
        g.reduced_n,
        g.cannot_tell_n
    from rule inner join gaps as g on rule.measure in ('gaps_ongoing', 'gaps_transformation')
    union all
    select rule.rule_id, a.required_n, a.improving_n, a.cannot_tell_n
    from rule inner join adjacents as a on rule.measure = 'adjacent_improving'
),

judged as (
    select
        rule.rule_id,
        rule.gateway_id,
        rule.rule_order,
        rule.title,
        rule.requirement,
        rule.unit_label,
        cast(counted.required_n as bigint) as required_n,
        cast(counted.met_n as bigint) as met_n,
        cast(counted.cannot_tell_n as bigint) as cannot_tell_n,
        rule.measure <> 'further_examples' or further_examples.is_designated as is_designated,
        case
            when counted.met_n >= counted.required_n then 'met'
            when counted.met_n + counted.cannot_tell_n >= counted.required_n then 'cannot_tell'
            else 'not_met'
        end as status
    from rule
    inner join counted on rule.rule_id = counted.rule_id
    cross join further_examples
)

select
    rule_id,
    gateway_id,
    rule_order,
    title,
    requirement,
    required_n,
    met_n,
    cannot_tell_n,
    is_designated,
    status,
    case
        when not is_designated then 'Not designated as proof point yet (evidence PRF-DESIGNATION); what comes after counts.'
        when status = 'met' then concat(cast(met_n as string), ' of the ', cast(required_n as string), ' required ', unit_label, '.')
        when status = 'cannot_tell'
            then concat(
                'Only ', cast(met_n as string), ' of the ', cast(required_n as string), ' required ', unit_label,
                ' is certain; ', cast(cannot_tell_n as string), ' cannot be told from the data.'
            )
        else concat(
            cast(met_n as string), ' of the ', cast(required_n as string), ' required ', unit_label, '; ',
            cast(required_n - met_n as string), ' more needed.'
        )
    end as reason
from judged
