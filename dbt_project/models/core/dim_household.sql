select
    household_key,
    min(school_year) as first_school_year,
    max(school_year) as last_school_year,
    count(distinct person_key) as person_n
from {{ ref('int_household__person_year') }}
group by household_key
