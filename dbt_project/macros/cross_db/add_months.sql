{# A date so many whole months later; the last day of the month where the day does not exist. #}
{% macro add_months(date_expression, months) -%}
    {{ return(adapter.dispatch('add_months', 'throughline')(date_expression, months)) }}
{%- endmacro %}

{% macro default__add_months(date_expression, months) -%}
    cast({{ date_expression }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro spark__add_months(date_expression, months) -%}
    add_months({{ date_expression }}, cast({{ months }} as integer))
{%- endmacro %}
