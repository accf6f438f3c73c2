with enrollment as (
    select * from {{ ref('stg_k12__enrollment') }}
),

organization as (
    select * from {{ ref('stg_shared__organization') }}
),

early as (
    select * from {{ ref('stg_early_childhood__enrollment') }}
),

test as (
    select * from {{ ref('stg_k12__assessment') }}
),

college as (
    select * from {{ ref('stg_postsecondary__enrollment') }}
),

credit as (
    select * from {{ ref('stg_postsecondary__credit') }}
),

community_eligible as (
    select distinct organization_key -- a directory may list a school once for each delivery
    from organization
    where is_community_eligible
),

reported as (
    select person_key, school_year, 'economic_disadvantage' as economic_source, 1 as source_rank, is_economically_disadvantaged as says
    from enrollment
    union all
    -- Only a yes says something: most families without benefits are not looked for.
    select person_key, school_year, 'direct_certification', 2, case when is_directly_certified then true end
    from enrollment
    union all
    -- Where everyone eats free, the status of the meal says nothing of the family.
    select
        enrollment.person_key,
        enrollment.school_year,
        'lunch',
        3,
        case
            when enrollment.lunch_eligibility in ('Free', 'ReducedPrice') then true
            when enrollment.lunch_eligibility = 'FullPrice' then false
        end
    from enrollment
    left join community_eligible on enrollment.organization_key = community_eligible.organization_key
    where community_eligible.organization_key is null
    union all
    select person_key, {{ school_year_of('begin_date') }}, 'pell', 4, is_pell_recipient from college where begin_date is not null
    union all
    select person_key, {{ school_year_of('term_begin_date') }}, 'pell', 4, is_pell_recipient from credit
    union all
    select person_key, school_year, 'program', 5, is_economically_disadvantaged from early
    union all
    select person_key, school_year, 'assessment', 6, is_economically_disadvantaged from test
)

select
    person_key,
    cast(school_year as bigint) as school_year,
    economic_source,
    source_rank,
    bool_or(says) as is_disadvantaged,
    count(*) as row_n
from reported
where person_key is not null and says is not null
group by person_key, school_year, economic_source, source_rank
