with measure as (
    select * from {{ ref('fct_community_measure') }}
),

definition as (
    select * from {{ ref('community_measure_definition') }}
)

select
    measure.geography_id,
    measure.geography_name,
    measure.measure_id,
    coalesce(definition.title, measure.measure_label) as measure_title,
    measure.measure_label,
    definition.adjacent_outcome_id,
    definition.direction,
    measure.unit,
    measure.period_start_year,
    measure.period_end_year,
    measure.subgroup_dimension,
    measure.subgroup,
    measure.estimate,
    measure.margin_of_error,
    measure.margin_confidence,
    measure.standard_error,
    -- The interval is at 95 %, whatever level the margin was published at.
    measure.estimate - 1.959963984540054 * measure.standard_error as estimate_low,
    measure.estimate + 1.959963984540054 * measure.standard_error as estimate_high,
    measure.lower_bound,
    measure.upper_bound,
    measure.value_status,
    measure.annotation,
    measure.source,
    measure.partner_id
from measure
left join definition on measure.measure_id = definition.measure_id
