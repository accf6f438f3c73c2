-- What: whoever is excluded or not measured has a reason, and whoever is judged has none.
-- When: fails if an indicator leaves people out silently.
-- How to look: read the case expressions of the indicator's model.
select
    indicator_id,
    status,
    count(*) as row_n
from {{ ref('fct_indicator_status') }}
where (status in ('excluded', 'not_measured')) <> (exclusion_reason is not null)
group by indicator_id, status
