{#
  Overlaps are resolved so:
  1. Rows of the same person, school, year and first day are one spell; the latest delivery tells it.
  2. Within one school and year a spell ends the day before the next one begins.
  3. Spells in different schools may overlap: they are kept as they were reported.
#}
with enrollment as (
    select * from {{ ref('stg_k12__enrollment') }}
),

latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, school_year, entry_date
            order by delivery_seq desc, source_row desc
        ) as recency
    from enrollment
    where person_key is not null
),

sequenced as (
    select
        *,
        lead(entry_date) over (
            partition by person_key, organization_key, school_year order by entry_date
        ) as next_entry_date
    from latest
    where recency = 1
),

resolved as (
    select
        *,
        case
            when next_entry_date is not null and (exit_date is null or exit_date >= next_entry_date)
                then {{ dbt.dateadd('day', -1, 'next_entry_date') }}
            else exit_date
        end as resolved_exit_date
    from sequenced
)

select
    person_key,
    organization_key,
    district_key,
    partner_id,
    school_year,
    grade_level,
    {{ grade_number('grade_level') }} as grade_number,
    entry_date,
    entry_type,
    exit_date as reported_exit_date,
    cast(resolved_exit_date as date) as exit_date,
    case when exit_date is null or cast(resolved_exit_date as date) = exit_date then exit_type end as exit_type,
    cast(
        greatest(
            {{ days_inclusive(
                "greatest(entry_date, make_date(cast(school_year - 1 as integer), 7, 1))",
                "coalesce(cast(resolved_exit_date as date), make_date(cast(school_year as integer), 6, 30))"
            ) }},
            0
        ) as bigint
    ) as member_days,
    first_grade9_year,
    zip_code,
    is_english_learner,
    has_disability,
    is_homeless,
    delivery_seq,
    source_row
from resolved
