-- What: a person has one primary household in every school year with a household.
-- When: fails if none or several are chosen, so that a person would be missing or counted twice by household.
-- How to look: list the person's rows of the year with partner_n.
select person_key, school_year
from {{ ref('brg_household_person') }}
group by person_key, school_year
having count(case when is_primary then 1 end) <> 1
