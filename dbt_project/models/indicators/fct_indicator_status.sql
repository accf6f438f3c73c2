{# Every ind_ model there is; a new one joins by its file alone. #}
{% for model in indicator_models() %}
    select
        person_key,
        cohort_year,
        indicator_id,
        status,
        exclusion_reason,
        organization_key,
        evidence_date,
        evidence_value,
        partner_id
    from {{ ref(model) }}
    {% if not loop.last %}union all{% endif %}
{% endfor %}
