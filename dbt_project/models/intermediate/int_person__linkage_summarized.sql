with quality as (
    select * from {{ ref('stg_person__linkage_quality') }}
)

-- Linkage tells these three of the partner as a whole and repeats them for each stage of linking.
select
    partner_id,
    max(grey_zone_rate) as grey_zone_rate,
    max(estimated_precision) as estimated_precision,
    max(estimated_recall) as estimated_recall,
    cast(sum(records_n) as bigint) as source_person_n,
    cast(sum(case when link_stage = 'deterministic' then linked_n else 0 end) as bigint) as linked_by_rule_n,
    cast(sum(case when link_stage = 'probabilistic' then linked_n else 0 end) as bigint) as linked_by_score_n,
    cast(sum(case when link_stage = 'reviewed' then linked_n else 0 end) as bigint) as linked_by_reviewer_n
from quality
group by partner_id
