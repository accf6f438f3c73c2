{# An option that says something: 'Unknown' (asked, no answer) and 'NotCollected' (never asked) become null. #}
{% macro known(column) -%}
    case when {{ column }} not in ('Unknown', 'NotCollected', 'NotSelected') then {{ column }} end
{%- endmacro %}

{# A yes/no option as a boolean; null where it says neither. #}
{% macro yes_no(column) -%}
    case {{ column }} when 'Yes' then true when 'No' then false end
{%- endmacro %}

{# Whether a list of codes (separated by semicolons) holds a code. #}
{% macro has_code(list_column, code) -%}
    concat(';', coalesce({{ list_column }}, ''), ';') like concat('%;', {{ code }}, ';%')
{%- endmacro %}

{# The key of an organization: the partner that names it and its id there. #}
{% macro organization_key(partner_id, organization_id) -%}
    case when {{ organization_id }} is not null then concat({{ partner_id }}, ':', {{ organization_id }}) end
{%- endmacro %}

{# A grade as a number: kindergarten 0, before it -1, first grade 1; null where ungraded or unknown. #}
{% macro grade_number(grade_level) -%}
    case
        when {{ grade_level }} = 'KG' then 0
        when {{ grade_level }} in ('IT', 'PR', 'PK', 'TK') then -1
        else try_cast({{ grade_level }} as integer)
    end
{%- endmacro %}
