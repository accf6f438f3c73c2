{% set series = 'indicator_id, geography_id, organization_key, race_scheme, race_group, gender_group, economic_group' %}
{% set values = [('x', 'numerator_n'), ('n', 'denominator_n'), ('p', 'rate'), ('l', 'rate_low'), ('u', 'rate_high')] %}

with community as (
    select * from {{ source('config', 'community') }}
),

choice as (
    select indicator_id, max(baseline_year) as baseline_year
    from {{ source('config', 'indicator_choice') }}
    where baseline_year is not null
    group by indicator_id
),

indicator as (
    select * from {{ ref('indicator') }}
),

rate as (
    select
        rate.*,
        choice.baseline_year as chosen_baseline
    from {{ ref('mart_indicator_rate') }} as rate
    left join choice on rate.indicator_id = choice.indicator_id
    where rate.is_enough_data and rate.denominator_n > 0
),

incomparable as (
    select * from {{ ref('fct_indicator_incomparable_year') }}
),

-- By grouping, not by windows and joins with itself: a row here is only wanted for three of its years.
dated as (
    select
        rate.*,
        span.latest_year,
        rate.cohort_year < span.latest_year as is_earlier,
        rate.cohort_year < span.latest_year and incomparable.indicator_id is null as is_comparable,
        rate.cohort_year < span.latest_year and incomparable.indicator_id is null
        and (chosen_baseline is null or chosen_baseline > span.latest_year or rate.cohort_year >= chosen_baseline) as may_be_baseline
    from rate
    inner join (
        select {{ series }}, max(cohort_year) as latest_year
        from rate
        group by {{ series }}
    ) as span using ({{ series }})
    left join incomparable
        on rate.indicator_id = incomparable.indicator_id
        and rate.organization_key = incomparable.organization_key
        and rate.cohort_year = incomparable.cohort_year
        and span.latest_year = incomparable.later_year
),

paired as (
    select
        {{ series }},
        latest_year,
        min(case when may_be_baseline then cohort_year end) as baseline_year,
        max(case when is_comparable then cohort_year end) as previous_year,
        case
            when max(case when is_earlier and not is_comparable then 1 else 0 end) = 1
                then coalesce(min(case when is_comparable then cohort_year end), latest_year)
        end as comparable_from_year,
        {% for name, column in values %}
        max(case when not is_earlier then {{ column }} end) as {{ name }}1,
        min_by({{ column }}, cohort_year) filter (where may_be_baseline) as {{ name }}0,
        max_by({{ column }}, cohort_year) filter (where is_comparable) as {{ name }}p{% if not loop.last %},{% endif %}
        {% endfor %}
    from dated
    group by {{ series }}, latest_year
),

measured as (
    select
        paired.*,
        indicator.direction,
        community.practical_margin,
        p1 - p0 as change,
        {{ newcombe_lower('p1', 'l1', 'p0', 'u0') }} as change_low,
        {{ newcombe_upper('p1', 'u1', 'p0', 'l0') }} as change_high,
        {{ newcombe_lower('p1', wilson_lower('x1', 'n1', z_90()), 'p0', wilson_upper('x0', 'n0', z_90())) }} as change_low_90,
        {{ newcombe_upper('p1', wilson_upper('x1', 'n1', z_90()), 'p0', wilson_lower('x0', 'n0', z_90())) }} as change_high_90,
        case when p0 is not null then {{ two_proportion_z('x1', 'n1', 'x0', 'n0') }} end as z,
        p1 - pp as step,
        {{ newcombe_lower('p1', 'l1', 'pp', 'up') }} as step_low,
        {{ newcombe_upper('p1', 'u1', 'pp', 'lp') }} as step_high,
        {{ newcombe_lower('p1', wilson_lower('x1', 'n1', z_90()), 'pp', wilson_upper('xp', 'np', z_90())) }} as step_low_90,
        {{ newcombe_upper('p1', wilson_upper('x1', 'n1', z_90()), 'pp', wilson_lower('xp', 'np', z_90())) }} as step_high_90,
        case when pp is not null then {{ two_proportion_z('x1', 'n1', 'xp', 'np') }} end as step_z
    from paired
    inner join indicator on paired.indicator_id = indicator.indicator_id
    cross join community
),

tested as (
    select
        *,
        case when z is not null then {{ p_two_sided('z') }} end as p_value,
        case when step_z is not null then {{ p_two_sided('step_z') }} end as step_p_value,
        -- Totals and groups are families of their own: the headline is not weighed down by its subgroups.
        concat_ws(
            '|', geography_id, organization_key, race_scheme,
            case when race_group = 'all' then '-' else 'race' end,
            case when gender_group = 'all' then '-' else 'gender' end,
            case when economic_group = 'all' then '-' else 'economic' end
        ) as family
    from measured
),

ranked as (
    select
        *,
        row_number() over (partition by family, p_value is null order by p_value, indicator_id, race_group, gender_group, economic_group) as p_rank,
        count(p_value) over (partition by family) as family_n,
        row_number() over (partition by family, step_p_value is null order by step_p_value, indicator_id, race_group, gender_group, economic_group) as step_rank,
        count(step_p_value) over (partition by family) as step_family_n
    from tested
),

corrected as (
    select
        *,
        case when p_value is not null then {{ benjamini_hochberg('p_value', 'p_rank', 'family_n', 'family, p_value is null') }} end as q_value,
        case when step_p_value is not null then {{ benjamini_hochberg('step_p_value', 'step_rank', 'step_family_n', 'family, step_p_value is null') }} end as step_q_value
    from ranked
)

select
    indicator_id,
    geography_id,
    organization_key,
    race_scheme,
    race_group,
    gender_group,
    economic_group,
    direction,
    baseline_year,
    previous_year,
    latest_year,
    comparable_from_year,
    p0 as baseline_rate,
    pp as previous_rate,
    p1 as latest_rate,
    n0 as baseline_denominator_n,
    n1 as latest_denominator_n,
    change,
    change_low,
    change_high,
    p_value,
    q_value,
    {{ change_verdict('change', 'change_low', 'change_high', 'q_value', 'change_low_90', 'change_high_90', 'practical_margin', 'direction', 'comparable_from_year') }} as verdict_vs_baseline,
    {{ plain_verdict('change', 'practical_margin', 'direction', 'comparable_from_year') }} as plain_vs_baseline,
    step as change_vs_previous,
    step_low as change_vs_previous_low,
    step_high as change_vs_previous_high,
    {{ change_verdict('step', 'step_low', 'step_high', 'step_q_value', 'step_low_90', 'step_high_90', 'practical_margin', 'direction', 'comparable_from_year') }} as verdict_vs_previous,
    {{ plain_verdict('step', 'practical_margin', 'direction', 'comparable_from_year') }} as plain_vs_previous
from corrected
