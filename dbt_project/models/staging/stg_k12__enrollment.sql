with source as (
    select * from {{ source('lake', 'k12_enrollment') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.school_id') }} as organization_key,
    {{ organization_key('source.partner_id', 'source.district_id') }} as district_key,
    source.race_codes,
    {{ yes_no('source.hispanic_ethnicity') }} as is_hispanic,
    {{ known('source.gender') }} as gender,
    source.school_year,
    source.district_id,
    source.school_id,
    source.school_name,
    {{ known('source.grade_level') }} as grade_level,
    source.entry_date,
    {{ known('source.entry_type') }} as entry_type,
    source.exit_date,
    {{ known('source.exit_type') }} as exit_type,
    {{ yes_no('source.economic_disadvantage') }} as is_economically_disadvantaged,
    {{ known('source.lunch_eligibility') }} as lunch_eligibility,
    {{ yes_no('source.direct_certification') }} as is_directly_certified,
    {{ yes_no('source.english_learner') }} as is_english_learner,
    {{ yes_no('source.disability') }} as has_disability,
    {{ yes_no('source.homeless') }} as is_homeless,
    source.first_grade9_year,
    source.birth_year,
    source.zip_code,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
