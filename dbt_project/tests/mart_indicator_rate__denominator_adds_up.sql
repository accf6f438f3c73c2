-- What: denominator is eligible less excluded less not measured, and the rate is numerator by denominator.
-- When: fails if a status is counted twice or not at all, or a person meets the numerator without being in the denominator.
-- How to look: select the row's cell in marts.fct_indicator_status and count by status.
select *
from {{ ref('mart_indicator_rate') }}
where
    denominator_n <> eligible_n - excluded_n - not_measured_n
    or numerator_n > denominator_n
    or denominator_n < 0
    or abs(coalesce(rate, 0) - coalesce(cast(numerator_n as double) / nullif(denominator_n, 0), 0)) > 1e-12
    or (rate is null) <> (denominator_n = 0)
    or not (coalesce(rate_low, 0) <= coalesce(rate, 0) + 1e-12 and coalesce(rate, 0) <= coalesce(rate_high, 0) + 1e-12)
