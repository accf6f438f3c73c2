with student as (
    select * from {{ ref('fct_person_year') }}
),

result as (
    select * from {{ ref('fct_assessment_result') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

kindergartner as (
    select
        *,
        min(school_year) over (partition by person_key) as first_kindergarten_year
    from student
    where is_enrolled and grade_number = 0
),

-- Of several complete assessments in the window the first counts.
ranked as (
    select
        *,
        row_number() over (
            partition by person_key, school_year order by test_date nulls last, instrument_id
        ) as attempt_order
    from result
    where
        instrument_kind = 'kindergarten_entry'
        and is_valid
        and grade_level = 'KG'
        and (season = {{ indicator_parameter('kindergarten_season', 'string') }} or season is null or season = 'Unknown')
),

judged as (
    select
        kindergartner.person_key,
        kindergartner.school_year,
        kindergartner.organization_key,
        kindergartner.partner_id,
        ranked.test_date,
        ranked.score,
        ranked.is_at_or_above_cut,
        case
            when kindergartner.school_year > kindergartner.first_kindergarten_year then 'repeater'
            when
                kindergartner.first_entry_date
                > {{ day_in_year('kindergartner.school_year - 1', indicator_parameter('kindergarten_window_end', 'string')) }}
                then 'entered_after_window'
            when ranked.person_key is null then 'no_record:early_childhood_assessment'
            when ranked.is_at_or_above_cut is null then 'no_cut_score'
        end as reason
    from kindergartner
    left join ranked
        on kindergartner.person_key = ranked.person_key
        and kindergartner.school_year = ranked.school_year
        and ranked.attempt_order = 1
)

select
    judged.person_key,
    judged.school_year as cohort_year,
    'kindergarten_readiness' as indicator_id,
    case
        when judged.reason in ('repeater', 'entered_after_window') then 'excluded'
        when judged.reason is not null then 'not_measured'
        when judged.is_at_or_above_cut then 'met'
        else 'not_met'
    end as status,
    judged.reason as exclusion_reason,
    judged.organization_key,
    judged.test_date as evidence_date,
    judged.score as evidence_value,
    judged.partner_id
from judged
cross join community
where make_date(cast(judged.school_year - 1 as integer), 12, 31) <= community.as_of_date
