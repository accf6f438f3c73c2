with wage as (
    select * from {{ ref('stg_workforce__wage_quarter') }}
),

-- The same employer and quarter sent twice is one; the latest delivery tells it.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, employer_key, year, quarter order by delivery_seq desc, source_row desc
        ) as recency
    from wage
    where person_key is not null
)

select
    person_key,
    year as calendar_year,
    quarter as calendar_quarter,
    min(partner_id) as partner_id,
    sum(wages) as wages,
    count(*) as employer_n,
    max(county_fips) as county_fips
from latest
where recency = 1
group by person_key, year, quarter
