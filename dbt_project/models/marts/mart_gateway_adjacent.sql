with community as (
    select * from {{ source('config', 'community') }}
),

choice as (
    select * from {{ source('config', 'indicator_choice') }} where role = 'adjacent'
),

measure as (
    select * from {{ ref('fct_community_measure') }}
),

in_geography as (
    select
        measure.measure_id,
        measure.geography_id,
        measure.period_start_year,
        measure.period_end_year,
        measure.estimate,
        measure.standard_error
    from measure
    cross join community
    where
        measure.value_status = 'exact'
        and measure.subgroup = 'all'
        and (
            measure.geography_id = community.geography_id
            or community.geographies like concat('%"', measure.geography_id, '"%')
        )
),

latest as (
    select
        *,
        row_number() over (partition by measure_id, geography_id order by period_end_year desc) as recency
    from in_geography
),

-- Periods that share a year share respondents and are not compared as if they were independent.
earlier as (
    select
        latest.measure_id,
        latest.geography_id,
        in_geography.period_end_year as baseline_end_year,
        in_geography.estimate as baseline_estimate,
        in_geography.standard_error as baseline_standard_error,
        latest.period_end_year as latest_end_year,
        latest.estimate as latest_estimate,
        latest.standard_error as latest_standard_error,
        row_number() over (
            partition by latest.measure_id, latest.geography_id order by in_geography.period_end_year
        ) as age_rank
    from latest
    inner join in_geography
        on latest.measure_id = in_geography.measure_id
        and latest.geography_id = in_geography.geography_id
        and in_geography.period_end_year < latest.period_start_year
    where latest.recency = 1
),

compared as (
    select
        choice.indicator_id as measure_id,
        choice.direction,
        earlier.geography_id,
        earlier.baseline_end_year,
        earlier.latest_end_year,
        earlier.baseline_estimate,
        earlier.latest_estimate,
        earlier.latest_estimate - earlier.baseline_estimate as change,
        sqrt(
            coalesce(earlier.baseline_standard_error * earlier.baseline_standard_error, 0)
            + coalesce(earlier.latest_standard_error * earlier.latest_standard_error, 0)
        ) as change_standard_error
    from choice
    left join earlier on choice.indicator_id = earlier.measure_id and earlier.age_rank = 1
)

select
    measure_id,
    direction,
    geography_id,
    baseline_end_year,
    latest_end_year,
    baseline_estimate,
    latest_estimate,
    change,
    change_standard_error,
    case
        when change is null then 'not_measured'
        when abs(change) <= 1.959963984540054 * change_standard_error then 'not_enough_evidence'
        when (change > 0) = (direction = 'higher') then 'improved'
        else 'declined'
    end as verdict
from compared
