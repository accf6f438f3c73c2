with person as (
    select * from {{ ref('dim_person') }}
),

student as (
    select * from {{ ref('fct_person_year') }}
),

early as (
    select * from {{ ref('fct_early_childhood_enrollment') }}
),

household as (
    select * from {{ ref('fct_household_year') }}
),

household_member as (
    select * from {{ ref('brg_household_person') }} where is_primary
),

status as (
    select * from {{ ref('fct_indicator_status') }}
),

cohort as (
    select * from {{ ref('fct_graduation_cohort') }} where years_n = 4
),

term as (
    select * from {{ ref('fct_postsecondary_enrollment') }}
),

award as (
    select * from {{ ref('fct_postsecondary_award') }}
),

wage as (
    select * from {{ ref('fct_employment_quarter') }}
),

program as (
    select * from {{ ref('fct_program_participation') }}
),

early_by_person as (
    select person_key, min(school_year) as first_year, sum(member_days) as member_days
    from early
    group by person_key
),

student_by_person as (
    select
        person_key,
        min(case when is_enrolled then school_year end) as first_school_year,
        max(case when is_enrolled then school_year end) as last_school_year,
        cast(sum(case when is_enrolled then 1 else 0 end) as bigint) as school_years_n,
        count(distinct organization_key) as school_n,
        max_by(economic_group, case when economic_group <> 'unknown' then school_year else 0 end) as last_economic_group,
        bool_or(is_english_learner) as was_english_learner,
        bool_or(has_disability) as had_disability,
        bool_or(is_homeless) as was_homeless
    from student
    group by person_key
),

household_by_person as (
    select
        household_member.person_key,
        count(distinct household_member.household_key) as household_n,
        max_by(household.person_n, household.school_year) as last_household_person_n,
        max_by(household.student_n, household.school_year) as last_household_student_n,
        max_by(household.economic_group, household.school_year) as last_household_economic_group
    from household_member
    inner join household
        on household_member.household_key = household.household_key
        and household_member.school_year = household.school_year
    group by household_member.person_key
),

-- The latest judged status of each outcome; chronic absence and suspension as whether they ever happened.
status_by_person as (
    select
        person_key,
        {% for outcome in ['kindergarten_readiness', 'early_grade_reading', 'middle_grade_math', 'high_school_graduation', 'postsecondary_enrollment', 'postsecondary_completion', 'employment'] %}
            max_by(case when indicator_id = '{{ outcome }}' then status end, case when indicator_id = '{{ outcome }}' then cohort_year end) as {{ outcome }}_status,
        {% endfor %}
        count(*) filter (where indicator_id = 'chronic_absence' and status = 'met') as chronic_absence_years_n,
        count(*) filter (where indicator_id = 'suspension' and status = 'met') as suspension_years_n
    from status
    group by person_key
),

term_by_person as (
    select person_key, min(begin_date) as first_begin_date, count(distinct college_id) as college_n
    from term
    where is_enrolled
    group by person_key
),

award_by_person as (
    select person_key, min(award_date) as first_award_date, count(*) as award_n
    from award
    group by person_key
),

wage_by_person as (
    select
        person_key,
        min(calendar_year) as first_wage_year,
        max(calendar_year) as last_wage_year,
        count(*) as wage_quarter_n
    from wage
    group by person_key
),

program_by_person as (
    select person_key, count(*) as program_n
    from program
    group by person_key
)

select
    person.person_key,
    person.birth_year,
    person.gender_group,
    person.race_federal7,
    student_by_person.last_economic_group,
    coalesce(student_by_person.was_english_learner, false) as was_english_learner,
    coalesce(student_by_person.had_disability, false) as had_disability,
    coalesce(student_by_person.was_homeless, false) as was_homeless,
    coalesce(household_by_person.household_n, 0) as household_n,
    household_by_person.last_household_person_n,
    household_by_person.last_household_student_n,
    household_by_person.last_household_economic_group,
    early_by_person.person_key is not null as has_early_childhood,
    coalesce(student_by_person.school_years_n, 0) > 0 as has_k12,
    term_by_person.person_key is not null or award_by_person.person_key is not null as has_postsecondary,
    wage_by_person.person_key is not null as has_workforce,
    program_by_person.person_key is not null as has_program,
    early_by_person.first_year as first_early_childhood_year,
    early_by_person.member_days as early_childhood_days,
    student_by_person.first_school_year,
    student_by_person.last_school_year,
    coalesce(student_by_person.school_years_n, 0) as school_years_n,
    coalesce(student_by_person.school_n, 0) as school_n,
    {% for outcome in ['kindergarten_readiness', 'early_grade_reading', 'middle_grade_math', 'high_school_graduation', 'postsecondary_enrollment', 'postsecondary_completion', 'employment'] %}
        status_by_person.{{ outcome }}_status,
    {% endfor %}
    coalesce(status_by_person.chronic_absence_years_n, 0) as chronic_absence_years_n,
    coalesce(status_by_person.suspension_years_n, 0) as suspension_years_n,
    cohort.cohort_year as graduation_cohort_year,
    cohort.diploma_date,
    term_by_person.first_begin_date as first_college_date,
    coalesce(term_by_person.college_n, 0) as college_n,
    award_by_person.first_award_date,
    coalesce(award_by_person.award_n, 0) as award_n,
    wage_by_person.first_wage_year,
    wage_by_person.last_wage_year,
    coalesce(wage_by_person.wage_quarter_n, 0) as wage_quarter_n,
    coalesce(program_by_person.program_n, 0) as program_n
from person
left join student_by_person on person.person_key = student_by_person.person_key
left join household_by_person on person.person_key = household_by_person.person_key
left join early_by_person on person.person_key = early_by_person.person_key
left join status_by_person on person.person_key = status_by_person.person_key
left join cohort on person.person_key = cohort.person_key
left join term_by_person on person.person_key = term_by_person.person_key
left join award_by_person on person.person_key = award_by_person.person_key
left join wage_by_person on person.person_key = wage_by_person.person_key
left join program_by_person on person.person_key = program_by_person.person_key
