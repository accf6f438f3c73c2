"""What the gateway rules count in the sample, from the lake and the independent rates, gaps and trends alone.

Measurements are those of the framework's page; how fresh a feed is, is taken from the models.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd

from tests.end_to_end import independent
from tests.end_to_end.independent import GROUPS

_READINGS = (
    "benchmarks_required", "cumulative", "pillar_reading", "stricter_evidence_counts", "outcomes_required",
    "gaps_required_ongoing", "gaps_required_transformation", "include_secondary_benchmarks",
)  # fmt: skip
_DIMENSIONS = ["race", "gender", "economic"]


def world(con: duckdb.DuckDBPyConnection, rated: pd.DataFrame, facts: dict[str, Any]) -> dict[str, Any]:
    """The community as `tests/dbt_project/gateways.py` describes one."""
    choice = con.sql("select outcome_id, indicator_id, role from config.indicator_choice").df()
    enough = (rated["denominator_n"] > 0) & (
        rated["coverage_rate"] >= rated["indicator_id"].map(facts["coverage"])
    )
    whole = (rated[GROUPS] == "all").all(axis=1)
    trend = independent.trends(rated, enough, facts["baseline"], facts["direction"], facts["margin"])
    step = independent.steps(rated, enough, facts["direction"], facts["margin"])
    verdict = _headline(trend)
    last = _headline(step)
    gap = independent.gaps(rated, facts["direction"])
    years = set(rated.loc[whole & enough, ["indicator_id", "cohort_year"]].itertuples(index=False, name=None))
    change = independent.gap_trends(gap, years, facts["baseline"], facts["direction"], facts["margin"])
    core = choice[choice["role"] == "core"].set_index("outcome_id")["indicator_id"]
    return {
        **_attested(con),
        "measured": _measured(con, choice, rated[enough], verdict, change),
        "designated": None,
        "examples": [],
        "verdict": {o: verdict.get(i, "not_enough_evidence") for o, i in core.items()},
        "last": {o: last.get(i, "declined") for o, i in core.items()},
        "gaps": _gaps(change, set(core), facts["direction"]),
        "adjacent_improves": _adjacent_improves(con),
        "readings": con.sql(f"select {', '.join(_READINGS)} from config.community").df().iloc[0].to_dict(),
    }


def _headline(frame: pd.DataFrame) -> dict[str, str]:
    rows = frame[(frame[GROUPS] == "all").all(axis=1)]
    return dict(zip(rows["indicator_id"], rows["verdict"], strict=True))


def _attested(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The last statement of each benchmark that has taken effect, lapsed where it has expired."""
    rows = con.sql(
        """select benchmark_id, status, effective_date, expires_date, as_of_date
        from lake.benchmark_evidence cross join config.community
        where effective_date <= as_of_date order by effective_date"""
    ).fetchall()
    attested: dict[str, str | None] = {
        row[0]: None for row in con.sql("select benchmark_id from seeds.framework_benchmark").fetchall()
    }
    for benchmark, status, _, expires, today in rows:
        attested[benchmark] = "lapsed" if expires and expires < today else status
    return {"attested": attested, "since": {}}


def _gaps(change: pd.DataFrame, core: set[str], direction: dict[str, str]) -> list[dict[str, Any]]:
    """Gaps of the core indicators; one is levelled down where it narrowed and nobody did better."""
    use = change[
        change["indicator_id"].isin(core)
        & change["dimension"].isin(_DIMENSIONS)
        & (change["group_value"] != "unknown")
    ]
    sign = use["indicator_id"].map(direction).map({"higher": 1.0, "lower": -1.0})
    fell = (sign * (use["r1"] - use["reference_rate_0"]) < 0) & (sign * (use["rate"] - use["rate_0"]) <= 0)
    return [
        {"verdict": verdict, "was_adverse_at_baseline": low > 0, "is_levelling_down": narrowed and fallen}
        for verdict, low, narrowed, fallen in zip(
            use["verdict"], use["gap_low_0"], use["change"] < 0, fell, strict=True
        )
    ]


def _measured(
    con: duckdb.DuckDBPyConnection,
    choice: pd.DataFrame,
    enough: pd.DataFrame,
    verdict: dict[str, str],
    change: pd.DataFrame,
) -> dict[str, str]:
    role = {name: set(rows["indicator_id"]) for name, rows in choice.groupby("role")}
    core, priority, contributing = (role.get(name, set()) for name in ("core", "priority", "contributing"))
    by_all = set.intersection(*(set(enough.loc[enough[group] != "all", "indicator_id"]) for group in GROUPS))
    # Measured of late: in the school year that ended this year, or the one before.
    this_year = con.sql("select year(as_of_date) from config.community").fetchall()[0][0]
    followed = change[change["cohort_year"] >= this_year - 1].groupby("indicator_id")["dimension"].agg(set)
    watched = {i for i, dimensions in followed.items() if set(_DIMENSIONS) <= dimensions}
    releases, reads = (
        con.sql(f"select count(*) from config.{table}").fetchall()[0][0]
        for table in ("release_history", "access_log")
    )
    assert (releases, reads) == (0, 0)  # the copy of the sample has none, so what asks for them is not met
    fresh = con.sql(
        """select count(distinct feed.stage) from marts.mart_data_health join config.feed using (feed_id)
        where is_fresh and accepted_n > 0"""
    ).fetchall()[0][0]
    outcomes = choice.loc[choice["role"] == "core", "outcome_id"].nunique()
    said = {
        "core_indicators_configured": outcomes == 7,
        "priority_indicators_disaggregated": bool(priority) and priority <= by_all,
        # The release that says so is the one that has them.
        "baseline_report_card_released": bool(core) and core <= by_all,
        "core_indicators_disaggregated_and_shared": False,
        "contributing_indicators_configured": bool(contributing),
        "data_connected_across_stages": _connected(con),
        "contributing_indicators_improving": any(verdict.get(i) == "improved" for i in contributing),
        "student_level_data_in_use": False,
        "disparities_monitored": bool(priority) and priority <= watched,
        "fresh_disaggregated_data_across_sectors": fresh >= 2,
    }
    return {name: "met" if so else "not_met" for name, so in said.items()}


def _connected(con: duckdb.DuckDBPyConnection) -> bool:
    """At least half of the young children, and of the college students, are also known from K-12."""
    people = {
        stage: set(
            con.sql(
                f"select distinct person_key from lake.{feed} join lake.crosswalk using (source_person_key) where {where}"
            ).df()["person_key"]
        )
        for stage, feed, where in (
            ("early", "early_childhood_enrollment", "true"),
            ("k12", "k12_enrollment", "true"),
            ("college", "postsecondary_enrollment", "record_found = 'Yes'"),
        )
    }
    return all(
        len(people[stage] & people["k12"]) >= 0.5 * len(people[stage]) > 0 for stage in ("early", "college")
    )


def _adjacent_improves(con: duckdb.DuckDBPyConnection) -> bool:
    """Any adjacent measure of the county better than in an earlier period of other years, beyond 95 %; lower is better."""
    rows = con.sql(
        """select measure_id, period_start_year, period_end_year, estimate, margin_of_error / 1.645 as error
        from lake.community_measure
        where measure_id in (select indicator_id from config.indicator_choice where role = 'adjacent')
            and geography_id = (select geography_id from config.community) and value_status = 'exact'
        order by period_end_year"""
    ).df()
    for _, one in rows.groupby("measure_id"):
        latest = one.iloc[-1]
        earlier = one[one["period_end_year"] < latest["period_start_year"]]
        if len(earlier):
            first = earlier.iloc[0]
            error = (first["error"] ** 2 + latest["error"] ** 2) ** 0.5
            if first["estimate"] - latest["estimate"] > 1.959963984540054 * error:
                return True
    return False
