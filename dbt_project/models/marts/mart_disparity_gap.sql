with community as (
    select * from {{ source('config', 'community') }}
),

indicator as (
    select * from {{ ref('indicator') }}
),

rate as (
    select * from {{ ref('mart_indicator_rate') }} where denominator_n > 0
),

grouped as (
    select
        rate.*,
        indicator.direction,
        community.minimum_n,
        (race_group = 'all' or race_group = community.race_reference)
        and (gender_group = 'all' or gender_group = community.gender_reference)
        and (economic_group = 'all' or economic_group = community.economic_reference) as is_named,
        {% for kind in ['all_others', 'whole'] %}
        (race_group = 'all' or community.race_reference = '{{ kind }}')
        and (gender_group = 'all' or community.gender_reference = '{{ kind }}')
        and (economic_group = 'all' or community.economic_reference = '{{ kind }}') as is_against_{{ kind }},
        {% endfor %}
        case
            when race_group <> 'all' and gender_group = 'all' and economic_group = 'all' then 'race'
            when race_group = 'all' and gender_group <> 'all' and economic_group = 'all' then 'gender'
            when race_group = 'all' and gender_group = 'all' and economic_group <> 'all' then 'economic'
            when race_group <> 'all' and gender_group <> 'all' and economic_group = 'all' then 'race_gender'
            when race_group <> 'all' and gender_group = 'all' and economic_group <> 'all' then 'race_economic'
            when race_group = 'all' and gender_group <> 'all' and economic_group <> 'all' then 'gender_economic'
            else 'race_gender_economic'
        end as dimension,
        concat_ws(
            ' / ',
            case when race_group <> 'all' then race_group end,
            case when gender_group <> 'all' then gender_group end,
            case when economic_group <> 'all' then economic_group end
        ) as group_value
    from rate
    inner join indicator on rate.indicator_id = indicator.indicator_id
    cross join community
    where not (race_group = 'all' and gender_group = 'all' and economic_group = 'all')
),

-- The group that the community names; else the best one large enough not to be best by chance, and unknown is shown but
-- is nobody's yardstick.
ranked as (
    select
        *,
        row_number() over (
            partition by indicator_id, cohort_year, geography_id, organization_key, race_scheme, dimension
            order by
                case when is_named then 0 else 1 end,
                case when denominator_n >= 30 and group_value not like '%unknown%' then 0 else 1 end,
                case when direction = 'higher' then -rate else rate end,
                denominator_n desc,
                group_value
        ) as place
    from grouped
),

-- Everybody of the place and year; groups that overlap do not add up to them.
everybody as (
    select indicator_id, cohort_year, geography_id, organization_key, denominator_n as all_n, numerator_n as all_x, rate as overall_rate
    from rate
    where race_scheme = 'federal7' and race_group = 'all' and gender_group = 'all' and economic_group = 'all'
),

beside as (
    select
        ranked.*,
        everybody.all_n,
        everybody.all_x,
        everybody.overall_rate,
        everybody.all_n - ranked.denominator_n as others_n,
        everybody.all_x - ranked.numerator_n as others_x,
        best.group_value as best_value,
        best.denominator_n as best_n,
        best.numerator_n as best_x,
        best.rate as best_rate,
        best.rate_low as best_low,
        best.rate_high as best_high,
        cast(everybody.all_x - ranked.numerator_n as double) / nullif(everybody.all_n - ranked.denominator_n, 0) as others_rate,
        greatest(1.96 * sqrt(ranked.rate * (1 - ranked.rate) / ranked.denominator_n), 0.02) as ppg_margin,
        ranked.is_against_all_others or ranked.is_against_whole as is_against_others
    from ranked
    inner join ranked as best
        on ranked.indicator_id = best.indicator_id
        and ranked.cohort_year = best.cohort_year
        and ranked.geography_id = best.geography_id
        and ranked.organization_key = best.organization_key
        and ranked.race_scheme = best.race_scheme
        and ranked.dimension = best.dimension
        and best.place = 1
    left join everybody
        on ranked.indicator_id = everybody.indicator_id
        and ranked.cohort_year = everybody.cohort_year
        and ranked.geography_id = everybody.geography_id
        and ranked.organization_key = everybody.organization_key
),

-- A group differs from the whole by its share of others times its difference to these, and they are independent of it.
compared as (
    select
        *,
        case when is_against_all_others then 'all_others' when is_against_whole then 'whole' else best_value end as reference_value,
        case when is_against_all_others then others_n when is_against_whole then all_n else best_n end as reference_n,
        case when is_against_all_others then others_x when is_against_whole then all_x else best_x end as reference_numerator_n,
        case when is_against_all_others then others_rate when is_against_whole then overall_rate else best_rate end as reference_rate,
        case when is_against_others then others_rate else best_rate end as yard_rate,
        case when is_against_others then case when others_n > 0 then {{ wilson_lower('others_x', 'others_n') }} end else best_low end as yard_low,
        case when is_against_others then case when others_n > 0 then {{ wilson_upper('others_x', 'others_n') }} end else best_high end as yard_high,
        case when is_against_whole then cast(others_n as double) / all_n else 1e0 end as yard_weight
    from beside
)

select
    indicator_id,
    cohort_year,
    geography_id,
    organization_key,
    race_scheme,
    dimension,
    race_group,
    gender_group,
    economic_group,
    group_value,
    reference_value,
    direction,
    denominator_n,
    numerator_n,
    rate,
    reference_n,
    reference_numerator_n,
    reference_rate,
    -- Positive: the group is worse off than the reference, whichever direction is better.
    case when direction = 'higher' then reference_rate - rate else rate - reference_rate end as gap,
    yard_weight * case
        when direction = 'higher' then {{ newcombe_lower('yard_rate', 'yard_low', 'rate', 'rate_high') }}
        else {{ newcombe_lower('rate', 'rate_low', 'yard_rate', 'yard_high') }}
    end as gap_low,
    yard_weight * case
        when direction = 'higher' then {{ newcombe_upper('yard_rate', 'yard_high', 'rate', 'rate_low') }}
        else {{ newcombe_upper('rate', 'rate_high', 'yard_rate', 'yard_low') }}
    end as gap_high,
    rate / nullif(reference_rate, 0) as rate_ratio,
    case
        when reference_rate = 0 then null
        when direction = 'higher' then rate / reference_rate < 0.8
        else (1 - rate) / nullif(1 - reference_rate, 0) < 0.8
    end as is_below_80_percent,
    case
        when direction = 'higher' then rate / nullif(overall_rate, 0)
        else (1 - rate) / nullif(1 - overall_rate, 0)
    end as proportionality_index,
    case when direction = 'higher' then rate - others_rate else others_rate - rate end as ppg,
    ppg_margin,
    case
        when denominator_n <= 10 then null
        when direction = 'higher' then rate + ppg_margin <= others_rate
        else rate - ppg_margin >= others_rate
    end as has_disproportionate_impact,
    cast(greatest(0.0, ceil(case when direction = 'higher' then (reference_rate - rate) else (rate - reference_rate) end * denominator_n - 1e-9)) as bigint) as people_needed_n,
    denominator_n >= minimum_n as is_large_enough
from compared
