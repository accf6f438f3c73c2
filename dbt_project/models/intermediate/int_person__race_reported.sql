{% set codes = {
    'american_indian_or_alaska_native': 'AmericanIndianorAlaskaNative',
    'asian': 'Asian',
    'black_or_african_american': 'BlackorAfricanAmerican',
    'middle_eastern_or_north_african': 'MiddleEasternorNorthAfrican',
    'native_hawaiian_or_other_pacific_islander': 'NativeHawaiianorOtherPacificIslander',
    'white': 'White',
} %}

with reported as (
    select * from {{ ref('int_person__attribute_reported') }}
),

flagged as (
    select
        person_key,
        feed_rank,
        partner_id,
        reported_year,
        row_n,
        arrival_rank,
        {% for group, code in codes.items() %}
            case when {{ has_code('race_codes', "'" ~ code ~ "'") }} then 1 else 0 end as is_{{ group }},
        {% endfor %}
        case
            when coalesce(is_hispanic, false) or {{ has_code('race_codes', "'HispanicorLatino'") }} then 1 else 0
        end as is_hispanic_or_latino,
        case when {{ has_code('race_codes', "'TwoorMoreRaces'") }} then 1 else 0 end as is_two_or_more
    from reported
    where race_codes is not null or is_hispanic is not null
)

-- A report that says nothing ('Unknown', or only another race) settles nothing.
select
    person_key,
    feed_rank,
    partner_id,
    reported_year,
    row_n,
    arrival_rank,
    {% for group in codes %}
        is_{{ group }},
    {% endfor %}
    is_hispanic_or_latino,
    is_two_or_more,
    concat_ws(
        ';',
        {% for group in codes %}
            case when is_{{ group }} = 1 then '{{ group }}' end,
        {% endfor %}
        case when is_hispanic_or_latino = 1 then 'hispanic_or_latino' end,
        case when is_two_or_more = 1 then 'two_or_more' end
    ) as race_set
from flagged
where
    {% for group in codes %}is_{{ group }} + {% endfor %}is_hispanic_or_latino + is_two_or_more > 0
