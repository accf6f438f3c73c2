with source as (
    select * from {{ source('lake', 'postsecondary_enrollment') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.college_id') }} as organization_key,
    {{ yes_no('source.record_found') }} as is_record_found,
    source.search_date,
    source.college_id,
    source.college_name,
    source.college_state,
    {{ known('source.institution_level') }} as institution_level,
    {{ known('source.institution_control') }} as institution_control,
    source.begin_date,
    source.end_date,
    {{ known('source.enrollment_intensity') }} as enrollment_intensity,
    {{ yes_no('source.pell_recipient') }} as is_pell_recipient,
    source.race_codes,
    {{ yes_no('source.hispanic_ethnicity') }} as is_hispanic,
    {{ known('source.gender') }} as gender,
    source.birth_year,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
