with source as (
    select * from {{ source('lake', 'community_measure') }}
)

select
    partner_id,
    geography_id,
    geography_name,
    measure_id,
    measure_label,
    {{ known('unit') }} as unit,
    period_start_year,
    period_end_year,
    subgroup_dimension,
    subgroup,
    estimate,
    margin_of_error,
    margin_confidence,
    lower_bound,
    upper_bound,
    value_status,
    annotation,
    source,
    delivery_id,
    delivery_seq,
    source_row
from source
