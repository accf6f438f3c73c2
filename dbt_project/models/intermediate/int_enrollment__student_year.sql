with spell as (
    select * from {{ ref('int_enrollment__spell_resolved') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by person_key, school_year
            order by member_days desc, entry_date desc, organization_key
        ) as primacy,
        row_number() over (
            partition by person_key, school_year
            order by entry_date desc, coalesce(exit_date, make_date(cast(school_year as integer), 7, 31)) desc, organization_key
        ) as recency,
        row_number() over (
            partition by person_key, school_year, organization_key
            order by entry_date
        ) as school_spell_order,
        min(entry_date) over (partition by person_key, school_year) as year_entry_date
    from spell
)

select
    person_key,
    school_year,
    max(case when primacy = 1 then organization_key end) as organization_key,
    max(case when primacy = 1 then district_key end) as district_key,
    max(case when primacy = 1 then partner_id end) as partner_id,
    max(case when primacy = 1 then grade_level end) as grade_level,
    max(case when primacy = 1 then grade_number end) as grade_number,
    min(entry_date) as first_entry_date,
    max(case when recency = 1 then exit_date end) as last_exit_date,
    max(case when recency = 1 then exit_type end) as last_exit_type,
    cast(sum(member_days) as bigint) as member_days,
    cast(sum(case when school_spell_order = 1 then 1 else 0 end) as bigint) as school_n,
    -- A further school of the year, entered later and not by promotion, is a change of school.
    cast(
        sum(
            case
                when school_spell_order = 1 and entry_date > year_entry_date and coalesce(entry_type, '') <> 'Promotion' then 1
                else 0
            end
        ) as bigint
    ) as school_change_n,
    max(case when recency = 1 then zip_code end) as zip_code,
    bool_or(is_english_learner) as is_english_learner,
    bool_or(has_disability) as has_disability,
    bool_or(is_homeless) as is_homeless
from ranked
group by person_key, school_year
