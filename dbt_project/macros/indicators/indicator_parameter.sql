{# A parameter of the indicators, as the community set it or else by the default of the seed. #}
{% macro indicator_parameter(name, type='double') -%}
    cast((select max(value) from {{ ref('int_indicator__parameter') }} where parameter = '{{ name }}') as {{ type }})
{%- endmacro %}
