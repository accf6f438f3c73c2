with directory as (
    select * from {{ ref('stg_shared__organization') }}
),

enrollment as (
    select * from {{ ref('stg_k12__enrollment') }}
),

early as (
    select * from {{ ref('stg_early_childhood__enrollment') }}
),

college as (
    select * from {{ ref('stg_postsecondary__enrollment') }}
),

program as (
    select * from {{ ref('stg_program__participation') }}
),

-- Every organization that a partner's rows name, known to the directory or not.
named as (
    select organization_key, partner_id, school_id as organization_id, school_name as organization_name, 'School' as organization_type, district_key as parent_organization_key, school_year, 3 as priority
    from enrollment
    union all
    select district_key, partner_id, district_id, null, 'District', null, school_year, 4 from enrollment
    union all
    select organization_key, partner_id, site_id, site_name, 'EarlyChildhoodSite', null, school_year, 3 from early
    union all
    select organization_key, partner_id, college_id, college_name, 'College', null, {{ school_year_of('begin_date') }}, 3 from college
    union all
    select organization_key, partner_id, program_id, program_name, 'Program', null, school_year, 3 from program
),

by_key as (
    select
        organization_key,
        partner_id,
        organization_id,
        organization_type,
        min(school_year) as first_school_year,
        max(school_year) as last_school_year,
        max(case when recency = 1 then organization_name end) as organization_name,
        max(case when recency = 1 then parent_organization_key end) as parent_organization_key
    from (
        select
            *,
            row_number() over (
                partition by organization_key
                order by priority, school_year desc nulls last, organization_name nulls last, parent_organization_key nulls last
            ) as recency,
            min(priority) over (partition by organization_key) as best_priority
        from named
        where organization_key is not null
    ) as ranked
    where priority = best_priority
    group by organization_key, partner_id, organization_id, organization_type
),

directory_latest as (
    select
        *,
        row_number() over (partition by organization_key order by delivery_seq desc, source_row desc) as recency
    from directory
    where organization_key is not null
),

all_keys as (
    select organization_key from by_key
    union
    select organization_key from directory_latest
),

-- A key that two kinds of rows name keeps one kind, the first by name.
one_kind as (
    select
        *,
        row_number() over (partition by organization_key order by organization_type) as choice
    from by_key
)

select
    all_keys.organization_key,
    coalesce(listed.partner_id, seen.partner_id) as partner_id,
    coalesce(listed.organization_id, seen.organization_id) as organization_id,
    coalesce(listed.organization_name, seen.organization_name, listed.organization_id, seen.organization_id) as organization_name,
    coalesce(listed.organization_type, seen.organization_type) as organization_type,
    coalesce(listed.parent_organization_key, seen.parent_organization_key) as parent_organization_key,
    listed.nces_id,
    listed.county_fips,
    listed.zip_code,
    listed.low_grade,
    listed.high_grade,
    coalesce(listed.is_community_eligible, false) as is_community_eligible,
    listed.organization_key is not null as is_in_directory,
    cast(seen.first_school_year as bigint) as first_school_year,
    cast(seen.last_school_year as bigint) as last_school_year
from all_keys
left join directory_latest as listed on all_keys.organization_key = listed.organization_key and listed.recency = 1
left join one_kind as seen on all_keys.organization_key = seen.organization_key and seen.choice = 1
