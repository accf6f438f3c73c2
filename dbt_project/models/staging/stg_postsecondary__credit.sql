with source as (
    select * from {{ source('lake', 'postsecondary_credit') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.college_id') }} as organization_key,
    source.race_codes,
    {{ yes_no('source.hispanic_ethnicity') }} as is_hispanic,
    {{ known('source.gender') }} as gender,
    source.college_id,
    source.term_begin_date,
    source.credits_attempted,
    source.credits_earned,
    {{ yes_no('source.pell_recipient') }} as is_pell_recipient,
    source.birth_year,
    source.zip_code,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
