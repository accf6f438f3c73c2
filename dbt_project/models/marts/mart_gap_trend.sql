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
        gap.indicator_id,
        gap.geography_id,
        gap.organization_key,
        gap.race_scheme,
        gap.dimension,
        gap.group_value,
        max(gap.cohort_year) as latest_year,
        min(case when gap.cohort_year >= coalesce(choice.chosen_baseline, 0) then gap.cohort_year end) as baseline_year
    from gap
    left join choice on gap.indicator_id = choice.indicator_id
    group by gap.indicator_id, gap.geography_id, gap.organization_key, gap.race_scheme, gap.dimension, gap.group_value
),

-- The reference group of the baseline year is kept, so that a change of the best group is no change of the gap.
followed as (
    select
        ends.indicator_id,
        ends.geography_id,
        ends.organization_key,
        ends.race_scheme,
        ends.dimension,
        ends.group_value,
        ends.baseline_year,
        ends.latest_year,
        past.reference_value,
        past.direction,
        past.gap as baseline_gap,
        past.gap_low as baseline_gap_low,
        past.gap_high as baseline_gap_high,
        past.rate as baseline_rate,
        past.reference_rate as baseline_reference_rate,
        past.denominator_n as n0,
        past.reference_n as m0,
        present.rate as latest_rate,
        present.denominator_n as n1,
        present.numerator_n as x1,
        yardstick.rate as latest_reference_rate,
        yardstick.denominator_n as m1,
        yardstick.numerator_n as y1
    from ends
    inner join gap as past
        on ends.indicator_id = past.indicator_id
        and ends.geography_id = past.geography_id
        and ends.organization_key = past.organization_key
        and ends.race_scheme = past.race_scheme
        and ends.dimension = past.dimension
        and ends.group_value = past.group_value
        and ends.baseline_year = past.cohort_year
    inner join gap as present
        on ends.indicator_id = present.indicator_id
        and ends.geography_id = present.geography_id
        and ends.organization_key = present.organization_key
        and ends.race_scheme = present.race_scheme
        and ends.dimension = present.dimension
        and ends.group_value = present.group_value
        and ends.latest_year = present.cohort_year
    inner join rate as yardstick
        on present.indicator_id = yardstick.indicator_id
        and present.geography_id = yardstick.geography_id
        and present.organization_key = yardstick.organization_key
        and present.race_scheme = yardstick.race_scheme
        and present.dimension = yardstick.dimension
        and present.cohort_year = yardstick.cohort_year
        and past.reference_value = yardstick.group_value
    where ends.latest_year > ends.baseline_year and ends.group_value <> past.reference_value
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
