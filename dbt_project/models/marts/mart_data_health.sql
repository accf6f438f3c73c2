with delivery as (
    select * from {{ source('lake', 'delivery') }}
),

due as (
    select * from {{ source('config', 'partner_feed') }}
),

feed as (
    select * from {{ source('config', 'feed') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

delivered as (
    select
        partner_id,
        feed_id,
        count(*) as delivery_n,
        count(*) filter (where status = 'accepted') as accepted_n,
        count(*) filter (where status = 'refused') as refused_n,
        count(held_by) as held_n,
        max(held_by) as held_by,
        sum(case when status = 'accepted' then rows_in end) as row_n,
        sum(case when status = 'accepted' then rows_accepted end) as accepted_row_n,
        sum(case when status = 'accepted' then rows_quarantined end) as quarantined_row_n,
        -- What was withdrawn or held is not what the figures rest on, so it keeps nothing fresh.
        max(case when is_in_force then cast(received_at as date) end) as last_accepted_date
    from delivery
    group by partner_id, feed_id
),

keys as (
    select partner_id, feed_id from delivered
    union
    select partner_id, feed_id from due
),

joined as (
    select
        keys.partner_id,
        keys.feed_id,
        feed.stage,
        feed.title as feed_title,
        coalesce(due.cadence, feed.cadence) as cadence,
        due.due,
        delivered.delivery_n,
        delivered.accepted_n,
        delivered.refused_n,
        delivered.held_n,
        delivered.held_by,
        delivered.row_n,
        delivered.accepted_row_n,
        delivered.quarantined_row_n,
        delivered.last_accepted_date,
        {{ dbt.datediff('delivered.last_accepted_date', 'community.as_of_date', 'day') }} as age_days,
        -- Half as long again as the cadence: a file that is a little late is not stale.
        case coalesce(due.cadence, feed.cadence)
            when 'daily' then 3
            when 'nightly' then 3
            when 'weekly' then 11
            when 'monthly' then 46
            when 'quarterly' then 138
            when 'termly' then 230
            else 550
        end as fresh_days
    from keys
    cross join community
    left join delivered on keys.partner_id = delivered.partner_id and keys.feed_id = delivered.feed_id
    left join due on keys.partner_id = due.partner_id and keys.feed_id = due.feed_id
    left join feed on keys.feed_id = feed.feed_id
)

select
    partner_id,
    feed_id,
    stage,
    feed_title,
    cadence,
    due,
    cast(coalesce(delivery_n, 0) as bigint) as delivery_n,
    cast(coalesce(accepted_n, 0) as bigint) as accepted_n,
    cast(coalesce(refused_n, 0) as bigint) as refused_n,
    cast(coalesce(held_n, 0) as bigint) as held_n,
    held_by,
    cast(coalesce(row_n, 0) as bigint) as row_n,
    cast(coalesce(accepted_row_n, 0) as bigint) as accepted_row_n,
    cast(coalesce(quarantined_row_n, 0) as bigint) as quarantined_row_n,
    cast(accepted_row_n as double) / nullif(accepted_row_n + quarantined_row_n, 0) as acceptance_rate,
    last_accepted_date,
    cast(age_days as bigint) as age_days,
    coalesce(age_days <= fresh_days, false) as is_fresh
from joined
