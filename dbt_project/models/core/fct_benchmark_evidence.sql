with evidence as (
    select * from {{ ref('stg_benchmark__evidence') }}
)

select
    benchmark_id,
    status,
    effective_date,
    expires_date,
    attested_by_role,
    evidence_kind,
    evidence_reference,
    evidence_hash,
    note,
    partner_id,
    delivery_seq,
    source_row
from evidence
