{#
  Names of all indicator models present, so that the union needs no list of its own.
  While dbt parses, no graph exists yet: the names come from the project's files; when it runs, from the graph.
#}
{% macro indicator_models() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name.startswith('ind_') -%}
            {%- do found.append(node.name) -%}
        {%- endfor -%}
    {%- else -%}
        {%- for file_id in ref.manifest.files.keys() if '/indicators/ind_' in file_id and file_id.endswith('.sql') -%}
            {%- do found.append(file_id.split('/')[-1][:-4]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort) }}
{%- endmacro %}
