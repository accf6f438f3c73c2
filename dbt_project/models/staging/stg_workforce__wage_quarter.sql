with source as (
    select * from {{ source('lake', 'workforce_wage_quarter') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.employer_id') }} as employer_key,
    source.employer_id,
    source.naics_code,
    source.year,
    source.quarter,
    source.wages,
    source.county_fips,
    source.birth_year,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
