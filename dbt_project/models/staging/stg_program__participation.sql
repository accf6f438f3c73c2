with source as (
    select * from {{ source('lake', 'program_participation') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.program_id') }} as organization_key,
    source.race_codes,
    {{ yes_no('source.hispanic_ethnicity') }} as is_hispanic,
    {{ known('source.gender') }} as gender,
    source.school_year,
    source.program_id,
    source.program_name,
    source.program_type,
    source.start_date,
    source.end_date,
    source.sessions_offered,
    source.sessions_attended,
    {{ yes_no('source.is_eligible') }} as is_eligible,
    source.birth_year,
    source.zip_code,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
