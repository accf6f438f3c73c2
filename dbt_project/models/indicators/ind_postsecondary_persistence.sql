with enrolled as (
    select * from {{ ref('ind_postsecondary_enrollment') }}
),

term as (
    select * from {{ ref('fct_postsecondary_enrollment') }}
),

search as (
    select * from {{ ref('fct_postsecondary_search') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

fall as (
    select
        enrolled.*,
        {{ day_in_year('enrolled.cohort_year + 1', indicator_parameter('postsecondary_fall_begin', 'string')) }} as fall_begin_date,
        {{ day_in_year('enrolled.cohort_year + 1', indicator_parameter('postsecondary_fall_limit', 'string')) }} as fall_limit_date
    from enrolled
    where enrolled.status = 'met'
),

due as (
    select fall.* from fall cross join community where fall.fall_limit_date < community.as_of_date
),

second_fall as (
    select
        due.person_key,
        max(term.begin_date) as begin_date
    from due
    inner join term on due.person_key = term.person_key
    where
        term.is_enrolled
        and term.is_two_or_four_year
        and term.begin_date <= due.fall_limit_date
        and coalesce(term.end_date, term.begin_date) >= due.fall_begin_date
    group by due.person_key
),

judged as (
    select
        due.*,
        second_fall.begin_date,
        case
            when second_fall.begin_date is not null then 'met'
            when search.deceased_date <= due.fall_limit_date then 'excluded'
            when search.searched_through_date >= due.fall_limit_date then 'not_met'
            else 'not_measured'
        end as persistence
    from due
    left join second_fall on due.person_key = second_fall.person_key
    left join search on due.person_key = search.person_key
)

select
    person_key,
    cohort_year,
    'postsecondary_persistence' as indicator_id,
    persistence as status,
    case persistence when 'excluded' then 'deceased' when 'not_measured' then 'no_record:postsecondary_enrollment' end as exclusion_reason,
    organization_key,
    begin_date as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from judged
