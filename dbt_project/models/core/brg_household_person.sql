select
    household_key,
    person_key,
    school_year,
    cast(partner_n as bigint) as partner_n,
    is_primary
from {{ ref('int_household__person_year') }}
