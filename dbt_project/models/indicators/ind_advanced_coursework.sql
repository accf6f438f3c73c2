with completion as (
    select * from {{ ref('fct_high_school_completion') }}
),

course as (
    select * from {{ ref('fct_course_credit') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

graduate as (
    select completion.*
    from completion
    cross join community
    where
        completion.is_first_regular_diploma
        and {{ day_in_year('completion.class_year', 'community.graduation_cutoff') }} < community.as_of_date
),

-- Courses of the four years up to graduation tell whether records exist; advanced ones count whenever taken before.
taken as (
    select
        graduate.person_key,
        sum(case when course.school_year > graduate.class_year - 4 then 1 else 0 end) as course_n,
        sum(
            case
                when course.is_passed and {{ has_code(indicator_parameter('advanced_course_levels', 'string'), 'course.course_level') }} then 1
                else 0
            end
        ) as advanced_n
    from graduate
    inner join course on graduate.person_key = course.person_key and course.school_year <= graduate.class_year
    group by graduate.person_key
)

select
    graduate.person_key,
    graduate.class_year as cohort_year,
    'advanced_coursework' as indicator_id,
    case
        when taken.advanced_n > 0 then 'met'
        when taken.course_n > 0 then 'not_met'
        else 'not_measured'
    end as status,
    case
        when coalesce(taken.advanced_n, 0) = 0 and coalesce(taken.course_n, 0) = 0 then 'no_record:k12_course'
    end as exclusion_reason,
    graduate.organization_key,
    graduate.completion_date as evidence_date,
    cast(taken.advanced_n as double) as evidence_value,
    graduate.partner_id
from graduate
left join taken on graduate.person_key = taken.person_key
