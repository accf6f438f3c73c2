-- What: every indicator of the seed has a model that gives rows or at least exists, and every model has a seed row.
-- When: fails if an ind_ model was added without its row in the seed, or the other way round.
-- How to look: compare seeds/indicator.csv with models/indicators.
with model as (
    {% for name in indicator_models() %}
        select '{{ name[4:] }}' as indicator_id
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

seed as (
    select indicator_id from {{ ref('indicator') }}
)

select coalesce(model.indicator_id, seed.indicator_id) as indicator_id
from model
full outer join seed on model.indicator_id = seed.indicator_id
where model.indicator_id is null or seed.indicator_id is null
-- depends_on: {{ ref('fct_indicator_status') }}
