{# Number of rows and a sum over their hashes: the same for the same rows in whatever order. DuckDB alone: a cluster keeps
   nothing from night to night. #}
{% macro content_print(relation) -%}
    {%- set found = run_query(
        "select count(*) || '-' || coalesce(sum(hash(r)::hugeint), 0) from " ~ relation ~ " as r"
    ) -%}
    {{ return(found.rows[0][0]) }}
{%- endmacro %}
