{% set series = 'indicator_id, geography_id, organization_key, race_scheme, dimension, group_value' %}
{% set past = [
    ('baseline_reference_value', 'reference_value'), ('baseline_gap', 'gap'), ('baseline_gap_low', 'gap_low'), ('baseline_gap_high', 'gap_high'),
    ('baseline_rate', 'rate'), ('baseline_reference_rate', 'reference_rate'), ('n0', 'denominator_n'), ('x0', 'numerator_n'),
    ('m0', 'reference_n'), ('y0', 'reference_numerator_n'),
] %}
{% set present = [
    ('latest_reference_value', 'reference_value'), ('latest_rate', 'rate'), ('n1', 'denominator_n'), ('x1', 'numerator_n'),
    ('own_m1', 'reference_n'), ('own_y1', 'reference_numerator_n'),
] %}

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

incomparable as (
    select * from {{ ref('fct_indicator_incomparable_year') }}
),

dated as (
    select
        gap.*,
        ends.latest_year,
        gap.cohort_year < ends.latest_year as is_earlier,
        gap.cohort_year < ends.latest_year and incomparable.indicator_id is null
        and gap.cohort_year >= coalesce(choice.chosen_baseline, 0) as may_be_baseline,
        gap.cohort_year < ends.latest_year and incomparable.indicator_id is not null
        and gap.cohort_year >= coalesce(choice.chosen_baseline, 0) as is_incomparable
    from gap
    inner join (
        select {{ series }}, max(cohort_year) as latest_year
        from gap
        group by {{ series }}
    ) as ends using ({{ series }})
    left join choice on gap.indicator_id = choice.indicator_id
    left join incomparable
        on gap.indicator_id = incomparable.indicator_id
        and gap.organization_key = incomparable.organization_key
        and gap.cohort_year = incomparable.cohort_year
        and ends.latest_year = incomparable.later_year
),

-- By grouping, not by joins with itself: a series is only looked at in two of its years.
grouped as (
    select
        {{ series }},
        latest_year,
        min(case when may_be_baseline then cohort_year end) as baseline_year,
        max(case when is_incomparable then 1 else 0 end) = 1 as has_incomparable,
        max(case when is_incomparable and gap_low > 0 then 1 else 0 end) = 1 as was_adverse_before,
        max(direction) as direction,
        {% for name, column in past %}
        min_by({{ column }}, cohort_year) filter (where may_be_baseline) as {{ name }},
        {% endfor %}
        {% for name, column in present %}
        max(case when not is_earlier then {{ column }} end) as {{ name }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from dated
    group by {{ series }}, latest_year
),

paired as (
    select
        *,
        coalesce(baseline_reference_value, latest_reference_value) as reference_value
    from grouped
    where baseline_year is not null or has_incomparable
),

-- The reference group of the baseline year is kept, so that a change of the best group is no change of the gap.
compared as (
    select
        paired.*,
        case when paired.reference_value in ('all_others', 'whole') then paired.own_m1 else yardstick.denominator_n end as reference_m1,
        case when paired.reference_value in ('all_others', 'whole') then paired.own_y1 else yardstick.numerator_n end as reference_y1
    from paired
    left join rate as yardstick
        on paired.indicator_id = yardstick.indicator_id
        and paired.geography_id = yardstick.geography_id
        and paired.organization_key = yardstick.organization_key
        and paired.race_scheme = yardstick.race_scheme
        and paired.dimension = yardstick.dimension
        and paired.latest_year = yardstick.cohort_year
        and paired.reference_value = yardstick.group_value
    where paired.group_value <> paired.reference_value
),

-- The whole holds the group: it is compared with the others, of whom the gap is the share (see mart_disparity_gap).
followed as (
    select
        *,
        cast(reference_y1 as double) / nullif(reference_m1, 0) as latest_reference_rate,
        case when reference_value = 'whole' then reference_m1 - n1 else reference_m1 end as m1,
        case when reference_value = 'whole' then reference_y1 - x1 else reference_y1 end as y1,
        case when reference_value = 'whole' then m0 - n0 else m0 end as yard_m0,
        case when reference_value = 'whole' then y0 - x0 else y0 end as yard_y0,
        case when reference_value = 'whole' then cast(reference_m1 - n1 as double) / reference_m1 else 1e0 end as weight1,
        case when reference_value = 'whole' then cast(m0 - n0 as double) / m0 else 1e0 end as weight0
    from compared
    where reference_m1 > 0
),

rated as (
    select
        *,
        cast(y1 as double) / nullif(m1, 0) as yard_rate1,
        cast(yard_y0 as double) / nullif(yard_m0, 0) as yard_rate0
    from followed
),

limited as (
    select
        *,
        case when direction = 'higher' then latest_reference_rate - latest_rate else latest_rate - latest_reference_rate end as latest_gap,
        weight1 * case
            when direction = 'higher'
                then {{ newcombe_lower('yard_rate1', wilson_lower('y1', 'm1'), 'latest_rate', wilson_upper('x1', 'n1')) }}
            else {{ newcombe_lower('latest_rate', wilson_lower('x1', 'n1'), 'yard_rate1', wilson_upper('y1', 'm1')) }}
        end as latest_gap_low,
        weight1 * case
            when direction = 'higher'
                then {{ newcombe_upper('yard_rate1', wilson_upper('y1', 'm1'), 'latest_rate', wilson_lower('x1', 'n1')) }}
            else {{ newcombe_upper('latest_rate', wilson_upper('x1', 'n1'), 'yard_rate1', wilson_lower('y1', 'm1')) }}
        end as latest_gap_high,
        sqrt(
            weight1 * weight1 * (latest_rate * (1 - latest_rate) / n1 + yard_rate1 * (1 - yard_rate1) / m1)
            + weight0 * weight0 * (baseline_rate * (1 - baseline_rate) / n0 + yard_rate0 * (1 - yard_rate0) / yard_m0)
        ) as change_standard_error
    from rated
    where m1 > 0
),

measured as (
    select
        limited.*,
        community.practical_margin,
        latest_gap - baseline_gap as change,
        {{ mover_lower('latest_gap', 'latest_gap_low', 'baseline_gap', 'baseline_gap_high') }} as change_low,
        {{ mover_upper('latest_gap', 'latest_gap_high', 'baseline_gap', 'baseline_gap_low') }} as change_high,
        case
            when baseline_year is null then null
            when change_standard_error > 0
                then {{ p_two_sided('(latest_gap - baseline_gap) / change_standard_error') }}
            else 1.0
        end as p_value,
        weight1 * case
            when direction = 'higher'
                then {{ newcombe_lower('yard_rate1', wilson_lower('y1', 'm1', z_90()), 'latest_rate', wilson_upper('x1', 'n1', z_90())) }}
            else {{ newcombe_lower('latest_rate', wilson_lower('x1', 'n1', z_90()), 'yard_rate1', wilson_upper('y1', 'm1', z_90())) }}
        end as latest_gap_low_90,
        weight1 * case
            when direction = 'higher'
                then {{ newcombe_upper('yard_rate1', wilson_upper('y1', 'm1', z_90()), 'latest_rate', wilson_lower('x1', 'n1', z_90())) }}
            else {{ newcombe_upper('latest_rate', wilson_upper('x1', 'n1', z_90()), 'yard_rate1', wilson_lower('y1', 'm1', z_90())) }}
        end as latest_gap_high_90
    from limited
    cross join community
),

ranked as (
    select
        *,
        row_number() over (
            partition by geography_id, organization_key, race_scheme, dimension, p_value is null order by p_value, indicator_id, group_value
        ) as p_rank,
        count(p_value) over (partition by geography_id, organization_key, race_scheme, dimension) as family_n
    from measured
),

corrected as (
    select
        *,
        case
            when p_value is not null
                then {{ benjamini_hochberg('p_value', 'p_rank', 'family_n', 'geography_id, organization_key, race_scheme, dimension, p_value is null') }}
        end as q_value
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
    case when baseline_year is null then was_adverse_before else baseline_gap_low > 0 end as was_adverse_at_baseline,
    case
        when baseline_year is null then 'no_comparable_period'
        when latest_gap_low_90 > -practical_margin and latest_gap_high_90 < practical_margin and change_high < 0 then 'eliminated'
        when change_high < 0 and q_value < 0.05 then 'reduced'
        when change_low > 0 and q_value < 0.05 then 'widened'
        when change_low > -practical_margin and change_high < practical_margin then 'persistent'
        else 'not_enough_evidence'
    end as verdict,
    baseline_year is not null
    and change < 0
    and case
        when direction = 'higher' then latest_reference_rate < baseline_reference_rate and latest_rate <= baseline_rate
        else latest_reference_rate > baseline_reference_rate and latest_rate >= baseline_rate
    end as is_levelling_down
from corrected
