with community as (
    select * from {{ source('config', 'community') }}
),

choice as (
    select * from {{ source('config', 'indicator_choice') }}
),

gap as (
    select * from {{ ref('mart_gap_trend') }}
),

core_gap as (
    select
        choice.outcome_id,
        gap.*,
        community.gap_count_unit
    from gap
    inner join choice on gap.indicator_id = choice.indicator_id
    cross join community
    where
        (choice.role = 'core' or (choice.role = 'core_further' and community.core_count_unit = 'indicator'))
        and gap.geography_id = community.geography_id
        and gap.organization_key = 'all'
        and gap.race_scheme = 'federal7'
        and gap.dimension in ('race', 'gender', 'economic')
        and gap.group_value <> 'unknown'
),

united as (
    select
        *,
        case gap_count_unit
            when 'group' then concat_ws('|', indicator_id, dimension, group_value)
            when 'dimension' then concat_ws('|', indicator_id, dimension)
            else outcome_id
        end as gap_unit
    from core_gap
),

judged as (
    select
        *,
        -- Of several gaps that count as one, none may have widened.
        gap_count_unit <> 'group'
        and max(case when verdict = 'widened' then 1 else 0 end) over (partition by gap_unit) = 1 as is_spoilt
    from united
)

select
    outcome_id,
    indicator_id,
    dimension,
    group_value,
    reference_value,
    gap_unit,
    verdict,
    is_levelling_down,
    was_adverse_at_baseline,
    -- Only a gap that was there at baseline, beyond noise, can be reduced or eliminated.
    was_adverse_at_baseline and verdict in ('reduced', 'eliminated') and not is_levelling_down and not is_spoilt as counts_as_reduced,
    was_adverse_at_baseline and verdict in ('not_enough_evidence', 'no_comparable_period') and not is_spoilt as is_unknown
from judged
