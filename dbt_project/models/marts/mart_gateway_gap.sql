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
    inner join choice on gap.indicator_id = choice.indicator_id and choice.role = 'core'
    cross join community
    where
        gap.geography_id = community.geography_id
        and gap.organization_key = 'all'
        and gap.race_scheme = 'federal7'
        and gap.dimension in ('race', 'gender', 'economic')
        and gap.group_value <> 'unknown'
)

select
    outcome_id,
    indicator_id,
    dimension,
    group_value,
    reference_value,
    case
        when gap_count_unit = 'group' then concat_ws('|', indicator_id, dimension, group_value)
        else concat_ws('|', indicator_id, dimension)
    end as gap_unit,
    verdict,
    is_levelling_down,
    was_adverse_at_baseline,
    -- Only a gap that was there at baseline, beyond noise, can be reduced or eliminated.
    was_adverse_at_baseline and verdict in ('reduced', 'eliminated') and not is_levelling_down as counts_as_reduced,
    was_adverse_at_baseline and verdict = 'not_enough_evidence' as is_unknown
from core_gap
