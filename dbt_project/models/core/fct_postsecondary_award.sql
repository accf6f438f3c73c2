with award as (
    select * from {{ ref('stg_postsecondary__award') }}
),

-- The same award sent twice by one partner is one.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, award_date, award_title order by delivery_seq desc, source_row desc
        ) as recency
    from award
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    college_id,
    institution_level,
    award_date,
    award_level,
    award_title,
    cip_code,
    award_level in ('CertificateOneYearOrMore', 'Associate', 'Bachelor', 'Graduate') as is_year_or_more
from latest
where recency = 1
