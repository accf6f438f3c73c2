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
        ) as place,
        sum(denominator_n) over (
            partition by indicator_id, cohort_year, geography_id, organization_key, race_scheme, dimension
        ) as all_n,
        sum(numerator_n) over (
            partition by indicator_id, cohort_year, geography_id, organization_key, race_scheme, dimension
        ) as all_x
    from grouped
),

compared as (
    select
        ranked.*,
        best.group_value as reference_value,
        best.denominator_n as reference_n,
        best.numerator_n as reference_x,
        best.rate as reference_rate,
        best.rate_low as reference_low,
        best.rate_high as reference_high,
        cast(ranked.all_x - ranked.numerator_n as double) / nullif(ranked.all_n - ranked.denominator_n, 0) as others_rate,
        cast(ranked.all_x as double) / nullif(ranked.all_n, 0) as overall_rate,
        greatest(1.96 * sqrt(ranked.rate * (1 - ranked.rate) / ranked.denominator_n), 0.02) as ppg_margin
    from ranked
    inner join ranked as best
        on ranked.indicator_id = best.indicator_id
        and ranked.cohort_year = best.cohort_year
        and ranked.geography_id = best.geography_id
        and ranked.organization_key = best.organization_key
        and ranked.race_scheme = best.race_scheme
        and ranked.dimension = best.dimension
        and best.place = 1
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
    reference_rate,
    -- Positive: the group is worse off than the reference, whichever direction is better.
    case when direction = 'higher' then reference_rate - rate else rate - reference_rate end as gap,
    case
        when direction = 'higher' then {{ newcombe_lower('reference_rate', 'reference_low', 'rate', 'rate_high') }}
        else {{ newcombe_lower('rate', 'rate_low', 'reference_rate', 'reference_high') }}
    end as gap_low,
    case
        when direction = 'higher' then {{ newcombe_upper('reference_rate', 'reference_high', 'rate', 'rate_low') }}
        else {{ newcombe_upper('rate', 'rate_high', 'reference_rate', 'reference_low') }}
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
