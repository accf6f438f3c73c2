with reported as (
    select * from {{ ref('int_person__attribute_reported') }}
)

select
    person_key,
    feed_id,
    partner_id,
    cast(reported_year as bigint) as reported_year,
    race_codes,
    is_hispanic,
    gender,
    birth_year,
    row_n
from reported
