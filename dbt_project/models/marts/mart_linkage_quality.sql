with coverage as (
    select * from {{ ref('int_coverage__feed_year') }}
),

reported as (
    select * from {{ ref('fct_person_attribute_reported') }}
),

dim_person as (
    select * from {{ ref('dim_person') }}
),

quality as (
    select * from {{ ref('int_person__linkage_summarized') }}
),

economic as (
    select
        person_key,
        max_by(economic_group, school_year) as economic_group
    from {{ ref('fct_person_year') }}
    where economic_group <> 'unknown'
    group by person_key
),

person as (
    select
        dim_person.person_key,
        dim_person.race_federal7,
        dim_person.gender_group,
        coalesce(economic.economic_group, 'unknown') as economic_group
    from dim_person
    left join economic on dim_person.person_key = economic.person_key
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
            when grouping(person.economic_group) = 0 then 'economic_status'
            else 'all'
        end as dimension,
        coalesce(person.race_federal7, person.gender_group, person.economic_group, 'all') as group_value,
        count(*) as person_n,
        count(k12.person_key) as matched_n
    from present
    inner join person on present.person_key = person.person_key
    left join k12 on present.person_key = k12.person_key
    group by grouping sets (
        (present.feed_id, present.partner_id),
        (present.feed_id, present.partner_id, person.race_federal7),
        (present.feed_id, present.partner_id, person.gender_group),
        (present.feed_id, present.partner_id, person.economic_group)
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
    cast(linked.row_n - linked.unlinked_row_n as double) / nullif(linked.row_n, 0) as linked_rate,
    quality.grey_zone_rate,
    quality.estimated_precision,
    quality.estimated_recall,
    quality.source_person_n,
    quality.linked_by_rule_n,
    quality.linked_by_score_n,
    quality.linked_by_reviewer_n
from by_group
left join quality on by_group.partner_id = quality.partner_id
left join linked on by_group.feed_id = linked.feed_id and by_group.partner_id = linked.partner_id
