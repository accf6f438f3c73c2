with spell as (
    select * from {{ ref('int_enrollment__spell_resolved') }}
)

select
    md5(concat_ws('|', person_key, organization_key, cast(school_year as string), cast(entry_date as string))) as enrollment_spell_key,
    person_key,
    organization_key,
    district_key,
    partner_id,
    school_year,
    grade_level,
    cast(grade_number as bigint) as grade_number,
    entry_date,
    entry_type,
    exit_date,
    reported_exit_date,
    exit_type,
    member_days,
    first_grade9_year
from spell
