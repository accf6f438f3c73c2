with source as (
    select * from {{ source('lake', 'benchmark_evidence') }}
)

select
    partner_id,
    benchmark_id,
    {{ known('status') }} as status,
    effective_date,
    expires_date,
    attested_by_role,
    {{ known('evidence_kind') }} as evidence_kind,
    evidence_reference,
    evidence_hash,
    note,
    delivery_id,
    delivery_seq,
    source_row
from source
