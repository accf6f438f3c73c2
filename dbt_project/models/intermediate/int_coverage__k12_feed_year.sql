with delivered as (
    select * from {{ ref('int_coverage__feed_year') }}
),

enroller as (
    select partner_id, school_year from delivered where feed_id = 'k12_enrollment'
),

own as (
    select feed_id, partner_id, school_year from delivered where not is_for_all
),

for_all as (
    select
        delivered.feed_id,
        enroller.partner_id,
        delivered.school_year
    from delivered
    inner join enroller on delivered.school_year = enroller.school_year
    where delivered.is_for_all
)

-- A partner may be covered by its own files and by those of a partner that sends for all.
select distinct feed_id, partner_id, school_year from own
union
select distinct feed_id, partner_id, school_year from for_all
