{# Nights on DuckDB start from a copy of the last one's database. `built.changed` names the sources whose content changed
   since, and each table that came out different when it was built tonight: what follows from none of them stays as it is.
   Without that table (a first night, other code, `dbt build` by hand) everything is built and tested. #}

{# Whether anything that a model or test reads is among what changed tonight (see `changed_tonight`). #}
{% macro is_affected(node, changed) -%}
    {%- if changed is none -%}
        {{ return(true) }}
    {%- endif -%}
    {%- for parent in stored_parents(node) -%}
        {%- if parent in changed -%}
            {{ return(true) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(false) }}
{%- endmacro %}

{# Names in `built.changed`; none where nobody keeps count. #}
{% macro changed_tonight() -%}
    {%- if adapter.get_relation(target.database, 'built', 'changed') is none -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(run_query("select name from built.changed").columns[0].values() | list) }}
{%- endmacro %}

{# Names of the sources and tables that a node reads, through the views between. #}
{% macro stored_parents(node) -%}
    {%- set found = [] -%}
    {%- for key in node.depends_on.nodes -%}
        {%- if key in graph.sources -%}
            {%- do found.append(graph.sources[key].source_name ~ "." ~ graph.sources[key].name) -%}
        {%- elif graph.nodes[key].config.materialized == "view" -%}
            {%- do found.extend(stored_parents(graph.nodes[key])) -%}
        {%- else -%}
            {%- do found.append(graph.nodes[key].name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{% macro note_changed(name) -%}
    {%- call statement('note_changed', auto_begin=True) -%}
        insert into built.changed values ('{{ name }}')
    {%- endcall -%}
    {%- do adapter.commit() -%}
{%- endmacro %}
