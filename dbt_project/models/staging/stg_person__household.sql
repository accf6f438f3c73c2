select
    source_person_key,
    delivery_id,
    household_key
from {{ source('lake', 'household') }}
