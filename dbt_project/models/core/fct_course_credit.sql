with course as (
    select * from {{ ref('stg_k12__course') }}
),

-- The same course and term sent twice is one; the latest delivery tells it.
latest as (
    select
        *,
        row_number() over (
            partition by person_key, organization_key, school_year, term, course_id
            order by delivery_seq desc, source_row desc
        ) as recency
    from course
    where person_key is not null
)

select
    person_key,
    organization_key,
    partner_id,
    school_year,
    term,
    course_id,
    course_title,
    course_subject,
    course_level,
    sced_code,
    -- 02052 is algebra I; SCED 02053 to 02199 are the courses that follow it.
    coalesce(is_algebra_1_or_higher, sced_code between '02052' and '02199', false) as is_algebra_1_or_higher,
    credits_attempted,
    credits_earned,
    final_mark,
    is_passed
from latest
where recency = 1
