with credit as (
    select * from {{ ref('stg_postsecondary__credit') }}
),

-- The same term at the same college sent twice is one.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, term_begin_date order by delivery_seq desc, source_row desc
        ) as recency
    from credit
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    term_begin_date,
    credits_attempted,
    credits_earned,
    is_pell_recipient
from latest
where recency = 1
