{{ config(materialized='table') }}

with crosswalk as (
    select * from {{ source('lake', 'crosswalk') }}
)

-- A source person may stand once for each partner that shares its issuer; linkage gives all of them one person.
select
    source_person_key,
    max(person_key) as person_key,
    max(link_confidence) as link_confidence,
    max(link_stage) as link_stage
from crosswalk
where source_person_key is not null
group by source_person_key
