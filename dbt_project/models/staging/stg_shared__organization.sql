with source as (
    select * from {{ source('lake', 'organization') }}
)

select
    partner_id,
    {{ organization_key('partner_id', 'organization_id') }} as organization_key,
    {{ organization_key('partner_id', 'parent_organization_id') }} as parent_organization_key,
    organization_id,
    organization_name,
    {{ known('organization_type') }} as organization_type,
    parent_organization_id,
    nces_id,
    county_fips,
    zip_code,
    {{ known('low_grade') }} as low_grade,
    {{ known('high_grade') }} as high_grade,
    {{ yes_no('is_community_eligible') }} as is_community_eligible,
    delivery_id,
    delivery_seq,
    source_row
from source
