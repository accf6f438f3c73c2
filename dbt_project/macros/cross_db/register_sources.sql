{# Before a build: make the sources known to an engine whose catalog starts empty. DuckDB's file holds them already. #}
{% macro register_sources() -%}
    {{ return(adapter.dispatch('register_sources', 'throughline')()) }}
{%- endmacro %}

{% macro default__register_sources() -%}
{%- endmacro %}

{% macro spark__register_sources() -%}
    {%- set folder = env_var('THROUGHLINE_SPARK_SOURCES', '') -%}
    {%- if execute and folder -%}
        {%- for source in graph.sources.values() -%}
            {%- do run_query("create database if not exists " ~ source.schema) -%}
            {%- do run_query(
                "create table if not exists " ~ source.schema ~ "." ~ source.identifier ~ " using parquet location '"
                ~ folder ~ "/" ~ source.schema ~ "/" ~ source.identifier ~ "'"
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
