with enrollment as (
    select * from {{ ref('stg_postsecondary__enrollment') }}
),

-- The same term at the same college sent twice by one partner is one.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, begin_date, end_date order by delivery_seq desc, source_row desc
        ) as recency
    from enrollment
    where person_key is not null and is_record_found and begin_date is not null
)

select
    person_key,
    organization_key,
    partner_id,
    college_id,
    college_name,
    college_state,
    institution_level,
    institution_control,
    begin_date,
    end_date,
    enrollment_intensity,
    is_pell_recipient,
    search_date,
    -- A withdrawn term is no enrollment; nor is a term shorter than the least length.
    coalesce(enrollment_intensity, '') not in ('Withdrawn', 'LeaveOfAbsence', 'Deceased')
    and (
        end_date is null
        or {{ days_inclusive('begin_date', 'end_date') }} >= {{ indicator_parameter('postsecondary_minimum_days') }}
    ) as is_enrolled,
    coalesce(institution_level, '') in ('TwoYear', 'FourYear') as is_two_or_four_year
from latest
where recency = 1
