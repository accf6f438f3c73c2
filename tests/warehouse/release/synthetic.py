"""A small working database with marts made by hand: eight indicators, seven years, two districts, one tiny group.

What belongs here: what the release reads, nothing of how the models make it. What does not: any test.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse.community import Community, load_community
from warehouse.release import ReleaseReport, build_release, published_tables
from warehouse.settings import CommunityPaths, Settings

CORE = {
    "kindergarten_readiness": 0.52,
    "early_grade_reading": 0.48,
    "middle_grade_math": 0.41,
    "high_school_graduation": 0.84,
    "postsecondary_enrollment": 0.61,
    "postsecondary_completion": 0.39,
    "employment": 0.44,
}
FEEDS = {"kindergarten_readiness": "early_childhood_assessment;k12_enrollment"}
DELIVERIES: list[dict[str, Any]] = [
    {
        "delivery_id": f"{number:016x}",
        "partner_id": partner,
        "feed_id": feed,
        "sha256": f"{number:064x}",
        "rows_in": rows + 3,
        "rows_accepted": rows,
        "rows_quarantined": 3,
    }
    for number, (partner, feed, rows) in enumerate(
        [("riverbend", "k12_enrollment", 4200), ("state", "k12_assessment", 3100), ("tiny", "k12_fafsa", 2)],
        1,
    )
]
NOW = datetime(2024, 11, 15, 2, 30, tzinfo=UTC)


def make_community(root: Path, minimum_n: int = 10) -> Community:
    """A community folder with nothing in it but its configuration."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "community.yml").write_text(
        "community_id: riverbend\nname: Riverbend Partnership\ngeography_id: riverbend\n"
        f"geography_name: Riverbend County\nprivacy: {{minimum_n: {minimum_n}}}\n",
        encoding="utf-8",
    )
    community = load_community(root)
    community.paths.ensure()
    return community


def make_marts(database: Path, shift: float = 0.0, age_days: int = 3) -> None:
    """Write schemas `marts` and `core`; `shift` moves early grade reading of the latest year, `age_days` the clock."""
    database.unlink(missing_ok=True)
    database.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute("create schema marts; create schema core; create schema config")
        _people(con, shift)
        _rates(con)
        _trends(con)
        _gaps(con)
        _gateways(con)
        _others(con, age_days)


def build(
    community: Community,
    *,
    run_id: str = "run-1",
    fingerprint: str = "inputs-1",
    code: str = "code-1",
    **changes: Any,
) -> ReleaseReport:
    """Build a release of the present working database with a fixed clock."""
    return build_release(
        community.paths,
        Settings(now=NOW, **changes),
        community,
        warehouse_db=community.paths.warehouse,
        run_id=run_id,
        deliveries=DELIVERIES,
        input_fingerprint=fingerprint,
        code_version=code,
    )


def new_release(root: Path) -> tuple[CommunityPaths, ReleaseReport]:
    """A community with one release."""
    community = make_community(root)
    make_marts(community.paths.warehouse)
    return community.paths, build(community)


def _people(con: duckdb.DuckDBPyConnection, shift: float) -> None:
    """Counts at the finest grain: indicator, year, school, race, gender, economic status."""
    indicators = ", ".join(
        f"('{name}', {base}, '{direction}')"
        for name, base, direction in [(n, b, "higher") for n, b in CORE.items()]
        + [("chronic_absence", 0.21, "lower")]
    )
    con.execute(
        f"""
        create temp table finest as
        with indicator(indicator_id, base, direction) as (values {indicators}),
        year(cohort_year) as (select unnest(range(2018, 2025))),
        school(organization_key, district_key, size) as (values
            ('north:oak', 'north:d1', 1.0), ('north:elm', 'north:d1', 0.6), ('south:ash', 'south:d2', 0.8)),
        race(race_group, share, lift) as (values ('white', 60, 0.08), ('hispanic_or_latino', 34, -0.06),
            ('black_or_african_american', 22, -0.09), ('american_indian_or_alaska_native', 1, -0.02), ('unknown', 5, 0.0)),
        gender(gender_group, g) as (values ('female', 0.03), ('male', -0.03)),
        money(economic_group, m) as (values ('disadvantaged', -0.07), ('not_disadvantaged', 0.07))
        select indicator_id, cohort_year, organization_key, district_key, race_group, gender_group, economic_group, direction,
            greatest(case when race_group = 'american_indian_or_alaska_native' then
                case when gender_group = 'female' and economic_group = 'disadvantaged' then 2 else 0 end
                else round(share * size)::int + (cohort_year % 3) end, 0) as measured_n,
            (cohort_year % 2) as excluded_n,
            case when indicator_id = 'employment' and cohort_year = 2018 then 90 else 1 end as not_measured_n,
            least(0.97, greatest(0.03, base + lift + g + m + 0.012 * (cohort_year - 2018)
                + case when indicator_id = 'early_grade_reading' and cohort_year = 2024 then {shift} else 0 end)) as p
        from indicator, year, school, race, gender, money
        """
    )
    con.execute("alter table finest add column met_n int")
    con.execute("update finest set met_n = round(measured_n * p)::int")
    con.execute("delete from finest where measured_n = 0")


def _rates(con: duckdb.DuckDBPyConnection) -> None:
    parts = []
    for place in ("'all'", "organization_key", "district_key"):
        parts.append(
            f"""
            select indicator_id, cohort_year, {place} as organization_key,
                coalesce(race_group, 'all') as race_group, coalesce(gender_group, 'all') as gender_group,
                coalesce(economic_group, 'all') as economic_group, sum(measured_n)::bigint as denominator_n,
                sum(met_n)::bigint as numerator_n, sum(excluded_n)::bigint as excluded_n,
                sum(not_measured_n)::bigint as not_measured_n
            from finest group by indicator_id, cohort_year, {place}, cube (race_group, gender_group, economic_group)
            """
        )
    con.execute(
        f"""
        create table marts.mart_indicator_rate as
        select indicator_id, cohort_year::bigint as cohort_year, 'riverbend' as geography_id, organization_key,
            'federal7' as race_scheme, race_group, gender_group, economic_group,
            denominator_n + excluded_n + not_measured_n as eligible_n, excluded_n, not_measured_n, denominator_n,
            numerator_n, numerator_n / denominator_n as rate,
            denominator_n / (denominator_n + not_measured_n) as coverage_rate,
            greatest(0, rate - 1.96 * sqrt(rate * (1 - rate) / denominator_n)) as rate_low,
            least(1, rate + 1.96 * sqrt(rate * (1 - rate) / denominator_n)) as rate_high,
            coverage_rate >= 0.8 as is_enough_data,
            case when coverage_rate < 0.8 then 'workforce_wage_quarter' end as missing_feeds
        from ({" union all ".join(parts)})
        """
    )


def _trends(con: duckdb.DuckDBPyConnection) -> None:
    shared = (
        "indicator_id, geography_id, organization_key, race_scheme, race_group, gender_group, economic_group"
    )
    con.execute(
        f"""
        create table marts.mart_indicator_trend as
        with direction as (select distinct indicator_id, direction from finest)
        select b.* exclude (cohort_year, n, rate), direction, 2019::bigint as baseline_year, 2023::bigint as previous_year,
            2024::bigint as latest_year, b.rate as baseline_rate, p.rate as previous_rate, l.rate as latest_rate,
            b.n as baseline_denominator_n, l.n as latest_denominator_n, l.rate - b.rate as change,
            change - 0.03 as change_low, change + 0.03 as change_high, 0.01 as p_value, 0.02 as q_value,
            case when change > 0.03 then 'improved' when change < -0.03 then 'declined' else 'not_enough_evidence' end
                as verdict_vs_baseline,
            'improved' as plain_vs_baseline, l.rate - p.rate as change_vs_previous,
            change_vs_previous - 0.03 as change_vs_previous_low, change_vs_previous + 0.03 as change_vs_previous_high,
            'not_enough_evidence' as verdict_vs_previous, 'maintained' as plain_vs_previous
        from (select {shared}, cohort_year, denominator_n as n, rate from marts.mart_indicator_rate where cohort_year = 2019) b
        join (select {shared}, denominator_n as n, rate from marts.mart_indicator_rate where cohort_year = 2024) l using ({shared})
        join (select {shared}, rate from marts.mart_indicator_rate where cohort_year = 2023) p using ({shared})
        join direction using (indicator_id)
        """
    )


def _gaps(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """
        create table marts.mart_disparity_gap as
        with grouped as (
            select *, case when race_group <> 'all' then 'race' when gender_group <> 'all' then 'gender' else 'economic' end as dimension,
                concat_ws(' / ', nullif(race_group, 'all'), nullif(gender_group, 'all'), nullif(economic_group, 'all')) as group_value,
                case when indicator_id = 'chronic_absence' then 'lower' else 'higher' end as direction
            from marts.mart_indicator_rate
            where (race_group <> 'all')::int + (gender_group <> 'all')::int + (economic_group <> 'all')::int = 1
        ),
        best as (
            select indicator_id, cohort_year, organization_key, dimension, group_value as reference_value,
                denominator_n as reference_n, rate as reference_rate
            from grouped where group_value not like '%unknown%'
            qualify row_number() over (partition by indicator_id, cohort_year, organization_key, dimension
                order by denominator_n < 30, case when direction = 'higher' then -rate else rate end, group_value) = 1
        )
        select grouped.*, reference_value, reference_n, reference_rate,
            case when direction = 'higher' then reference_rate - rate else rate - reference_rate end as gap,
            gap - 0.04 as gap_low, gap + 0.04 as gap_high, rate / nullif(reference_rate, 0) as rate_ratio,
            rate_ratio < 0.8 as is_below_80_percent, 0.9 as proportionality_index, -gap as ppg, 0.03 as ppg_margin,
            gap > 0.03 as has_disproportionate_impact, greatest(0, ceil(gap * denominator_n))::bigint as people_needed_n,
            denominator_n >= 10 as is_large_enough
        from grouped join best using (indicator_id, cohort_year, organization_key, dimension)
        """
    )
    con.execute(
        """
        create table marts.mart_gap_trend as
        select a.indicator_id, a.geography_id, a.organization_key, a.race_scheme, a.dimension, a.group_value, a.reference_value,
            2019::bigint as baseline_year, 2024::bigint as latest_year, a.gap as baseline_gap, b.gap as latest_gap,
            b.gap - a.gap as change, b.gap - a.gap - 0.05 as change_low, b.gap - a.gap + 0.05 as change_high,
            0.2 as p_value, 0.3 as q_value, 0.06 as smallest_detectable_change, a.gap > 0.04 as was_adverse_at_baseline,
            case when b.gap - a.gap < -0.02 then 'reduced' when b.gap - a.gap > 0.02 then 'widened'
                else 'not_enough_evidence' end as verdict, false as is_levelling_down
        from marts.mart_disparity_gap a join marts.mart_disparity_gap b
            on a.indicator_id = b.indicator_id and a.organization_key = b.organization_key and a.dimension = b.dimension
            and a.group_value = b.group_value
        where a.cohort_year = 2019 and b.cohort_year = 2024
        """
    )
    con.execute(
        """
        create table marts.mart_disparity_dimension as
        select indicator_id, cohort_year, geography_id, organization_key, race_scheme, dimension, count(*) as group_n,
            sum(denominator_n)::bigint as denominator_n, round(avg(rate), 6) as overall_rate, max(reference_rate) as reference_rate,
            max(rate) - min(rate) as widest_gap, round(var_pop(rate), 6) as between_group_variance, 0.01 as theil_index,
            20.0 as index_of_disparity, not bool_and(is_large_enough) as has_small_group
        from marts.mart_disparity_gap group by all;
        create table marts.mart_score_gap as
        select 'T' as instrument_id, 'ReadingELA' as subject, '03' as grade_level, 2024::bigint as school_year, 'early_grade_reading' as indicator_id, *,
            min(person_n) over (partition by dimension) as smallest_n, 400.0 as score_mean, 50.0 as score_sd,
            first(group_value) over (partition by dimension) as reference_value, 40::bigint as reference_n,
            400.0 as reference_mean, 0.0 as score_gap, 9.0 as gap_standard_error, -18.0 as gap_low, 18.0 as gap_high,
            0.0 as standardized_gap
        from (values ('gender', 'female', 40), ('gender', 'male', 41), ('race', 'white', 74), ('race', 'asian', 7))
            as t(dimension, group_value, person_n)
        """
    )


def _gateways(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """
        create table marts.mart_gateway_status as select * from (values
            ('exploring', 1, 'Exploring', null, 'met', 'met', date '2021-03-01', 1, 1, 0, null, null, 'All requirements are met.'),
            ('emerging', 2, 'Emerging', null, 'not_met', 'not_met', null, 1, 0, 1, 'EME-SCV-2', 'EME-BENCH: all of EME-SCV-2', 'EME-BENCH: 6 of the 7 required benchmarks; 1 more needed.'),
            ('proof_point', 5, 'Proof point', null, 'cannot_tell', 'not_met', null, 2, 1, 1, null, 'PRF-IND: any 1 of employment', 'Earlier gateways first: Emerging.')
        ) t(gateway_id, gateway_order, gateway_title, is_state_of, own_status, status, since_date, rule_n, rule_met_n,
            missing_n, missing_benchmarks, smallest_change, reason);
        create table marts.mart_gateway_history as select gateway_id, gateway_order::bigint as gateway_order, status,
            date '2024-11-15' as valid_from, null::date as valid_to, null::varchar as first_release_id, reason
        from marts.mart_gateway_status;
        create table marts.mart_gateway_rule as select * from (values
            ('EXP-BENCH', 'exploring', 1, 'Benchmarks met', 'All benchmarks are met.', 8, 8, 0, 'met', '8 of the 8 required benchmarks.'),
            ('EME-BENCH', 'emerging', 1, 'Benchmarks met', 'All benchmarks are met.', 7, 6, 0, 'not_met', '6 of the 7 required benchmarks; 1 more needed.'),
            ('PRF-IND', 'proof_point', 2, 'Core indicators', 'At least four of the seven core indicators maintained or improved.', 4, 3, 2, 'cannot_tell',
                'Only 3 of the 4 required outcomes maintained or improved is certain; 2 cannot be told from the data.')
        ) t(rule_id, gateway_id, rule_order, title, requirement, required_n, met_n, cannot_tell_n, status, reason);
        create table marts.mart_gateway_benchmark as select * from (values
            ('EXP-SCV-1', 'exploring', 'shared_community_vision', 'Vision and geography', 'Partners agree on a vision.', 'attested', null, false,
                'met', date '2021-03-01', null::date, 'board', 'minutes', 'Minutes of March 2021', null, null, null, 'met', false, 'Met.'),
            ('EME-SCV-2', 'emerging', 'shared_community_vision', 'Baseline report card', 'A baseline report card is released.', 'both', 'baseline_report_card_released', false,
                'met', date '2022-01-01', null, 'board', 'page', 'Report card', null, 'not_met', '3 of 7 core indicators have a disaggregated baseline in the release.', 'not_met', true,
                '3 of 7 core indicators have a disaggregated baseline in the release.')
        ) t(benchmark_id, gateway_id, pillar_id, title, statement, evidence, measured_by, is_secondary, attested_status, attested_since,
            attested_until, attested_by_role, evidence_kind, evidence_reference, note, measured_status, measured_detail, status, is_disagreement, reason);
        create table marts.mart_gateway_outcome as
            select indicator_id as outcome_id, indicator_id, 1::bigint as indicator_n, baseline_year, latest_year, previous_year as first_year, baseline_rate, latest_rate,
                verdict_vs_baseline as verdict, verdict_vs_previous as last_step, verdict in ('improved', 'maintained') as is_maintained_or_improved,
                verdict = 'improved' as is_improving, verdict not in ('improved', 'maintained', 'declined') as is_unknown
            from marts.mart_indicator_trend
            where organization_key = 'all' and race_group = 'all' and gender_group = 'all' and economic_group = 'all'
                and indicator_id <> 'chronic_absence';
        create table marts.mart_gateway_gap as
            select indicator_id as outcome_id, indicator_id, dimension, group_value, reference_value, concat_ws('|', indicator_id, dimension, group_value) as gap_unit,
                verdict, is_levelling_down, was_adverse_at_baseline and verdict = 'reduced' as counts_as_reduced, verdict = 'not_enough_evidence' as is_unknown
            from marts.mart_gap_trend where organization_key = 'all' and indicator_id <> 'chronic_absence';
        create table marts.mart_gateway_adjacent as select 's1701_c03_002' as measure_id, 'lower' as direction, 'riverbend' as geography_id,
            2017 as baseline_end_year, 2022 as latest_end_year, 21.0 as baseline_estimate, 18.5 as latest_estimate, -2.5 as change,
            0.9 as change_standard_error, 'improved' as verdict;
        """
    )


def _others(con: duckdb.DuckDBPyConnection, age_days: int) -> None:
    rows = ", ".join(
        f"('{name}', '{name}', 'outcome', '{name.replace('_', ' ').capitalize()}', 'higher', true, '{FEEDS.get(name, 'k12_assessment;k12_enrollment')}')"
        for name in CORE
    )
    con.execute(
        f"""
        create table core.dim_indicator as
        select *, 'Students of the year' as population, 'Reached the mark' as numerator, 'Students measured' as denominator,
            'Transfers out' as exclusions, 'Spring; cohort year is the school year' as timing, 0.8 as minimum_coverage,
            'Framework of seven outcomes' as source, '1' as version, case when is_core then outcome_id end as core_of_outcome_id,
            is_core as is_priority, not is_core as is_contributing_chosen, null::varchar as variant_of, null::bigint as baseline_year
        from (values {rows}, ('chronic_absence', 'high_school_graduation', 'contributing', 'Chronic absence', 'lower', false, 'k12_attendance;k12_enrollment'))
            t(indicator_id, outcome_id, role, title, direction, is_core, feeds);
        create table core.dim_organization as select * from (values ('north:oak', 'Oak School', 'School', 'north:d1'),
            ('north:elm', 'Elm School', 'School', 'north:d1'), ('south:ash', 'Ash School', 'School', 'south:d2'),
            ('north:d1', 'North District', 'District', null), ('south:d2', 'South District', 'District', null))
            t(organization_key, organization_name, organization_type, parent_organization_key);
        create table core.dim_geography as select 'riverbend' as geography_id, 'Riverbend County' as geography_name,
            'community' as geography_type, true as is_in_community;
        create table marts.mart_indicator_coverage as
            select indicator_id, cohort_year, is_enough_data, missing_feeds from marts.mart_indicator_rate
            where organization_key = 'all' and race_scheme = 'federal7' and race_group = 'all' and gender_group = 'all'
                and economic_group = 'all' and geography_id = 'riverbend' and eligible_n >= 100;
        create table marts.mart_data_health as select * from (values
            ('riverbend', 'k12_enrollment', 'k12', 'Enrollment', 'yearly', '10-15', 4, 4, 0, 4203, 4200, 3, 0.9993, date '2024-11-12', {age_days}, true),
            ('tiny', 'k12_fafsa', 'k12', 'FAFSA', 'yearly', '07-15', 1, 1, 0, 5, 2, 3, 0.4, date '2024-11-12', {age_days}, true))
            t(partner_id, feed_id, stage, feed_title, cadence, due, delivery_n, accepted_n, refused_n, row_n, accepted_row_n,
              quarantined_row_n, acceptance_rate, last_accepted_date, age_days, is_fresh);
        """
    )
    measure = next(table for table in published_tables() if table.name == "pub_community_measure_v1")
    columns = ", ".join(f"null::{column.type} as {name}" for name, column in measure.columns.items())
    con.execute(f"create table marts.mart_community_measure as select {columns}")
    con.execute(
        """
        update marts.mart_community_measure set geography_id = 'riverbend', geography_name = 'Riverbend County',
            measure_id = 's1701_c03_002', measure_title = 'Children below the poverty level', unit = 'percent', direction = 'lower',
            period_start_year = 2018, period_end_year = 2022, subgroup_dimension = 'all', subgroup = 'all', estimate = 18.5,
            margin_of_error = 1.2, estimate_low = 17.1, estimate_high = 19.9, value_status = 'number', source = 'ACS S1701', partner_id = 'census';
        insert into marts.mart_community_measure by name select * replace ('homeless_students' as measure_id, 'Students without a home' as measure_title,
            'count' as unit, 6 as estimate, null as margin_of_error, null as estimate_low, null as estimate_high, 'Liaison' as source)
            from marts.mart_community_measure
        """
    )
