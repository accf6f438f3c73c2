with community as (
    select * from {{ source('config', 'community') }}
),

published as (
    select * from {{ source('config', 'gateway_release') }}
),

present as (
    select * from {{ ref('mart_gateway_status') }}
),

every_status as (
    select published.gateway_id, published.gateway_order, published.status, published.reason, published.release_id, published.as_of_date
    from published
    union all
    select
        present.gateway_id,
        cast(present.gateway_order as bigint) as gateway_order,
        present.status,
        present.reason,
        cast(null as string) as release_id,
        community.as_of_date
    from present
    cross join community
),

-- A release still to come has no number yet: it stands after all that were made, also on the same day.
stepped as (
    select
        *,
        lag(status) over (partition by gateway_id order by as_of_date, coalesce(release_id, '~')) as status_before
    from every_status
),

changes as (
    select *
    from stepped
    where status_before is null or status_before <> status
)

select
    gateway_id,
    cast(gateway_order as bigint) as gateway_order,
    status,
    as_of_date as valid_from,
    lead(as_of_date) over (partition by gateway_id order by as_of_date, coalesce(release_id, '~')) as valid_to,
    release_id as first_release_id,
    reason
from changes
