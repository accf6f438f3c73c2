with term as (
    select * from {{ ref('fct_postsecondary_enrollment') }}
),

completion as (
    select * from {{ ref('fct_high_school_completion') }}
),

award as (
    select * from {{ ref('fct_postsecondary_award') }}
),

search as (
    select * from {{ ref('fct_postsecondary_search') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

graduate as (
    select * from completion where is_first_regular_diploma
),

-- Terms begun in high school are no entry; of several colleges entered on one day the longer one counts.
entry as (
    select
        graduate.person_key,
        graduate.organization_key,
        graduate.partner_id,
        term.begin_date,
        case term.institution_level when 'FourYear' then 6 else 3 end as years_n,
        row_number() over (
            partition by graduate.person_key
            order by term.begin_date, case term.institution_level when 'FourYear' then 0 else 1 end
        ) as entry_order
    from graduate
    inner join term on graduate.person_key = term.person_key and term.begin_date > graduate.completion_date
    where term.is_enrolled and term.is_two_or_four_year
),

due as (
    select
        entry.*,
        {{ add_months('entry.begin_date', '12 * entry.years_n') }} as limit_date
    from entry
    cross join community
    where entry.entry_order = 1 and make_date(cast(year(entry.begin_date) + 6 as integer), 12, 31) < community.as_of_date
),

first_award as (
    select
        due.person_key,
        min(award.award_date) as award_date
    from due
    inner join award on due.person_key = award.person_key
    where award.is_year_or_more and award.award_date between due.begin_date and due.limit_date
    group by due.person_key
),

judged as (
    select
        due.*,
        first_award.award_date,
        case
            when first_award.award_date is not null then 'met'
            when search.deceased_date <= due.limit_date then 'excluded'
            when search.searched_through_date >= due.limit_date then 'not_met'
            else 'not_measured'
        end as status
    from due
    left join first_award on due.person_key = first_award.person_key
    left join search on due.person_key = search.person_key
)

select
    person_key,
    cast(year(begin_date) as bigint) as cohort_year,
    'postsecondary_completion_150' as indicator_id,
    status,
    case status when 'excluded' then 'deceased' when 'not_measured' then 'no_record:postsecondary_award' end as exclusion_reason,
    organization_key,
    award_date as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from judged
