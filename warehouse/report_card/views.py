"""What each page tells, put together from published rows and the same in every language.

What belongs here: choosing, ordering and counting rows. What does not: words (`catalogue`, templates) and queries (`tables`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from warehouse.report_card.catalogue import Catalogue
from warehouse.report_card.tables import DIMENSIONS, Published, Row, grouped, latest_shown, year_kind

View = dict[str, Any]
COMBINATIONS = ("race_gender", "race_economic", "gender_economic", "race_gender_economic")


def indicator_views(published: Published, words: Catalogue) -> list[View]:
    """Every indicator with everyone's rates, the latest that may be shown, and how it changed."""
    everyone, trends = published.everyone(), published.trends()
    found = []
    for row in published.indicators():
        rows = everyone.get(row["indicator_id"], [])
        latest, trend = latest_shown(rows), trends.get(row["indicator_id"])
        found.append(
            {
                **row,
                "is_core": bool(row["is_core"]),
                "kind": year_kind(row["timing"]),
                "rows": rows,
                "latest": latest,
                "newest": rows[-1] if rows else None,
                "trend": trend,
                "verdict": _verdict(trend, latest),
            }
        )
    return sorted(found, key=lambda view: words.order_of(view["indicator_id"]))


def _verdict(trend: Row | None, latest: Row | None) -> str:
    """The verdict of a trend, or why there is none."""
    if trend is None or latest is None or trend["baseline_year"] == latest["cohort_year"]:
        return "not_measured"
    if trend["baseline_year"] is None:
        return "not_measured" if trend["comparable_from_year"] is None else "no_comparable_period"
    told = trend["verdict_vs_baseline"]
    if told is None or trend["latest_year"] != latest["cohort_year"]:
        return "hidden"
    return str(told)


def outcome_counts(views: Sequence[View]) -> Counter[str]:
    """How many headline indicators have each verdict; what cannot be told counts as uncertain."""
    known = ("improved", "maintained", "declined")
    return Counter(
        view["verdict"] if view["verdict"] in known else "uncertain" for view in views if view["is_core"]
    )


def group_sections(rows: Sequence[Row], words: Catalogue, year: int | None) -> list[View]:
    """Rates by one dimension: each group's years, and the groups in the latest year."""
    return [
        _section(dimension, [row for row in rows if _is(row, dimension, "federal7")], words, year)
        for dimension in DIMENSIONS
    ] + [_section("alone", [row for row in rows if _is(row, "race", "alone_or_in_combination")], words, year)]


def _is(row: Row, dimension: str, scheme: str) -> bool:
    return bool(row["dimension"] == dimension and row["race_scheme"] == scheme)


def _section(dimension: str, rows: Sequence[Row], words: Catalogue, year: int | None) -> View:
    ordered = sorted(rows, key=lambda row: (words.place_of(row["group_value"]), row["group_value"]))
    series = grouped(ordered, "group_value")
    shown = {name: held for name, held in series.items() if latest_shown(held) is not None}
    return {
        "dimension": dimension,
        "series": shown,
        "rows": [row for held in shown.values() for row in held],
        "now": [r for r in ordered if r["cohort_year"] == year and r["group_value"] != "unknown"],
        "hidden_n": sum(1 for name in series if name not in shown and name != "unknown"),
    }


def combinations(rows: Sequence[Row], words: Catalogue, year: int | None) -> list[View]:
    """Rates of combined groups in one year: those that may be shown, and how many may not."""
    found = []
    for dimension in COMBINATIONS:
        held = [row for row in rows if _is(row, dimension, "federal7") and row["cohort_year"] == year]
        held.sort(key=lambda row: words.place_of(row["group_value"]))
        shown = [row for row in held if row["state"] == "shown"]
        found.append({"dimension": dimension, "rows": shown, "hidden_n": len(held) - len(shown)})
    return [view for view in found if view["rows"] or view["hidden_n"]]


def gap_views(published: Published, words: Catalogue) -> dict[str, list[Row]]:
    """Gaps by indicator, largest first, each with what the page says of it."""
    found: dict[str, list[Row]] = {}
    for row in published.gaps():
        # A gap at the start was taken against the reference of that year; beside another one it would mislead.
        same = row["trend_reference"] == row["reference_value"]
        row["before"] = row["baseline_gap"] if same else None
        row["is_certain"] = bool(row["gap_low"] is not None and row["gap_low"] > 0)
        row["order"] = words.place_of(row["group_value"])
        found.setdefault(row["indicator_id"], []).append(row)
    return found


def single(gaps: Sequence[Row], dimension: str) -> list[Row]:
    """Gaps of one dimension in the order of its groups."""
    return sorted(
        (row for row in gaps if row["dimension"] == dimension), key=lambda r: (r["order"], r["group_value"])
    )


def certain_combined(gaps: Sequence[Row]) -> list[Row]:
    """Gaps of combined groups that are larger than chance would explain, largest first."""
    return [row for row in gaps if row["dimension"] in COMBINATIONS and row["is_certain"]]


def gap_summary(gaps: Mapping[str, Sequence[Row]], outcomes: Sequence[View], trends: Sequence[Row]) -> View:
    """Counts for the first lines of the gaps page, and the largest certain gaps among the headline indicators."""
    core = {view["indicator_id"]: view for view in outcomes if view["is_core"]}
    held = [r for name, rows in gaps.items() if name in core for r in rows if r["dimension"] in DIMENSIONS]
    certain = sorted((row for row in held if row["is_certain"]), key=lambda row: -row["gap"])
    verdicts = Counter(
        row["verdict"] for row in trends if row["indicator_id"] in core and row["dimension"] in DIMENSIONS
    )
    return {
        "measured": len(held),
        "certain": len(certain),
        "reduced": verdicts["reduced"] + verdicts["eliminated"],
        "widened": verdicts["widened"],
        "uncertain": verdicts["not_enough_evidence"]
        + verdicts["no_comparable_period"]
        + verdicts["persistent"],
        "largest": [{**row, "view": core[row["indicator_id"]]} for row in certain[:8]],
    }


def edition_years(views: Sequence[View]) -> list[int]:
    """Years for which some headline indicator has a figure, latest first."""
    held = {row["cohort_year"] for view in views if view["is_core"] for row in view["rows"]}
    shown = {
        r["cohort_year"] for v in views if v["is_core"] for r in v["rows"] if r["state"] == "shown"
    } & held
    return sorted(shown, reverse=True)


def edition(views: Sequence[View], groups: Sequence[Row], words: Catalogue, year: int | None) -> list[View]:
    """The headline indicators in one year, or each in its baseline year where none is given."""
    found = []
    for view in (view for view in views if view["is_core"]):
        first = next((row["cohort_year"] for row in view["rows"] if row["state"] == "shown"), None)
        chosen = year or (view["trend"] or {}).get("baseline_year") or view["baseline_year"] or first
        row = next((row for row in view["rows"] if row["cohort_year"] == chosen), None)
        held = [
            group
            for group in groups
            if group["indicator_id"] == view["indicator_id"]
            and group["cohort_year"] == chosen
            and group["group_value"] != "unknown"
        ]
        held.sort(key=lambda r: (DIMENSIONS.index(r["dimension"]), words.place_of(r["group_value"])))
        shown = [r for r in held if r["state"] == "shown"]
        found.append({"view": view, "year": chosen, "row": row, "groups": shown, "all_groups": held})
    return found


def gateway_views(published: Published, *, cumulative: bool) -> list[View]:
    """Gateways in order, each with its rules and benchmarks and the earlier gateways that hold it back."""
    gateways = published.rows("pub_gateway_status_v1", "order by gateway_order")
    rules = published.rows("pub_gateway_rule_v1", "order by gateway_id, rule_order")
    benchmarks = published.rows("pub_gateway_benchmark_v1", "order by gateway_id, benchmark_id")
    by_id = {gateway["gateway_id"]: gateway for gateway in gateways}
    found = []
    for gateway in gateways:
        own = [b for b in benchmarks if b["gateway_id"] == gateway["gateway_id"]]
        earlier = [
            other
            for other in gateways
            if other["gateway_order"] < gateway["gateway_order"]
            and other["own_status"] != "met"
            and not other["is_state_of"]
        ]
        held_back = cumulative and gateway["status"] != "met"
        found.append(
            {
                **gateway,
                "state_of": by_id.get(gateway["is_state_of"]),
                "rules": [rule for rule in rules if rule["gateway_id"] == gateway["gateway_id"]],
                "benchmarks": own,
                "missing": [benchmark for benchmark in own if benchmark["status"] != "met"],
                "earlier": earlier if held_back else [],
            }
        )
    return found


def measure_views(rows: Sequence[Row], adjacent: Sequence[Row]) -> list[View]:
    """Community measures, one a measure and place, with the verdict where the partnership chose it."""
    verdicts = {(row["measure_id"], row["geography_id"]): row for row in adjacent}
    found = []
    for measure, held in _pairs(rows, "measure_id", "geography_id"):
        whole = [row for row in held if row["subgroup_dimension"] in (None, "all")]
        found.append(
            {
                "first": held[0],
                "rows": [{**row, "period": _period(row)} for row in held],
                "whole": [{**row, "period": _period(row)} for row in whole],
                "is_overlapping": _overlap(whole),
                "verdict": verdicts.get(measure),
            }
        )
    return found


def _pairs(rows: Sequence[Row], *names: str) -> list[tuple[tuple[Any, ...], list[Row]]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return list(found.items())


def _period(row: Row) -> str:
    start, end = row["period_start_year"], row["period_end_year"]
    return str(end) if start in (None, end) else f"{start}–{end}"


def _overlap(rows: Sequence[Row]) -> bool:
    ends = [(row["period_start_year"], row["period_end_year"]) for row in rows if row["period_start_year"]]
    return any(start <= before for (_, before), (start, _) in pairwise(ends))
