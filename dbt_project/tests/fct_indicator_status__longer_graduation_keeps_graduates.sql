-- What: who graduated within four years is also a five- and six-year graduate of the same cohort.
-- When: fails if a longer rate loses a graduate who was met in a shorter one.
-- How to look: compare the person's rows in fct_graduation_cohort.
select
    short.person_key,
    short.cohort_year
from {{ ref('fct_graduation_cohort') }} as short
inner join {{ ref('fct_graduation_cohort') }} as longer
    on short.person_key = longer.person_key
    and longer.years_n = short.years_n + 1
where short.is_graduate and not longer.is_graduate
