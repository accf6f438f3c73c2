with source as (
    select * from {{ source('lake', 'early_childhood_enrollment') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.site_id') }} as organization_key,
    source.race_codes,
    {{ yes_no('source.hispanic_ethnicity') }} as is_hispanic,
    {{ known('source.gender') }} as gender,
    source.school_year,
    source.site_id,
    source.site_name,
    source.program_type,
    source.entry_date,
    source.exit_date,
    source.days_attended,
    source.days_enrolled,
    {{ yes_no('source.economic_disadvantage') }} as is_economically_disadvantaged,
    {{ yes_no('source.english_learner') }} as is_english_learner,
    {{ yes_no('source.disability') }} as has_disability,
    source.birth_year,
    source.zip_code,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
