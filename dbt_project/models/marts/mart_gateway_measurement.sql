with community as (
    select * from {{ source('config', 'community') }}
),

choice as (
    select * from {{ source('config', 'indicator_choice') }}
),

release_history as (
    select * from {{ source('config', 'release_history') }}
),

access_log as (
    select * from {{ source('config', 'access_log') }}
),

feed as (
    select * from {{ source('config', 'feed') }}
),

rate as (
    select * from {{ ref('mart_indicator_rate') }}
),

trend as (
    select * from {{ ref('mart_indicator_trend') }}
),

gap as (
    select * from {{ ref('mart_gap_trend') }}
),

journey as (
    select * from {{ ref('mart_person_journey') }}
),

health as (
    select * from {{ ref('mart_data_health') }}
),

-- Which dimensions an indicator is published by, for the whole community, in any year with enough data.
disaggregated as (
    select
        rate.indicator_id,
        max(case when rate.race_group <> 'all' then 1 else 0 end)
        + max(case when rate.gender_group <> 'all' then 1 else 0 end)
        + max(case when rate.economic_group <> 'all' then 1 else 0 end) as dimension_n
    from rate
    cross join community
    where rate.organization_key = 'all' and rate.geography_id = community.geography_id and rate.is_enough_data
    group by rate.indicator_id
),

chosen as (
    select
        case when choice.role = 'core_further' then 'core' else choice.role end as role,
        count(distinct choice.outcome_id) as outcome_n,
        count(*) as indicator_n,
        count(*) filter (where disaggregated.dimension_n = 3) as disaggregated_n
    from choice
    left join disaggregated on choice.indicator_id = disaggregated.indicator_id
    group by case when choice.role = 'core_further' then 'core' else choice.role end
),

role as (
    select
        coalesce(max(case when role = 'core' then outcome_n end), 0) as core_outcome_n,
        coalesce(max(case when role = 'core' then indicator_n end), 0) as core_n,
        coalesce(max(case when role = 'core' then disaggregated_n end), 0) as core_disaggregated_n,
        coalesce(max(case when role = 'priority' then indicator_n end), 0) as priority_n,
        coalesce(max(case when role = 'priority' then disaggregated_n end), 0) as priority_disaggregated_n,
        coalesce(max(case when role = 'contributing' then indicator_n end), 0) as contributing_n
    from chosen
),

quarters as (
    select count(distinct floor({{ dbt.datediff('cast(release_history.released_at as date)', 'community.as_of_date', 'day') }} / 92)) as quarter_n
    from release_history
    cross join community
    where {{ dbt.datediff('cast(release_history.released_at as date)', 'community.as_of_date', 'day') }} between 0 and 367
),

connected as (
    select
        count(*) filter (where has_k12) as k12_n,
        count(*) filter (where has_early_childhood and has_k12) as early_k12_n,
        count(*) filter (where has_postsecondary) as postsecondary_n,
        count(*) filter (where has_postsecondary and has_k12) as k12_postsecondary_n,
        count(*) filter (where has_early_childhood) as early_n
    from journey
),

stages as (
    select count(distinct feed.stage) as stage_n
    from health
    inner join feed on health.feed_id = feed.feed_id
    where health.accepted_n > 0 and feed.stage in ('early_childhood', 'k12', 'postsecondary', 'workforce')
),

contributing_verdict as (
    select count(*) filter (where trend.verdict_vs_baseline = 'improved') as improved_n
    from choice
    cross join community
    inner join trend on choice.indicator_id = trend.indicator_id
    where
        choice.role = 'contributing'
        and trend.organization_key = 'all'
        and trend.geography_id = community.geography_id
        and trend.race_scheme = 'federal7'
        and trend.race_group = 'all'
        and trend.gender_group = 'all'
        and trend.economic_group = 'all'
),

reads as (
    select count(distinct access_log.partner_id) as partner_n
    from access_log
    cross join community
    where {{ dbt.datediff('cast(access_log.read_at as date)', 'community.as_of_date', 'day') }} between 0 and 92
),

monitored as (
    select count(*) as monitored_n
    from (
        select choice.indicator_id
        from choice
        cross join community
        inner join gap on choice.indicator_id = gap.indicator_id
        where
            choice.role = 'priority'
            and gap.dimension in ('race', 'gender', 'economic')
            and gap.organization_key = 'all'
            and gap.geography_id = community.geography_id
            and gap.race_scheme = 'federal7'
            and gap.latest_year >= extract(year from community.as_of_date) - 1
        group by choice.indicator_id
        having count(distinct gap.dimension) = 3
    ) as by_indicator
),

fresh as (
    select count(distinct feed.stage) as sector_n
    from health
    inner join feed on health.feed_id = feed.feed_id
    where health.is_fresh and health.accepted_n > 0
),

facts as (
    select * from role
    cross join quarters
    cross join connected
    cross join stages
    cross join contributing_verdict
    cross join reads
    cross join monitored
    cross join fresh
)

{% set share = "cast(early_k12_n as double) / nullif(early_n, 0)" %}
{% set share_college = "cast(k12_postsecondary_n as double) / nullif(postsecondary_n, 0)" %}
{% set tests = [
    ("core_indicators_configured", "core_outcome_n = 7", "concat(cast(core_outcome_n as string), ' of 7 outcomes have a core indicator.')"),
    ("priority_indicators_disaggregated", "priority_n > 0 and priority_disaggregated_n = priority_n", "concat(cast(priority_disaggregated_n as string), ' of ', cast(priority_n as string), ' priority indicators are published by race, gender and economic status.')"),
    ("baseline_report_card_released", "core_n > 0 and core_disaggregated_n = core_n", "concat(cast(core_disaggregated_n as string), ' of ', cast(core_n as string), ' core indicators have a disaggregated baseline in the release.')"),
    ("core_indicators_disaggregated_and_shared", "core_n > 0 and core_disaggregated_n = core_n and quarter_n >= 4", "concat('Releases stand in ', cast(quarter_n as string), ' of the last four quarters; ', cast(core_disaggregated_n as string), ' core indicators are disaggregated.')"),
    ("contributing_indicators_configured", "contributing_n > 0", "concat(cast(contributing_n as string), ' contributing indicators are chosen.')"),
    ("data_connected_across_stages", "stage_n >= 3 and coalesce(" ~ share ~ ", 0) >= 0.5 and coalesce(" ~ share_college ~ ", 0) >= 0.5", "concat('Data of ', cast(stage_n as string), ' stages; ', cast(cast(round(100 * coalesce(" ~ share ~ ", 0)) as integer) as string), ' % of young children and ', cast(cast(round(100 * coalesce(" ~ share_college ~ ", 0)) as integer) as string), ' % of college students are linked to school records.')"),
    ("contributing_indicators_improving", "improved_n > 0", "concat('Contributing indicators that improved: ', cast(improved_n as string), '.')"),
    ("student_level_data_in_use", "partner_n > 0", "concat('Partners that read student-level tables in the last quarter: ', cast(partner_n as string), '.')"),
    ("disparities_monitored", "priority_n > 0 and monitored_n = priority_n", "concat(cast(monitored_n as string), ' of ', cast(priority_n as string), ' priority indicators have gaps measured in all three dimensions.')"),
    ("fresh_disaggregated_data_across_sectors", "sector_n >= 2", "concat('Feeds of ', cast(sector_n as string), ' sectors are within their freshness.')"),
] %}

{% for measured_by, condition, detail in tests %}
    select
        '{{ measured_by }}' as measured_by,
        case when {{ condition }} then 'met' else 'not_met' end as status,
        {{ detail }} as detail
    from facts
    {% if not loop.last %}union all{% endif %}
{% endfor %}
