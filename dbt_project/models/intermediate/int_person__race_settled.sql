{% set groups = [
    'american_indian_or_alaska_native', 'asian', 'black_or_african_american', 'middle_eastern_or_north_african',
    'native_hawaiian_or_other_pacific_islander', 'white', 'hispanic_or_latino', 'two_or_more',
] %}

with reported as (
    select * from {{ ref('int_person__race_reported') }}
),

-- Reports of the same set count together, so that the most frequent set can be told.
weighed as (
    select
        *,
        sum(row_n) over (partition by person_key, race_set) as set_n
    from reported
),

ranked as (
    select
        *,
        row_number() over (
            partition by person_key
            order by reported_year desc nulls last, feed_rank, arrival_rank desc, partner_id
        ) as recency,
        row_number() over (
            partition by person_key
            order by set_n desc, reported_year desc nulls last, feed_rank, arrival_rank desc, partner_id
        ) as frequency
    from weighed
),

settled as (
    select
        person_key,
        count(distinct race_set) as reported_set_n,
        {% for group in groups %}
            max(
                case
                    when {{ indicator_parameter('race_rule', 'string') }} = 'union' then is_{{ group }}
                    when {{ indicator_parameter('race_rule', 'string') }} = 'most_frequent' and frequency = 1 then is_{{ group }}
                    when {{ indicator_parameter('race_rule', 'string') }} = 'most_recent' and recency = 1 then is_{{ group }}
                    else 0
                end
            ) as is_{{ group }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from ranked
    group by person_key
)

select
    *,
    -- In the 2007 guidance people from the Middle East and North Africa are White.
    is_american_indian_or_alaska_native + is_asian + is_black_or_african_american
    + is_native_hawaiian_or_other_pacific_islander + greatest(is_white, is_middle_eastern_or_north_african) as race_2007_n,
    is_american_indian_or_alaska_native + is_asian + is_black_or_african_american + is_hispanic_or_latino
    + is_middle_eastern_or_north_african + is_native_hawaiian_or_other_pacific_islander + is_white as race_2024_n
from settled
