with member as (
    select * from {{ ref('brg_household_person') }} where is_primary
),

person as (
    select * from {{ ref('dim_person') }}
),

person_year as (
    select * from {{ ref('fct_person_year') }}
),

counted as (
    select
        member.household_key,
        member.school_year,
        count(*) as person_n,
        count(case when member.school_year - person.birth_year <= 18 then 1 end) as child_n,
        count(case when person_year.is_enrolled then 1 end) as student_n,
        count(distinct person_year.organization_key) as school_n,
        count(case when person_year.economic_group = 'disadvantaged' then 1 end) as disadvantaged_n,
        count(case when person_year.economic_group = 'not_disadvantaged' then 1 end) as not_disadvantaged_n,
        bool_or(person_year.is_homeless) as is_homeless
    from member
    inner join person on member.person_key = person.person_key
    left join person_year on member.person_key = person_year.person_key and member.school_year = person_year.school_year
    group by member.household_key, member.school_year
)

select
    household_key,
    school_year,
    person_n,
    child_n,
    student_n,
    school_n,
    -- Benefits are a household's: one child found eligible speaks for all.
    case
        when disadvantaged_n > 0 then 'disadvantaged'
        when not_disadvantaged_n > 0 then 'not_disadvantaged'
        else 'unknown'
    end as economic_group,
    disadvantaged_n > 0 and not_disadvantaged_n > 0 as has_economic_conflict,
    coalesce(is_homeless, false) as is_homeless
from counted
