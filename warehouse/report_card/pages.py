"""Writing the report card's pages from the published tables of a release that is being made.

What belongs here: gathering rows and rendering templates. What does not: charts (`chart`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, PackageLoader, select_autoescape

from warehouse.community import Community
from warehouse.report_card.chart import line_chart

_VERDICTS = {
    "improved": "Improved",
    "maintained": "Held steady",
    "declined": "Declined",
    "not_enough_evidence": "Too early to tell",
    "not_measured": "Not enough data",
    None: "Not enough data",
}
_DIMENSIONS = (
    ("race_group", "race and ethnicity"),
    ("gender_group", "gender"),
    ("economic_group", "economic status"),
)


def write_report_card(folder: Path, community: Community, manifest: Mapping[str, Any]) -> Path:
    """Write `report/` into a release folder; reads nothing but that folder's own tables."""
    environment = Environment(
        loader=PackageLoader("warehouse.report_card"),
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
    )
    report = folder / "report"
    report.mkdir()
    con = duckdb.connect()
    try:
        tables = {f.stem: str(f) for f in (folder / "tables").glob("*.parquet")}
        context = {
            "community": community.config.name,
            "release_id": manifest["release_id"],
            "made": str(manifest["created_at"])[:10],
            "minimum_n": manifest["minimum_n"],
        }
        indicators = _indicators(con, tables)
        pages: list[tuple[str, str, dict[str, Any]]] = [
            ("index.html", "index.html.j2", {"indicators": indicators, "gateways": _gateways(con, tables)})
        ]
        pages.append(
            (
                "gateways.html",
                "gateways.html.j2",
                {
                    "gateways": _gateways(con, tables),
                    "rules": _rows(con, tables, "pub_gateway_rule_v1", "order by gateway_id, rule_order"),
                    "benchmarks": _rows(
                        con, tables, "pub_gateway_benchmark_v1", "order by gateway_id, benchmark_id"
                    ),
                },
            )
        )
        for indicator in indicators:
            detail = {"indicator": indicator, "sections": _sections(con, tables, indicator["indicator_id"])}
            pages.append((f"{indicator['indicator_id']}.html", "indicator.html.j2", detail))
        for name, template, extra in pages:
            text = environment.get_template(template).render(**context, **extra)
            (report / name).write_text(text, encoding="utf-8")
    finally:
        con.close()
    return report / "index.html"


def _rows(
    con: duckdb.DuckDBPyConnection, tables: Mapping[str, str], name: str, rest: str = ""
) -> list[dict[str, Any]]:
    if name not in tables:
        return []
    relation = con.execute(f"select * from read_parquet($file) {rest}", {"file": tables[name]})
    columns = [column[0] for column in relation.description or []]
    return [dict(zip(columns, row, strict=True)) for row in relation.fetchall()]


def _gateways(con: duckdb.DuckDBPyConnection, tables: Mapping[str, str]) -> list[dict[str, Any]]:
    return _rows(con, tables, "pub_gateway_status_v1", "order by gateway_order")


def _indicators(con: duckdb.DuckDBPyConnection, tables: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every indicator with its latest community figure and verdict."""
    whole = "where organization_key = 'all' and race_scheme = 'federal7' and race_group = 'all' and gender_group = 'all' and economic_group = 'all'"
    trends = {row["indicator_id"]: row for row in _rows(con, tables, "pub_indicator_trend_v1", whole)}
    found = []
    for row in _rows(con, tables, "pub_indicator_v1"):
        trend = trends.get(row["indicator_id"], {})
        verdict = _VERDICTS.get(trend.get("verdict_vs_baseline"), "Not enough data")
        found.append({**row, "trend": trend, "verdict": verdict})
    return sorted(found, key=lambda row: (not row.get("is_core"), row["indicator_id"]))


def _sections(
    con: duckdb.DuckDBPyConnection, tables: Mapping[str, str], indicator_id: str
) -> list[dict[str, Any]]:
    """Figures of one indicator: everybody, then by each dimension."""
    chosen = (
        f"where indicator_id = '{indicator_id}' and organization_key = 'all' and race_scheme = 'federal7' "
        "order by cohort_year"
    )
    rows = _rows(con, tables, "pub_indicator_rate_v1", chosen)
    groups = [name for name, _ in _DIMENSIONS]

    def part(dimension: str | None) -> list[dict[str, Any]]:
        return [r for r in rows if all((r[name] == "all") != (name == dimension) for name in groups)]

    sections = [_section("Everybody", part(None), "gender_group")]
    return sections + [_section(f"By {title}", part(name), name) for name, title in _DIMENSIONS]


def _section(title: str, rows: list[dict[str, Any]], group: str) -> dict[str, Any]:
    series: dict[str, list[tuple[int, float | None]]] = {}
    for row in rows:
        value = row["rate"] if row["is_enough_data"] else None
        series.setdefault(str(row[group]), []).append((row["cohort_year"], value))
    return {"title": title, "rows": rows, "group": group, "chart": line_chart(series, title) if rows else ""}
