{% set shared = 'geography_id, geography_name, measure_id, measure_label, unit, period_start_year, period_end_year, subgroup_dimension, subgroup, estimate, margin_of_error, margin_confidence' %}

with measure as (
    select
        {{ shared }},
        lower_bound,
        upper_bound,
        value_status,
        annotation,
        source,
        partner_id
    from {{ ref('stg_community__measure') }}
    union all
    select
        {{ shared }},
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound,
        'exact' as value_status,
        cast(null as string) as annotation,
        source,
        partner_id
    from {{ ref('int_community__measure_derived') }}
)

select
    geography_id,
    geography_name,
    measure_id,
    measure_label,
    unit,
    period_start_year,
    period_end_year,
    coalesce(subgroup_dimension, 'all') as subgroup_dimension,
    coalesce(subgroup, 'all') as subgroup,
    estimate,
    margin_of_error,
    coalesce(margin_confidence, 0.90) as margin_confidence,
    case when margin_of_error >= 0 then {{ se_from_moe('margin_of_error', 'coalesce(margin_confidence, 0.90)') }} end as standard_error,
    lower_bound,
    upper_bound,
    value_status,
    annotation,
    source,
    partner_id
from measure
