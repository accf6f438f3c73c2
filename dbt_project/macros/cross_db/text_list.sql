{# Distinct texts of a group as one sorted text, separated by comma and blank. #}
{% macro text_list(expression) -%}
    {{ return(adapter.dispatch('text_list', 'throughline')(expression)) }}
{%- endmacro %}

{% macro default__text_list(expression) -%}
    string_agg(distinct {{ expression }}, ', ' order by {{ expression }})
{%- endmacro %}

{% macro spark__text_list(expression) -%}
    case when count({{ expression }}) > 0 then array_join(sort_array(collect_set({{ expression }})), ', ') end
{%- endmacro %}
