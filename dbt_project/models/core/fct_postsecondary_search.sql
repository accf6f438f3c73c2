with search as (
    select * from {{ ref('int_postsecondary__search_resolved') }}
)

select
    person_key,
    searched_through_date,
    deceased_date
from search
