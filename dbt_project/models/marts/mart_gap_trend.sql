{% set series = 'indicator_id, geography_id, organization_key, race_scheme, dimension, group_value' %}
{% set past = [
    ('reference_value', 'reference_value'), ('baseline_gap', 'gap'), ('baseline_gap_low', 'gap_low'), ('baseline_gap_high', 'gap_high'),
    ('baseline_rate', 'rate'), ('baseline_reference_rate', 'reference_rate'), ('n0', 'denominator_n'), ('m0', 'reference_n'),
] %}
{% set present = [('latest_rate', 'rate'), ('n1', 'denominator_n'), ('x1', 'numerator_n')] %}

with community as (
    select * from {{ source('config', 'community') }}
),

choice as (
    select indicator_id, max(baseline_year) as chosen_baseline
    from {{ source('config', 'indicator_choice') }}
    where baseline_year is not null
    group by indicator_id
),

enough as (
    select indicator_id, cohort_year, geography_id, organization_key
    from {{ ref('mart_indicator_rate') }}
    where race_group = 'all' and gender_group = 'all' and economic_group = 'all' and is_enough_data
    -- The totals of both race schemes are the same row.
    group by indicator_id, cohort_year, geography_id, organization_key
),

gap as (
    select gap.*
    from {{ ref('mart_disparity_gap') }} as gap
    inner join enough
        on gap.indicator_id = enough.indicator_id
        and gap.cohort_year = enough.cohort_year
        and gap.geography_id = enough.geography_id
        and gap.organization_key = enough.organization_key
    where gap.is_large_enough
),

rate as (
    select * from {{ ref('mart_disparity_gap') }}
),

ends as (
    select
        {{ series }},
        max(cohort_year) as latest_year,
        min(case when cohort_year >= coalesce(chosen_baseline, 0) then cohort_year end) as baseline_year
    from gap
    left join choice using (indicator_id)
    group by {{ series }}
),

-- By grouping, not by joins with itself: a series is only looked at in two of its years.
paired as (
    select
        {{ series }},
        baseline_year,
        latest_year,
        max(direction) as direction,
        {% for name, column in past %}
        max(case when cohort_year = baseline_year then {{ column }} end) as {{ name }},
        {% endfor %}
        {% for name, column in present %}
        max(case when cohort_year = latest_year then {{ column }} end) as {{ name }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from gap
    inner join ends using ({{ series }})
    where latest_year > baseline_year
    group by {{ series }}, baseline_year, latest_year
),

-- The reference group of the baseline year is kept, so that a change of the best group is no change of the gap.
followed as (
    select
        paired.*,
        yardstick.rate as latest_reference_rate,
        yardstick.denominator_n as m1,
        yardstick.numerator_n as y1
    from paired
    inner join rate as yardstick
        on paired.indicator_id = yardstick.indicator_id
        and paired.geography_id = yardstick.geography_id
        and paired.organization_key = yardstick.organization_key
        and paired.race_scheme = yardstick.race_scheme
        and paired.dimension = yardstick.dimension
        and paired.latest_year = yardstick.cohort_year
        and paired.reference_value = yardstick.group_value
    where paired.group_value <> paired.reference_value
),

limited as (
    select
        *,
        case when direction = 'higher' then latest_reference_rate - latest_rate else latest_rate - latest_reference_rate end as latest_gap,
        case
            when direction = 'higher'
                then {{ newcombe_lower('latest_reference_rate', wilson_lower('y1', 'm1'), 'latest_rate', wilson_upper('x1', 'n1')) }}
            else {{ newcombe_lower('latest_rate', wilson_lower('x1', 'n1'), 'latest_reference_rate', wilson_upper('y1', 'm1')) }}
        end as latest_gap_low,
        case
            when direction = 'higher'
                then {{ newcombe_upper('latest_reference_rate', wilson_upper('y1', 'm1'), 'latest_rate', wilson_lower('x1', 'n1')) }}
            else {{ newcombe_upper('latest_rate', wilson_upper('x1', 'n1'), 'latest_reference_rate', wilson_lower('y1', 'm1')) }}
        end as latest_gap_high,
        sqrt(
            latest_rate * (1 - latest_rate) / n1 + latest_reference_rate * (1 - latest_reference_rate) / m1
            + baseline_rate * (1 - baseline_rate) / n0 + baseline_reference_rate * (1 - baseline_reference_rate) / m0
        ) as change_standard_error
    from followed
),

measured as (
    select
        limited.*,
        community.practical_margin,
        latest_gap - baseline_gap as change,
        {{ mover_lower('latest_gap', 'latest_gap_low', 'baseline_gap', 'baseline_gap_high') }} as change_low,
        {{ mover_upper('latest_gap', 'latest_gap_high', 'baseline_gap', 'baseline_gap_low') }} as change_high,
        case
            when change_standard_error > 0
                then {{ p_two_sided('(latest_gap - baseline_gap) / change_standard_error') }}
            else 1.0
        end as p_value,
        case
            when direction = 'higher'
                then {{ newcombe_lower('latest_reference_rate', wilson_lower('y1', 'm1', z_90()), 'latest_rate', wilson_upper('x1', 'n1', z_90())) }}
            else {{ newcombe_lower('latest_rate', wilson_lower('x1', 'n1', z_90()), 'latest_reference_rate', wilson_upper('y1', 'm1', z_90())) }}
        end as latest_gap_low_90,
        case
            when direction = 'higher'
                then {{ newcombe_upper('latest_reference_rate', wilson_upper('y1', 'm1', z_90()), 'latest_rate', wilson_lower('x1', 'n1', z_90())) }}
            else {{ newcombe_upper('latest_rate', wilson_upper('x1', 'n1', z_90()), 'latest_reference_rate', wilson_lower('y1', 'm1', z_90())) }}
        end as latest_gap_high_90
    from limited
    cross join community
),

ranked as (
    select
        *,
        row_number() over (
            partition by geography_id, organization_key, race_scheme, dimension order by p_value, indicator_id, group_value
        ) as p_rank,
        count(*) over (partition by geography_id, organization_key, race_scheme, dimension) as family_n
    from measured
),

corrected as (
    select
        *,
        {{ benjamini_hochberg('p_value', 'p_rank', 'family_n', 'geography_id, organization_key, race_scheme, dimension') }} as q_value
    from ranked
)

select
    indicator_id,
    geography_id,
    organization_key,
    race_scheme,
    dimension,
    group_value,
    reference_value,
    baseline_year,
    latest_year,
    baseline_gap,
    latest_gap,
    change,
    change_low,
    change_high,
    p_value,
    q_value,
    2.8 * change_standard_error as smallest_detectable_change,
    baseline_gap_low > 0 as was_adverse_at_baseline,
    case
        when latest_gap_low_90 > -practical_margin and latest_gap_high_90 < practical_margin and change_high < 0 then 'eliminated'
        when change_high < 0 and q_value < 0.05 then 'reduced'
        when change_low > 0 and q_value < 0.05 then 'widened'
        when change_low > -practical_margin and change_high < practical_margin then 'persistent'
        else 'not_enough_evidence'
    end as verdict,
    change < 0
    and case
        when direction = 'higher' then latest_reference_rate < baseline_reference_rate and latest_rate <= baseline_rate
        else latest_reference_rate > baseline_reference_rate and latest_rate >= baseline_rate
    end as is_levelling_down
from corrected
