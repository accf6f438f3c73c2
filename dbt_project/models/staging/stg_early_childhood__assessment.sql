with source as (
    select * from {{ source('lake', 'early_childhood_assessment') }}
),

crosswalk as (
    select * from {{ ref('stg_person__crosswalk') }}
)

select
    crosswalk.person_key,
    source.partner_id,
    {{ organization_key('source.partner_id', 'source.organization_id') }} as organization_key,
    source.race_codes,
    {{ yes_no('source.hispanic_ethnicity') }} as is_hispanic,
    {{ known('source.gender') }} as gender,
    source.school_year,
    source.organization_id,
    source.instrument_id,
    source.season,
    {{ known('source.grade_level') }} as grade_level,
    source.test_date,
    source.score,
    source.performance_level_code,
    {{ yes_no('source.is_complete') }} as is_complete,
    source.birth_year,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
