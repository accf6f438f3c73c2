{{ config(severity='warn') }}
-- What: every row has a person.
-- When: warns if linkage gave some rows of a feed no person; they count in no indicator.
-- How to look: read mart_linkage_quality, then the linkage report of the feed's partner.
select
    feed_id,
    partner_id,
    school_year,
    unlinked_n,
    row_n
from {{ ref('int_coverage__feed_year') }}
where unlinked_n > 0
