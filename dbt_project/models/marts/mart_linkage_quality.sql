with coverage as (
    select * from {{ ref('int_coverage__feed_year') }}
),

reported as (
    select * from {{ ref('fct_person_attribute_reported') }}
),

person as (
    select * from {{ ref('dim_person') }}
),

k12 as (
    select distinct person_key from reported where feed_id = 'k12_enrollment' -- many rows a person
),

linked as (
    select
        feed_id,
        partner_id,
        cast(sum(row_n) as bigint) as row_n,
        cast(sum(unlinked_n) as bigint) as unlinked_row_n
    from coverage
    group by feed_id, partner_id
),

present as (
    select distinct feed_id, partner_id, person_key from reported -- many rows a person
),

-- Of the people in a source, how many are known from K-12 too, by group: unequal shares bias every joined figure.
by_group as (
    select
        present.feed_id,
        present.partner_id,
        case
            when grouping(person.race_federal7) = 0 then 'race'
            when grouping(person.gender_group) = 0 then 'gender'
            else 'all'
        end as dimension,
        coalesce(person.race_federal7, person.gender_group, 'all') as group_value,
        count(*) as person_n,
        count(k12.person_key) as matched_n
    from present
    inner join person on present.person_key = person.person_key
    left join k12 on present.person_key = k12.person_key
    group by grouping sets (
        (present.feed_id, present.partner_id),
        (present.feed_id, present.partner_id, person.race_federal7),
        (present.feed_id, present.partner_id, person.gender_group)
    )
)

select
    by_group.feed_id,
    by_group.partner_id,
    by_group.dimension,
    by_group.group_value,
    by_group.person_n,
    by_group.matched_n,
    cast(by_group.matched_n as double) / nullif(by_group.person_n, 0) as match_rate,
    linked.row_n,
    linked.unlinked_row_n,
    cast(linked.row_n - linked.unlinked_row_n as double) / nullif(linked.row_n, 0) as linked_rate
from by_group
left join linked on by_group.feed_id = linked.feed_id and by_group.partner_id = linked.partner_id
