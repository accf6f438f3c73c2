{# Wages of people of an age in a calendar year. Args: indicator id; line, an expression over `quarter` for what a quarter must reach. #}
{% macro employment_indicator(indicator_id, line) %}
with person as (
    select * from {{ ref('dim_person') }}
),

cohort as (
    select * from {{ ref('fct_graduation_cohort') }}
),

wage as (
    select * from {{ ref('fct_employment_quarter') }}
),

living_wage as (
    select * from {{ ref('living_wage') }}
),

term as (
    select * from {{ ref('fct_postsecondary_enrollment') }}
),

search as (
    select * from {{ ref('fct_postsecondary_search') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

due as (
    select
        cohort.person_key,
        person.birth_year + {{ indicator_parameter('employment_age', 'integer') }} as calendar_year,
        cohort.organization_key,
        cohort.partner_id,
        case when cohort.exit_type = 'Died' then cohort.exit_date end as died_date
    from cohort
    inner join person on cohort.person_key = person.person_key
    cross join community
    where
        cohort.years_n = 6
        and cohort.cohort_year + {{ indicator_parameter('employment_years_after_high_school', 'integer') }}
        <= person.birth_year + {{ indicator_parameter('employment_age', 'integer') }}
        and make_date(cast(person.birth_year + {{ indicator_parameter('employment_age', 'integer') }} as integer), 12, 31) < community.as_of_date
),

held as (
    select calendar_year, count(distinct calendar_quarter) as quarter_n
    from wage
    group by calendar_year
),

-- The closest line: of the county and year, of either, or of neither.
quarter as (
    select
        wage.person_key,
        wage.calendar_year,
        wage.calendar_quarter,
        wage.wages,
        living_wage.quarter_wage,
        row_number() over (
            partition by wage.person_key, wage.calendar_year, wage.calendar_quarter
            order by
                case when living_wage.county_fips is not null then 0 else 1 end,
                case when living_wage.year is not null then 0 else 1 end
        ) as fit
    from wage
    left join living_wage
        on (living_wage.county_fips is null or living_wage.county_fips = wage.county_fips)
        and (living_wage.year is null or living_wage.year = wage.calendar_year)
),

reached as (
    select
        person_key,
        calendar_year,
        sum(case when {{ line }} then 1 else 0 end) as quarter_n,
        round(sum(wages), 2) as wages -- cents; the order of a sum leaves no trace
    from quarter
    where fit = 1
    group by person_key, calendar_year
),

studying as (
    select
        due.person_key,
        due.calendar_year
    from due
    inner join term on due.person_key = term.person_key
    where
        term.enrollment_intensity = 'FullTime'
        and term.begin_date <= make_date(cast(due.calendar_year as integer), 10, 1)
        and coalesce(term.end_date, term.begin_date) >= make_date(cast(due.calendar_year as integer), 10, 1)
    group by due.person_key, due.calendar_year
),

judged as (
    select
        due.*,
        coalesce(reached.quarter_n, 0) >= {{ indicator_parameter('employment_quarters') }} as is_reached,
        reached.wages,
        coalesce(held.quarter_n, 0) = 4 as is_held,
        case
            when least(due.died_date, search.deceased_date) <= make_date(cast(due.calendar_year as integer), 12, 31) then 'deceased'
            when studying.person_key is not null then 'enrolled_full_time'
        end as reason
    from due
    left join reached on due.person_key = reached.person_key and due.calendar_year = reached.calendar_year
    left join held on due.calendar_year = held.calendar_year
    left join search on due.person_key = search.person_key
    left join studying on due.person_key = studying.person_key and due.calendar_year = studying.calendar_year
)

select
    person_key,
    cast(calendar_year as bigint) as cohort_year,
    '{{ indicator_id }}' as indicator_id,
    case
        when reason is not null then 'excluded'
        when not is_held then 'not_measured'
        when is_reached then 'met'
        when wages is null and {{ indicator_parameter('employment_absent_from_wages', 'string') }} = 'not_measured' then 'not_measured'
        else 'not_met'
    end as status,
    case
        when reason is not null then reason
        when not is_held then 'missing:workforce_wage_quarter'
        when is_reached then null
        when wages is null and {{ indicator_parameter('employment_absent_from_wages', 'string') }} = 'not_measured'
            then 'no_record:workforce_wage_quarter'
    end as exclusion_reason,
    organization_key,
    make_date(cast(calendar_year as integer), 12, 31) as evidence_date,
    wages as evidence_value,
    partner_id
from judged
{% endmacro %}
