{# Feeds whose deliveries may give a home. #}
{% set feeds = [
    ('stg_k12__enrollment', 'school_year'),
    ('stg_early_childhood__enrollment', 'school_year'),
    ('stg_program__participation', 'school_year'),
    ('stg_postsecondary__credit', school_year_of('term_begin_date')),
] %}

with household as (
    select * from {{ ref('stg_person__household') }}
),

-- A union, not all rows: a person has a row a school or term, and one is enough to say that the year is spoken of.
spoken as (
    {% for model, reported_year in feeds %}
        select
            person_key,
            source_person_key,
            delivery_id,
            delivery_seq,
            partner_id,
            cast({{ reported_year }} as bigint) as school_year
        from {{ ref(model) }}
        where person_key is not null and {{ reported_year }} is not null
        {% if not loop.last %}union{% endif %}
    {% endfor %}
),

-- Keys of households are random: by them alone, the same deliveries would choose differently in two communities.
composed as (
    select
        household_key,
        count(distinct source_person_key) as member_n,
        min(source_person_key) as first_member
    from household
    group by household_key
),

membership as (
    select
        household.household_key,
        spoken.person_key,
        spoken.school_year,
        count(distinct spoken.partner_id) as partner_n,
        max(spoken.delivery_seq) as last_delivery_seq
    from spoken
    inner join household
        on spoken.source_person_key = household.source_person_key and spoken.delivery_id = household.delivery_id
    group by household.household_key, spoken.person_key, spoken.school_year
)

select
    membership.household_key,
    membership.person_key,
    membership.school_year,
    membership.partner_n,
    row_number() over (
        partition by membership.person_key, membership.school_year
        order by
            membership.partner_n desc,
            membership.last_delivery_seq desc,
            composed.member_n desc,
            composed.first_member,
            membership.household_key
    ) = 1 as is_primary
from membership
inner join composed on membership.household_key = composed.household_key
