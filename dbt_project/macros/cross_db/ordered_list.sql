{# Texts of a group as one text in the order of a key; null where there is none. #}
{% macro ordered_list(expression, separator, order_key) -%}
    {{ return(adapter.dispatch('ordered_list', 'throughline')(expression, separator, order_key)) }}
{%- endmacro %}

{% macro default__ordered_list(expression, separator, order_key) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ order_key }})
{%- endmacro %}

{% macro spark__ordered_list(expression, separator, order_key) -%}
    case when count({{ expression }}) > 0 then array_join(
        transform(
            sort_array(collect_list(case when {{ expression }} is not null then struct({{ order_key }} as place, {{ expression }} as told) end)),
            item -> item.told
        ),
        '{{ separator }}'
    ) end
{%- endmacro %}
