with spell as (
    select * from {{ ref('fct_enrollment_spell') }}
),

completion as (
    select * from {{ ref('fct_high_school_completion') }}
),

exit_type as (
    select * from {{ ref('exit_type') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

high_school as (
    select
        *,
        row_number() over (partition by person_key order by school_year, grade_number, entry_date) as entry_order
    from spell
    where grade_number between 9 and 12
),

-- When grade 9 began: as the partner says, else as enrolled, else counted back from the first grade seen.
member as (
    select
        person_key,
        min(first_grade9_year) as reported_year,
        min(case when grade_number = 9 then school_year end) as enrolled_year,
        max(case when entry_order = 1 then school_year - (grade_number - 9) end) as inferred_year
    from high_school
    group by person_key
),

diploma as (
    select person_key, completion_date as diploma_date
    from completion
    where is_first_regular_diploma
),

span as (
    select 4 as years_n
    union all
    select 5 as years_n
    union all
    select 6 as years_n
),

due as (
    select
        member.person_key,
        span.years_n,
        coalesce(member.reported_year, member.enrolled_year, member.inferred_year) as grade_9_year,
        case
            when member.reported_year is not null then 'reported'
            when member.enrolled_year is not null then 'enrolled'
            else 'inferred'
        end as grade_9_basis,
        coalesce(member.reported_year, member.enrolled_year, member.inferred_year) + 3 as cohort_year,
        {{ day_in_year(
            'coalesce(member.reported_year, member.enrolled_year, member.inferred_year) + span.years_n - 1',
            "case when " ~ indicator_parameter('summer_graduates_count', 'boolean') ~ " then community.graduation_cutoff else '06-30' end"
        ) }} as due_date
    from member
    cross join span
    cross join community
),

-- Where each member was last seen by the due date.
last_seen as (
    select
        due.*,
        high_school.organization_key,
        high_school.partner_id,
        high_school.exit_type,
        high_school.exit_date,
        row_number() over (
            partition by due.person_key, due.years_n
            order by high_school.entry_date desc, high_school.exit_date desc nulls first, high_school.organization_key
        ) as recency
    from due
    inner join high_school on due.person_key = high_school.person_key and high_school.entry_date <= due.due_date
)

select
    last_seen.person_key,
    cast(last_seen.years_n as bigint) as years_n,
    cast(last_seen.cohort_year as bigint) as cohort_year,
    cast(last_seen.grade_9_year as bigint) as grade_9_year,
    last_seen.grade_9_basis,
    last_seen.due_date,
    last_seen.organization_key,
    last_seen.partner_id,
    last_seen.exit_type,
    last_seen.exit_date,
    diploma.diploma_date,
    coalesce(diploma.diploma_date <= last_seen.due_date, false) as is_graduate,
    coalesce(exit_type.leaves_cohort and last_seen.exit_date <= last_seen.due_date, false) as has_left_cohort,
    exit_type.exclusion_reason
from last_seen
left join diploma on last_seen.person_key = diploma.person_key
left join exit_type on last_seen.exit_type = exit_type.exit_type
where last_seen.recency = 1
