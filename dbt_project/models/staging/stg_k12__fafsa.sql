with source as (
    select * from {{ source('lake', 'k12_fafsa') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.school_id') }} as organization_key,
    source.school_year,
    source.school_id,
    source.fafsa_status,
    source.status_date,
    source.birth_year,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
