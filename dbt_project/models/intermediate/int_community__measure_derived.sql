with measure as (
    select
        partner_id,
        geography_id,
        geography_name,
        measure_id,
        period_start_year,
        period_end_year,
        subgroup_dimension,
        subgroup,
        estimate,
        case when margin_of_error >= 0 then margin_of_error end as margin_of_error, -- below zero stand marks
        margin_confidence
    from {{ ref('stg_community__measure') }}
    where value_status = 'exact'
),

part as (
    select
        *,
        count(*) over (partition by measure_id) as part_n
    from {{ ref('community_measure_part') }}
),

definition as (
    select * from {{ ref('community_measure_definition') }}
),

summed as (
    select
        part.measure_id,
        part.part,
        part.part_n,
        measure.partner_id,
        measure.geography_id,
        max(measure.geography_name) as geography_name,
        measure.period_start_year,
        measure.period_end_year,
        measure.subgroup_dimension,
        measure.subgroup,
        measure.margin_confidence,
        count(*) as found_n,
        count(measure.margin_of_error) as margin_n,
        cast(sum(part.factor * measure.estimate) as double) as estimate,
        {{ moe_of_sum('measure.estimate', 'measure.margin_of_error') }} as margin_of_error
    from part
    inner join measure on part.source_measure_id = measure.measure_id
    group by
        part.measure_id,
        part.part,
        part.part_n,
        measure.partner_id,
        measure.geography_id,
        measure.period_start_year,
        measure.period_end_year,
        measure.subgroup_dimension,
        measure.subgroup,
        measure.margin_confidence
),

-- A place lacks the measure when any count is missing or blurred: what is left would be another measure.
whole as (
    select
        measure_id,
        partner_id,
        geography_id,
        max(geography_name) as geography_name,
        period_start_year,
        period_end_year,
        subgroup_dimension,
        subgroup,
        margin_confidence,
        max(case when part = 'numerator' then estimate end) as numerator,
        max(case when part = 'denominator' then estimate end) as denominator,
        max(case when part = 'numerator' then margin_of_error end) as numerator_moe,
        max(case when part = 'denominator' then margin_of_error end) as denominator_moe,
        sum(margin_n) = max(part_n) as has_margin
    from summed
    group by
        measure_id,
        partner_id,
        geography_id,
        period_start_year,
        period_end_year,
        subgroup_dimension,
        subgroup,
        margin_confidence
    having sum(found_n) = max(part_n)
)

select
    whole.partner_id,
    whole.geography_id,
    whole.geography_name,
    whole.measure_id,
    definition.title as measure_label,
    definition.unit,
    whole.period_start_year,
    whole.period_end_year,
    whole.subgroup_dimension,
    whole.subgroup,
    100e0 * whole.numerator / whole.denominator as estimate,
    case
        when whole.has_margin
            then 100e0 * {{ moe_of_proportion('whole.numerator', 'whole.numerator_moe', 'whole.denominator', 'whole.denominator_moe') }}
    end as margin_of_error,
    whole.margin_confidence,
    concat('Computed from ', definition.source) as source
from whole
inner join definition on whole.measure_id = definition.measure_id
where whole.denominator > 0
