{# Rows of a seed as literals: the adapter's own way on a Spark session leaves apostrophes bare and writes None for null. #}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set column_override = model['config'].get('column_types', {}) -%}
    {%- set statements = [] -%}
    {%- for chunk in agate_table.rows | batch(get_batch_size()) -%}
        {%- set told -%}
            insert into {{ this.render() }} values
            {% for row in chunk -%}
                ({%- for value in row -%}
                    {%- set type = column_override.get(agate_table.column_names[loop.index0], adapter.convert_type(agate_table, loop.index0)) -%}
                    cast({{ spark_literal(value) }} as {{ type }}){{ ", " if not loop.last }}
                {%- endfor -%}){{ ", " if not loop.last }}
            {% endfor %}
        {%- endset -%}
        {%- do adapter.add_query(told, abridge_sql_log=True) -%}
        {%- do statements.append(told) -%}
    {%- endfor -%}
    {{ return(statements | first) }}
{%- endmacro %}

{# A value as Spark's parser reads it back. #}
{% macro spark_literal(value) -%}
    {%- if value is none -%} null
    {%- else -%} '{{ (value | string) | replace("\\", "\\\\") | replace("'", "\\'") }}'
    {%- endif -%}
{%- endmacro %}
