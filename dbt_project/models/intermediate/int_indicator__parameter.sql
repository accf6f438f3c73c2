with default_value as (
    select * from {{ ref('indicator_parameter') }}
),

chosen as (
    select * from {{ source('config', 'indicator_parameter') }}
),

-- A parameter that the seed does not know may be set too: an indicator of the community's own may read it.
by_name as (
    select parameter, value, 2 as priority from default_value
    union all
    select parameter, value, 1 as priority from chosen
),

ranked as (
    select
        parameter,
        value,
        row_number() over (partition by parameter order by priority, value) as choice
    from by_name
)

select
    parameter,
    cast(value as string) as value
from ranked
where choice = 1
