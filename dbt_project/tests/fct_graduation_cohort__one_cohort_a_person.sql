-- What: a person belongs to one graduation cohort, whatever the length.
-- When: fails if grade 9 is settled differently for the four-, five- and six-year rate.
-- How to look: list the person's rows and how grade 9 is known (grade_9_basis).
select
    person_key,
    count(distinct cohort_year) as cohort_n
from {{ ref('fct_graduation_cohort') }}
group by person_key
having count(distinct cohort_year) > 1
