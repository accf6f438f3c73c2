with completion as (
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

due as (
    select
        completion.person_key,
        completion.class_year,
        completion.organization_key,
        completion.partner_id,
        {{ add_months('completion.completion_date', '12 * ' ~ indicator_parameter('completion_years', 'integer')) }} as limit_date
    from completion
    cross join community
    where
        completion.is_first_regular_diploma
        and {{ day_in_year(
            'completion.class_year + ' ~ indicator_parameter('completion_years', 'integer'), 'community.graduation_cutoff'
        ) }} < community.as_of_date
),

first_award as (
    select
        due.person_key,
        min(award.award_date) as award_date
    from due
    inner join award on due.person_key = award.person_key
    where award.is_year_or_more and award.award_date <= due.limit_date
    group by due.person_key
),

judged as (
    select
        due.*,
        first_award.award_date,
        search.searched_through_date,
        coalesce(search.deceased_date <= due.limit_date, false) as is_deceased
    from due
    left join first_award on due.person_key = first_award.person_key
    left join search on due.person_key = search.person_key
)

select
    person_key,
    class_year as cohort_year,
    'postsecondary_completion' as indicator_id,
    case
        when award_date is not null then 'met'
        when is_deceased then 'excluded'
        when searched_through_date >= limit_date then 'not_met'
        else 'not_measured'
    end as status,
    case
        when award_date is not null then null
        when is_deceased then 'deceased'
        when searched_through_date >= limit_date then null
        else 'no_record:postsecondary_award'
    end as exclusion_reason,
    organization_key,
    award_date as evidence_date,
    cast(null as double) as evidence_value,
    partner_id
from judged
