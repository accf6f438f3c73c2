with chosen as (
    select * from {{ source('config', 'cut_score') }}
),

default_cut as (
    select * from {{ ref('cut_score') }}
),

joined as (
    select instrument_id, subject, grade_level, first_year, last_year, level, cut_score, 1 as priority from chosen
    union all
    select instrument_id, subject, grade_level, first_year, last_year, level, cut_score, 2 as priority from default_cut
)

select
    upper(trim(instrument_id)) as instrument_id,
    nullif(subject, '') as subject,
    nullif(grade_level, '') as grade_level,
    cast(coalesce(first_year, 0) as bigint) as first_year,
    cast(coalesce(last_year, 9999) as bigint) as last_year,
    lower(trim(nullif(level, ''))) as level,
    cast(cut_score as double) as cut_score,
    priority
from joined
