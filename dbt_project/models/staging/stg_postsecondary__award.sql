with source as (
    select * from {{ source('lake', 'postsecondary_award') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.college_id') }} as organization_key,
    source.college_id,
    source.college_name,
    {{ known('source.institution_level') }} as institution_level,
    source.award_date,
    source.award_level,
    source.award_title,
    source.cip_code,
    source.birth_year,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
