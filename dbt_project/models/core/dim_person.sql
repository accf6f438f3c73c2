with resolved as (
    select * from {{ ref('int_person__demographics_resolved') }}
)

select
    person_key,
    birth_year,
    gender_group,
    race_federal7,
    race_spd15_2024,
    is_american_indian_or_alaska_native,
    is_asian,
    is_black_or_african_american,
    is_hispanic_or_latino,
    is_middle_eastern_or_north_african,
    is_native_hawaiian_or_other_pacific_islander,
    is_white,
    is_two_or_more_unspecified,
    cast(reported_race_set_n as bigint) as reported_race_set_n,
    cast(reported_gender_n as bigint) as reported_gender_n,
    cast(first_reported_year as bigint) as first_reported_year,
    cast(last_reported_year as bigint) as last_reported_year
from resolved
