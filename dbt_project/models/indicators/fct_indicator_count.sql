with status as (
    select * from {{ ref('fct_indicator_status') }}
),

person_race as (
    select * from {{ ref('brg_person_race') }}
),

person as (
    select * from {{ ref('dim_person') }}
),

economic as (
    select * from {{ ref('int_person__economic_status_spanned') }}
),

zip as (
    select * from {{ ref('int_person__zip_code_spanned') }}
),

organization as (
    select * from {{ ref('dim_organization') }}
),

-- Counted before joining to races: a person in several groups of a scheme counts in each of them.
described as (
    select
        status.person_key,
        status.indicator_id,
        status.cohort_year,
        status.status,
        status.organization_key,
        organization.parent_organization_key as district_key,
        case when zip.zip_code is not null then concat('zip:', zip.zip_code) end as zip_geography_id,
        coalesce(person.gender_group, 'unknown') as gender_group,
        coalesce(economic.economic_group, 'unknown') as economic_group
    from status
    left join person on status.person_key = person.person_key
    left join organization on status.organization_key = organization.organization_key
    left join economic
        on status.person_key = economic.person_key
        and status.cohort_year between economic.first_year and economic.last_year
    left join zip
        on status.person_key = zip.person_key
        and status.cohort_year between zip.first_year and zip.last_year
),

schemed as (
    select * from person_race
    where {{ has_code(indicator_parameter('race_schemes', 'string'), 'race_scheme') }} or race_scheme = 'federal7'
)

select
    described.indicator_id,
    described.cohort_year,
    described.organization_key,
    described.district_key,
    described.zip_geography_id,
    coalesce(schemed.race_scheme, 'federal7') as race_scheme,
    coalesce(schemed.race_group, 'unknown') as race_group,
    described.gender_group,
    described.economic_group,
    count(*) as eligible_n,
    count(*) filter (where described.status = 'excluded') as excluded_n,
    count(*) filter (where described.status = 'not_measured') as not_measured_n,
    count(*) filter (where described.status = 'met') as numerator_n
from described
left join schemed on described.person_key = schemed.person_key
group by
    described.indicator_id, described.cohort_year, described.organization_key, described.district_key,
    described.zip_geography_id, coalesce(schemed.race_scheme, 'federal7'), coalesce(schemed.race_group, 'unknown'),
    described.gender_group, described.economic_group
