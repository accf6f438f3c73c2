with cut as (
    select * from {{ ref('int_assessment__cut_score_resolved') }}
)

select
    instrument_id,
    subject,
    grade_level,
    first_year,
    last_year,
    level,
    cut_score,
    case when priority = 1 then 'community' else 'seed' end as set_by
from cut
