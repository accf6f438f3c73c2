with community as (
    select * from {{ source('config', 'community') }}
),

enrollment as (
    select * from {{ ref('stg_k12__enrollment') }}
),

organization as (
    select * from {{ ref('stg_shared__organization') }}
),

measure as (
    select * from {{ ref('stg_community__measure') }}
),

measured as (
    select
        geography_id,
        max(geography_name) as geography_name,
        substring(geography_id, 1, 3) as summary_level
    from measure
    group by geography_id
),

named as (
    select geography_id, geography_name, 'community' as geography_type, cast(null as string) as fips_code, 1 as priority from community
    union all
    select
        measured.geography_id,
        measured.geography_name,
        case measured.summary_level
            when '010' then 'nation'
            when '040' then 'state'
            when '050' then 'county'
            when '140' then 'tract'
            when '160' then 'place'
            when '860' then 'zip'
            when '950' then 'district'
            when '960' then 'district'
            when '970' then 'district'
            else 'other'
        end,
        case when position('US' in measured.geography_id) > 0 then substring(measured.geography_id, position('US' in measured.geography_id) + 2, 20) end,
        2
    from measured
    union all
    select distinct concat('zip:', zip_code), zip_code, 'zip', zip_code, 3 from enrollment where zip_code is not null
    union all
    select distinct concat('county:', county_fips), county_fips, 'county', county_fips, 3 from organization where county_fips is not null
),

ranked as (
    select
        *,
        row_number() over (partition by geography_id order by priority, geography_name) as choice
    from named
)

select
    ranked.geography_id,
    ranked.geography_name,
    ranked.geography_type,
    ranked.fips_code,
    case
        when ranked.geography_type = 'tract' then concat('0500000US', substring(ranked.fips_code, 1, 5))
        when ranked.geography_type = 'county' and ranked.geography_id like '0500000US%' then concat('0400000US', substring(ranked.fips_code, 1, 2))
    end as parent_geography_id,
    ranked.geography_id = community.geography_id
    or community.geographies like concat('%"', ranked.geography_id, '"%')
    or ranked.geography_id like 'zip:%' as is_in_community
from ranked
cross join community
where ranked.choice = 1
