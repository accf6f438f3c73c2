{# The adapter's table, built only where something that it reads changed tonight. #}
{% materialization table, adapter='duckdb' %}
    {%- set before = load_cached_relation(this) -%}
    {%- set changed = changed_tonight() -%}
    {%- if before is not none and not is_affected(model, changed) -%}
        {%- call noop_statement('main', 'SAME') -%}
            -- nothing that this table reads changed tonight
        {%- endcall -%}
        {{ return({'relations': [this.incorporate(type='table')]}) }}
    {%- endif -%}
    {%- set was = content_print(before) if changed is not none and before is not none else none -%}
    {%- set built = dbt.materialization_table_duckdb() -%}
    {%- if changed is not none and content_print(this) != was -%}
        {%- do note_changed(model.name) -%}
    {%- endif -%}
    {{ return(built) }}
{% endmaterialization %}
