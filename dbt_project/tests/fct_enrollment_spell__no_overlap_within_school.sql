-- What: spells of a person in one school and year do not overlap.
-- When: fails if the rule of int_enrollment__spell_resolved does not end a spell before the next begins.
-- How to look: list the person's spells of the school and year by entry date, with reported_exit_date.
with spell as (
    select
        *,
        lead(entry_date) over (partition by person_key, organization_key, school_year order by entry_date) as next_entry_date
    from {{ ref('fct_enrollment_spell') }}
)

select *
from spell
where next_entry_date is not null and (exit_date is null or exit_date >= next_entry_date)
