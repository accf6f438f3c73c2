{#
  1. Statuses are counted once at the finest grain: indicator, year, school, district, zip and the three groups.
  2. From these counts every combination is added up by CUBE; `all` is the total.
#}
{% set counts = ['eligible_n', 'excluded_n', 'not_measured_n', 'numerator_n'] %}

with status as (
    select * from {{ ref('fct_indicator_count') }}
),

indicator as (
    select * from {{ ref('dim_indicator') }}
),

missing as (
    select * from {{ ref('fct_indicator_missing_feed') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

-- Whole community: every race scheme; the totals of the others are those of federal7.
whole as (
    select
        indicator_id, cohort_year, 'community' as place_kind, 'all' as place, race_scheme,
        coalesce(race_group, 'all') as race_group,
        coalesce(gender_group, 'all') as gender_group,
        coalesce(economic_group, 'all') as economic_group,
        {% for count in counts %}cast(sum({{ count }}) as bigint) as {{ count }}{% if not loop.last %}, {% endif %}{% endfor %}
    from status
    group by indicator_id, cohort_year, race_scheme, cube (race_group, gender_group, economic_group)
),

placed as (
    {% for kind, column in [('organization', 'organization_key'), ('organization', 'district_key'), ('geography', 'zip_geography_id')] %}
        select
            indicator_id, cohort_year, '{{ kind }}' as place_kind, {{ column }} as place, race_scheme,
            race_group, gender_group, economic_group,
            {% for count in counts %}cast(sum({{ count }}) as bigint) as {{ count }}{% if not loop.last %}, {% endif %}{% endfor %}
        from status
        where race_scheme = 'federal7' and {{ column }} is not null
        {% if column == 'district_key' %}and (organization_key is null or district_key <> organization_key){% endif %}
        group by indicator_id, cohort_year, {{ column }}, race_scheme, race_group, gender_group, economic_group
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

below as (
    select
        indicator_id, cohort_year, place_kind, place, race_scheme,
        coalesce(race_group, 'all') as race_group,
        coalesce(gender_group, 'all') as gender_group,
        coalesce(economic_group, 'all') as economic_group,
        {% for count in counts %}cast(sum({{ count }}) as bigint) as {{ count }}{% if not loop.last %}, {% endif %}{% endfor %}
    from placed
    group by indicator_id, cohort_year, place_kind, place, race_scheme, cube (race_group, gender_group, economic_group)
),

crossed as (
    select * from whole where race_scheme = 'federal7' or race_group <> 'all'
    union all
    select * from below
    where
        case when race_group = 'all' then 0 else 1 end
        + case when gender_group = 'all' then 0 else 1 end
        + case when economic_group = 'all' then 0 else 1 end
        <= {{ indicator_parameter('organization_dimensions', 'integer') }}
),

measured as (
    select
        crossed.*,
        eligible_n - excluded_n - not_measured_n as denominator_n
    from crossed
),

rated as (
    select
        *,
        cast(numerator_n as double) / nullif(denominator_n, 0) as rate,
        cast(denominator_n as double) / nullif(eligible_n - excluded_n, 0) as coverage_rate
    from measured
)

select
    rated.indicator_id,
    rated.cohort_year,
    case when rated.place_kind = 'geography' then rated.place else community.geography_id end as geography_id,
    case when rated.place_kind = 'organization' then rated.place else 'all' end as organization_key,
    rated.race_scheme,
    rated.race_group,
    rated.gender_group,
    rated.economic_group,
    rated.eligible_n,
    rated.excluded_n,
    rated.not_measured_n,
    rated.denominator_n,
    rated.numerator_n,
    rated.rate,
    rated.coverage_rate,
    case when rated.denominator_n > 0 then {{ wilson_lower('rated.numerator_n', 'rated.denominator_n') }} end as rate_low,
    case when rated.denominator_n > 0 then {{ wilson_upper('rated.numerator_n', 'rated.denominator_n') }} end as rate_high,
    rated.denominator_n > 0 and rated.coverage_rate >= indicator.minimum_coverage as is_enough_data,
    case
        when rated.not_measured_n > 0 and coalesce(rated.coverage_rate, 0) < indicator.minimum_coverage then missing.missing_feeds
    end as missing_feeds
from rated
inner join indicator on rated.indicator_id = indicator.indicator_id
cross join community
left join missing
    on rated.indicator_id = missing.indicator_id
    and rated.cohort_year = missing.cohort_year
    and rated.place_kind = missing.place_kind
    and rated.place = missing.place
