{#
  Spans of years over which a yearly value of a person holds: from the year it is first told until another is told,
  and at most so many years after it was last told.
  Args: relation, its value column, years carried forward (an expression).
#}
{% macro value_intervals(relation, value, carry_years) %}
with told as (
    select person_key, school_year, {{ value }}
    from {{ relation }}
    where {{ value }} is not null
),

stepped as (
    select
        *,
        case
            when
                lag({{ value }}) over (partition by person_key order by school_year) = {{ value }}
                and school_year - lag(school_year) over (partition by person_key order by school_year) <= {{ carry_years }} + 1
                then 0
            else 1
        end as is_start
    from told
),

islands as (
    select
        *,
        sum(is_start) over (partition by person_key order by school_year rows unbounded preceding) as island
    from stepped
),

spans as (
    select
        person_key,
        {{ value }},
        island,
        min(school_year) as first_year,
        max(school_year) as last_told_year
    from islands
    group by person_key, {{ value }}, island
)

select
    person_key,
    {{ value }},
    cast(first_year as bigint) as first_year,
    cast(
        least(
            last_told_year + {{ carry_years }},
            coalesce(lead(first_year) over (partition by person_key order by first_year) - 1, last_told_year + {{ carry_years }})
        ) as bigint
    ) as last_year
from spans
{% endmacro %}
