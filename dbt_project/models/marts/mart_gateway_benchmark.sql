with community as (
    select * from {{ source('config', 'community') }}
),

benchmark as (
    select benchmark.*
    from {{ ref('framework_benchmark') }} as benchmark
    inner join community on benchmark.edition_id = community.edition
),

evidence as (
    select * from {{ ref('fct_benchmark_evidence') }}
),

measurement as (
    select * from {{ ref('mart_gateway_measurement') }}
),

-- The statement in force at the present date: of several, the one that took effect last.
in_force as (
    select
        evidence.*,
        community.as_of_date,
        row_number() over (
            partition by evidence.benchmark_id
            order by evidence.effective_date desc, evidence.delivery_seq desc, evidence.source_row desc
        ) as recency
    from evidence
    cross join community
    where evidence.effective_date <= community.as_of_date
),

attested as (
    select
        benchmark_id,
        case when expires_date < as_of_date then 'lapsed' else status end as attested_status,
        effective_date as attested_since,
        expires_date as attested_until,
        attested_by_role,
        evidence_kind,
        evidence_reference,
        note
    from in_force
    where recency = 1
),

joined as (
    select
        benchmark.benchmark_id,
        benchmark.gateway as gateway_id,
        benchmark.pillar as pillar_id,
        benchmark.title,
        benchmark.statement,
        benchmark.evidence,
        benchmark.measured_by,
        benchmark.benchmark_id like '%-INV-%'
        and benchmark.gateway in ('exploring', 'emerging', 'sustaining') as is_secondary,
        coalesce(attested.attested_status, 'not_started') as attested_status,
        attested.attested_since,
        attested.attested_until,
        attested.attested_by_role,
        attested.evidence_kind,
        attested.evidence_reference,
        attested.note,
        case when benchmark.evidence = 'both' then coalesce(measurement.status, 'cannot_tell') end as measured_status,
        measurement.detail as measured_detail,
        community.stricter_evidence_counts,
        community.include_secondary_benchmarks
    from benchmark
    left join attested on benchmark.benchmark_id = attested.benchmark_id
    left join measurement on benchmark.measured_by = measurement.measured_by
    cross join community
),

judged as (
    select
        *,
        case
            when measured_status is null then case when attested_status = 'met' then 'met' else 'not_met' end
            when stricter_evidence_counts and attested_status <> 'met' then 'not_met'
            when stricter_evidence_counts then measured_status
            when attested_status = 'met' or measured_status = 'met' then 'met'
            else measured_status
        end as status,
        measured_status is not null
        and measured_status <> 'cannot_tell'
        and (measured_status = 'met') <> (attested_status = 'met') as is_disagreement
    from joined
    where include_secondary_benchmarks or not is_secondary
)

select
    benchmark_id,
    gateway_id,
    pillar_id,
    title,
    statement,
    evidence,
    measured_by,
    is_secondary,
    attested_status,
    attested_since,
    attested_until,
    attested_by_role,
    evidence_kind,
    evidence_reference,
    note,
    measured_status,
    measured_detail,
    status,
    is_disagreement,
    case
        when status = 'met' then 'Met.'
        when attested_status = 'lapsed' then 'The attestation has expired.'
        when attested_status <> 'met' then concat('Attested as ', replace(attested_status, '_', ' '), '.')
        else coalesce(measured_detail, 'The measurement says otherwise.')
    end as reason
from judged
