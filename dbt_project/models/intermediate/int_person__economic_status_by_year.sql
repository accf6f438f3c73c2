with reported as (
    select * from {{ ref('int_person__economic_status_reported') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by person_key, school_year
            order by
                case
                    when {{ indicator_parameter('economic_rule', 'string') }} = 'any_yes' and is_disadvantaged then 0 else 1
                end,
                source_rank
        ) as choice,
        count(*) over (partition by person_key, school_year) as source_n
    from reported
)

select
    person_key,
    school_year,
    case when is_disadvantaged then 'disadvantaged' else 'not_disadvantaged' end as economic_group,
    economic_source,
    source_n
from ranked
where choice = 1
