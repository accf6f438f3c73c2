{% set single = [
    'american_indian_or_alaska_native', 'asian', 'black_or_african_american', 'hispanic_or_latino',
    'middle_eastern_or_north_african', 'native_hawaiian_or_other_pacific_islander', 'white',
] %}

with reported as (
    select * from {{ ref('int_person__attribute_reported') }}
),

race as (
    select * from {{ ref('int_person__race_settled') }}
),

-- Who stands in feeds alone that tell nothing of a person is a person all the same, of whom nothing is known.
met as (
    select person_key from reported
    {% for model in ['stg_k12__attendance', 'stg_k12__course', 'stg_k12__discipline'] %}
        union
        select person_key from {{ ref(model) }} where person_key is not null
    {% endfor %}
),

person as (
    select
        met.person_key,
        min(reported.reported_year) as first_reported_year,
        max(reported.reported_year) as last_reported_year
    from met
    left join reported on met.person_key = reported.person_key
    group by met.person_key
),

gender_weighed as (
    select
        person_key,
        gender,
        sum(row_n) over (partition by person_key, gender) as value_n,
        reported_year,
        feed_rank,
        arrival_rank
    from reported
    where gender is not null
),

gender_ranked as (
    select
        person_key,
        gender,
        row_number() over (
            partition by person_key
            order by
                case when {{ indicator_parameter('gender_rule', 'string') }} = 'most_frequent' then value_n else 0 end desc,
                reported_year desc nulls last,
                feed_rank,
                arrival_rank desc
        ) as choice
    from gender_weighed
),

gender_counted as (
    select
        person_key,
        max(case when choice = 1 then gender end) as gender,
        count(distinct gender) as reported_gender_n
    from gender_ranked
    group by person_key
),

birth_weighed as (
    select
        person_key,
        birth_year,
        -- Each partner has one say: one that reports every quarter must not outvote two that report once a year.
        count(distinct partner_id) as partner_n,
        sum(row_n) as value_n,
        max(reported_year) as reported_year
    from reported
    where birth_year is not null
    group by person_key, birth_year
),

birth_ranked as (
    select
        person_key,
        birth_year,
        row_number() over (
            partition by person_key order by partner_n desc, value_n desc, reported_year desc nulls last, birth_year
        ) as choice
    from birth_weighed
)

select
    person.person_key,
    birth.birth_year,
    case
        when gender.gender = 'Female' then 'female'
        when gender.gender = 'Male' then 'male'
        when gender.gender is not null then 'nonbinary_or_other'
        else 'unknown'
    end as gender_group,
    case
        when race.person_key is null then 'unknown'
        when race.is_hispanic_or_latino = 1 then 'hispanic_or_latino'
        when race.race_2007_n > 1 or race.is_two_or_more = 1 then 'two_or_more'
        {% for group in single if group not in ('hispanic_or_latino', 'middle_eastern_or_north_african', 'white') %}
            when race.is_{{ group }} = 1 then '{{ group }}'
        {% endfor %}
        else 'white'
    end as race_federal7,
    case
        when race.person_key is null then 'unknown'
        when race.race_2024_n > 1 or race.is_two_or_more = 1 then 'two_or_more'
        {% for group in single if group != 'white' %}
            when race.is_{{ group }} = 1 then '{{ group }}'
        {% endfor %}
        else 'white'
    end as race_spd15_2024,
    {% for group in single %}
        coalesce(race.is_{{ group }}, 0) = 1 as is_{{ group }},
    {% endfor %}
    coalesce(race.is_two_or_more, 0) = 1 as is_two_or_more_unspecified,
    coalesce(race.reported_set_n, 0) as reported_race_set_n,
    coalesce(gender.reported_gender_n, 0) as reported_gender_n,
    person.first_reported_year,
    person.last_reported_year
from person
left join race on person.person_key = race.person_key
left join gender_counted as gender on person.person_key = gender.person_key
left join birth_ranked as birth on person.person_key = birth.person_key and birth.choice = 1
