{# The date of a month and day (MM-DD) in a year. #}
{% macro day_in_year(year, month_day) -%}
    cast(concat(cast({{ year }} as string), '-', {{ month_day }}) as date)
{%- endmacro %}

{# Days from the first to the last date, both counted. #}
{% macro days_inclusive(first_date, last_date) -%}
    ({{ dbt.datediff(first_date, last_date, 'day') }} + 1)
{%- endmacro %}

{# School year, by its spring year, in which a date lies; it begins on 1 July. #}
{% macro school_year_of(date_expression) -%}
    (year({{ date_expression }}) + case when month({{ date_expression }}) >= 7 then 1 else 0 end)
{%- endmacro %}
