with source as (
    select * from {{ source('lake', 'k12_course') }}
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
    source.term,
    source.course_id,
    source.course_title,
    source.course_subject,
    source.course_level,
    source.sced_code,
    {{ yes_no('source.is_algebra_1_or_higher') }} as is_algebra_1_or_higher,
    source.credits_attempted,
    source.credits_earned,
    source.final_mark,
    {{ yes_no('source.is_passed') }} as is_passed,
    source.source_person_key,
    source.delivery_id,
    source.delivery_seq,
    source.source_row
from source
left join crosswalk on source.source_person_key = crosswalk.source_person_key
