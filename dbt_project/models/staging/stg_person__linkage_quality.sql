with quality as (
    select * from {{ source('lake', 'linkage_quality') }}
)

select
    partner_id,
    link_stage,
    records_n,
    linked_n,
    match_rate,
    grey_zone_rate,
    estimated_precision,
    estimated_recall
from quality
where partner_id is not null
