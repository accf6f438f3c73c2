with enrolled as (
    select * from {{ ref('ind_postsecondary_enrollment') }}
),

completion as (
    select * from {{ ref('fct_high_school_completion') }}
),

credit as (
    select * from {{ ref('fct_postsecondary_credit') }}
),

community as (
    select * from {{ source('config', 'community') }}
),

due as (
    select
        enrolled.*,
        completion.completion_date,
        {{ day_in_year('enrolled.cohort_year + 1', indicator_parameter('postsecondary_fall_begin', 'string')) }} as year_end_date
    from enrolled
    inner join completion on enrolled.person_key = completion.person_key and completion.is_first_regular_diploma
    where enrolled.status = 'met'
),

earned as (
    select
        due.person_key,
        sum(credit.credits_earned) as credits_earned
    from due
    inner join credit on due.person_key = credit.person_key
    where credit.term_begin_date > due.completion_date and credit.term_begin_date < due.year_end_date
    group by due.person_key
)

select
    due.person_key,
    due.cohort_year,
    'first_year_credits' as indicator_id,
    case
        when earned.credits_earned >= {{ indicator_parameter('first_year_credits') }} then 'met'
        when earned.person_key is not null then 'not_met'
        else 'not_measured'
    end as status,
    case when earned.person_key is null then 'no_record:postsecondary_credit' end as exclusion_reason,
    due.organization_key,
    due.evidence_date,
    earned.credits_earned as evidence_value,
    due.partner_id
from due
cross join community
left join earned on due.person_key = earned.person_key
where due.year_end_date <= community.as_of_date
