-- What: the groups of each dimension add up to the total, for the whole community and every place.
-- When: fails if a join makes a person count twice or lose the group; unknown is a group, so nobody may be missing.
-- How to look: compare the sums by dimension with the row whose three groups are all.
with rate as (
    select * from {{ ref('mart_indicator_rate') }} where race_scheme = 'federal7'
),

total as (
    select * from rate where race_group = 'all' and gender_group = 'all' and economic_group = 'all'
),

dimension as (
    select
        indicator_id, cohort_year, geography_id, organization_key,
        case when race_group <> 'all' then 'race' when gender_group <> 'all' then 'gender' else 'economic' end as dimension,
        sum(eligible_n) as eligible_n,
        sum(denominator_n) as denominator_n,
        sum(numerator_n) as numerator_n
    from rate
    where
        case when race_group = 'all' then 0 else 1 end
        + case when gender_group = 'all' then 0 else 1 end
        + case when economic_group = 'all' then 0 else 1 end = 1
    group by 1, 2, 3, 4, 5
)

select dimension.*
from dimension
inner join total
    on dimension.indicator_id = total.indicator_id
    and dimension.cohort_year = total.cohort_year
    and dimension.geography_id = total.geography_id
    and dimension.organization_key = total.organization_key
where
    dimension.eligible_n <> total.eligible_n
    or dimension.denominator_n <> total.denominator_n
    or dimension.numerator_n <> total.numerator_n
