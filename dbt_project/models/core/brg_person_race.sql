{% set single = [
    'american_indian_or_alaska_native', 'asian', 'black_or_african_american', 'hispanic_or_latino',
    'middle_eastern_or_north_african', 'native_hawaiian_or_other_pacific_islander', 'white',
] %}

with person as (
    select * from {{ ref('dim_person') }}
)

select person_key, 'federal7' as race_scheme, race_federal7 as race_group from person
union all
select person_key, 'spd15_2024' as race_scheme, race_spd15_2024 as race_group from person
{% for group in single %}
    union all
    select person_key, 'alone_or_in_combination' as race_scheme, '{{ group }}' as race_group from person where is_{{ group }}
{% endfor %}
union all
select person_key, 'alone_or_in_combination' as race_scheme, 'unknown' as race_group
from person
where not ({% for group in single %}is_{{ group }}{% if not loop.last %} or {% endif %}{% endfor %})
