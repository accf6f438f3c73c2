{% set series = 'indicator_id, cohort_year, geography_id, organization_key, race_scheme, dimension' %}

-- Groups that overlap have no shares of a whole: people alone or in combination would count several times.
with gap as (
    select * from {{ ref('mart_disparity_gap') }}
    where race_scheme <> 'alone_or_in_combination' or dimension not like '%race%'
),

whole as (
    select
        {{ series }},
        count(*) as group_n,
        sum(denominator_n) as all_n,
        cast(sum(numerator_n) as double) / sum(denominator_n) as overall_rate,
        max(rate) - min(rate) as widest_gap,
        -- Where each group has others of its own to be compared with, the whole stands for them.
        case
            when max(reference_value) = 'all_others' then cast(sum(numerator_n) as double) / sum(denominator_n)
            else max(reference_rate)
        end as reference_rate,
        count(*) - max(case when reference_value in ('all_others', 'whole') then 0 else 1 end) as compared_n,
        max(case when is_large_enough then 0 else 1 end) = 1 as has_small_group
    from gap
    group by {{ series }}
),

summed as (
    select
        {{ series }},
        -- Sums of decimals are the same in whatever order they are made, so two machines publish the same digits.
        cast(sum(cast(gap.denominator_n * (gap.rate - whole.overall_rate) * (gap.rate - whole.overall_rate) as decimal(38, 15))) as double) as squares,
        cast(sum(cast(case when gap.rate > 0 then gap.denominator_n * (gap.rate / whole.overall_rate) * ln(gap.rate / whole.overall_rate) else 0e0 end as decimal(38, 15))) as double) as entropy,
        cast(sum(cast(abs(gap.rate - whole.reference_rate) as decimal(38, 15))) as double) as distance
    from gap
    inner join whole using ({{ series }})
    group by {{ series }}
)

select
    {{ series }},
    whole.group_n,
    cast(whole.all_n as bigint) as denominator_n,
    whole.overall_rate,
    whole.reference_rate,
    whole.widest_gap,
    summed.squares / whole.all_n as between_group_variance,
    case when whole.overall_rate > 0 then summed.entropy / whole.all_n end as theil_index,
    case when whole.reference_rate > 0 then 100e0 * summed.distance / whole.compared_n / whole.reference_rate end as index_of_disparity,
    whole.has_small_group
from whole
inner join summed using ({{ series }})
where whole.group_n > 1
