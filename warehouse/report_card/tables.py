"""Reading the published tables of one release: the only data that the report card knows.

What belongs here: queries. What does not: words, drawings and pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from warehouse import duck
from warehouse.duck import quote_identifier, sql_literal

Row = dict[str, Any]
DIMENSIONS = ("race", "gender", "economic")
_STATE = """
    case when is_suppressed then 'suppressed'
        when rate is null or not coalesce(is_enough_data, false) then 'not_enough' else 'shown' end
"""
_DIMENSION = """
    concat_ws('_', case when race_group <> 'all' then 'race' end, case when gender_group <> 'all' then 'gender' end,
        case when economic_group <> 'all' then 'economic' end)
"""
_VALUE = (
    "concat_ws(' / ', nullif(race_group, 'all'), nullif(gender_group, 'all'), nullif(economic_group, 'all'))"
)


class Published:
    """The published tables of a release folder; a table that was not published has no rows."""

    def __init__(self, folder: Path, geography_id: str) -> None:
        self._con = duck.connect(memory_limit="1GB")
        self.geography_id = geography_id
        self.names: set[str] = set()
        for file in sorted((folder / "tables").glob("*.parquet")):
            self._con.execute(
                f"create view {quote_identifier(file.stem)} as select * from read_parquet({sql_literal(str(file))})"
            )
            self.names.add(file.stem)
        if "pub_indicator_rate_v1" in self.names:
            self._con.execute(
                f"""create table figure as select *, {_STATE} as state, {_DIMENSION} as dimension, {_VALUE} as group_value
                from pub_indicator_rate_v1 where organization_key = 'all' or {_DIMENSION} = ''"""
            )

    def close(self) -> None:
        """Let go of the files."""
        self._con.close()

    def rows(self, table: str, rest: str = "", values: Mapping[str, object] | None = None) -> list[Row]:
        """Rows of a published table, `rest` being the SQL after its name."""
        if table not in self.names:
            return []
        return self.query(f"select * from {quote_identifier(table)} {rest}", values)

    def query(self, sql: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Rows of any query."""
        result = self._con.execute(sql, values or {})
        columns = [column[0] for column in result.description or []]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    def indicators(self) -> list[Row]:
        """Definitions: headline indicators in the order of the stages, then contributing ones, then variants."""
        return self.rows("pub_indicator_v1", "order by is_core desc nulls last, role, indicator_id")

    def everyone(self) -> dict[str, list[Row]]:
        """Rates of everyone in the whole community by indicator, in order of years.

        A withheld year of which too little is known says the latter, and what is missing.
        """
        found = self._by("indicator_id", "dimension = '' and race_scheme = 'federal7'")
        for told in self.rows("pub_indicator_coverage_v1", "where not is_enough_data"):
            for row in found.get(told["indicator_id"], []):
                if row["cohort_year"] == told["cohort_year"]:
                    row["state"], row["missing_feeds"] = "not_enough", told["missing_feeds"]
        return found

    def groups(self, indicator_id: str) -> list[Row]:
        """Rates of all groups in the whole community, all years and race schemes."""
        if "pub_indicator_rate_v1" not in self.names:
            return []
        return self.query(
            "select * from figure where indicator_id = $i and geography_id = $g and organization_key = 'all' "
            "and dimension <> '' order by cohort_year",
            {"i": indicator_id, "g": self.geography_id},
        )

    def core_groups(self) -> list[Row]:
        """Rates by single dimension of the headline indicators, all years."""
        if not {"pub_indicator_rate_v1", "pub_indicator_v1"} <= self.names:
            return []
        return self.query(
            "select f.* from figure f join pub_indicator_v1 i using (indicator_id) where i.is_core and geography_id = $g "
            "and organization_key = 'all' and race_scheme = 'federal7' and f.dimension in ('race', 'gender', 'economic')",
            {"g": self.geography_id},
        )

    def places(self, indicator_id: str, year: int) -> list[Row]:
        """Rates of everyone by place other than the whole community."""
        return self._named(
            indicator_id, year, "geography", "f.organization_key = 'all' and f.geography_id <> $g"
        )

    def organizations(self, indicator_id: str, year: int) -> list[Row]:
        """Rates of everyone by organization."""
        return self._named(
            indicator_id, year, "organization", "f.organization_key <> 'all' and f.geography_id = $g"
        )

    def trends(self) -> dict[str, Row]:
        """Verdict of everyone in the whole community by indicator."""
        found = self.rows(
            "pub_indicator_trend_v1",
            "where organization_key = 'all' and geography_id = $g and race_scheme = 'federal7' and race_group = 'all' "
            "and gender_group = 'all' and economic_group = 'all'",
            {"g": self.geography_id},
        )
        return {row["indicator_id"]: row for row in found}

    def gaps(self) -> list[Row]:
        """The gaps of every indicator's latest compared year, with how each changed; the whole community.

        Only of groups whose rate is shown, as everyone's is: where too little is known a gap would mislead as well.
        """
        if not {"pub_indicator_rate_v1", "pub_disparity_gap_v1", "pub_gap_trend_v1"} <= self.names:
            return []
        return self.query(
            """
            select g.*, t.baseline_year, t.baseline_gap, t.change, t.change_low, t.change_high, t.verdict,
                t.is_levelling_down, t.smallest_detectable_change, t.was_adverse_at_baseline, t.latest_gap,
                t.reference_value as trend_reference
            from pub_disparity_gap_v1 g
            semi join (select * from figure where state = 'shown') f on f.indicator_id = g.indicator_id
                and f.cohort_year = g.cohort_year and f.geography_id = g.geography_id
                and f.organization_key = g.organization_key and f.race_scheme = g.race_scheme
                and f.dimension = g.dimension and f.group_value = g.group_value
            semi join (select * from figure where state = 'shown' and dimension = '') e on e.indicator_id = g.indicator_id
                and e.cohort_year = g.cohort_year and e.geography_id = g.geography_id
                and e.organization_key = g.organization_key
            left join pub_gap_trend_v1 t on t.indicator_id = g.indicator_id and t.geography_id = g.geography_id
                and t.organization_key = g.organization_key and t.race_scheme = g.race_scheme
                and t.dimension = g.dimension and t.group_value = g.group_value and t.latest_year = g.cohort_year
            where g.organization_key = 'all' and g.geography_id = $g and g.race_scheme = 'federal7' and g.gap is not null
                and g.group_value is distinct from g.reference_value and not contains(g.group_value, 'unknown')
            qualify g.cohort_year = max(g.cohort_year) over (partition by g.indicator_id)
            order by g.gap desc, g.group_value
            """,
            {"g": self.geography_id},
        )

    def group_trends(self, indicator_id: str) -> dict[tuple[str, str], str | None]:
        """Verdict of each group in the whole community, by race scheme and group."""
        found = self.rows(
            "pub_indicator_trend_v1",
            "where indicator_id = $i and organization_key = 'all' and geography_id = $g",
            {"i": indicator_id, "g": self.geography_id},
        )
        parts = ("race_group", "gender_group", "economic_group")
        return {
            (row["race_scheme"], " / ".join(row[p] for p in parts if row[p] != "all")): row[
                "verdict_vs_baseline"
            ]
            for row in found
        }

    def gap_trends(self) -> list[Row]:
        """How gaps changed, in the whole community."""
        return self.rows(
            "pub_gap_trend_v1",
            "where organization_key = 'all' and geography_id = $g and race_scheme = 'federal7'",
            {"g": self.geography_id},
        )

    def measures(self) -> list[Row]:
        """Community measures, each place's periods in order."""
        return self.rows(
            "pub_community_measure_v1",
            "order by adjacent_outcome_id, measure_id, geography_name, subgroup_dimension, subgroup, "
            "period_end_year, period_start_year",
        )

    def _named(self, indicator_id: str, year: int, kind: str, where: str) -> list[Row]:
        if not {"pub_indicator_rate_v1", f"pub_{kind}_v1"} <= self.names:
            return []
        return self.query(
            f"""select f.*, n.{kind}_name as name, n.{kind}_type as type from figure f
            join pub_{kind}_v1 n on n.{kind}_{"key" if kind == "organization" else "id"}
                = f.{kind}_{"key" if kind == "organization" else "id"}
            where f.indicator_id = $i and f.cohort_year = $y and f.dimension = '' and f.race_scheme = 'federal7' and {where}
            order by type, name, f.organization_key, f.geography_id""",
            {"i": indicator_id, "y": year, "g": self.geography_id},
        )

    def _by(self, key: str, where: str) -> dict[str, list[Row]]:
        if "pub_indicator_rate_v1" not in self.names:
            return {}
        found = self.query(
            f"select * from figure where geography_id = $g and organization_key = 'all' and {where} "
            f"order by {key}, cohort_year",
            {"g": self.geography_id},
        )
        return grouped(found, key)


def grouped(rows: Iterable[Row], key: str) -> dict[Any, list[Row]]:
    """Rows that stand in order of a column, by its values."""
    return {value: list(items) for value, items in groupby(rows, key=lambda row: row[key])}


def latest_shown(rows: Iterable[Row]) -> Row | None:
    """The last row whose figure may be shown."""
    return next((row for row in reversed(list(rows)) if row["state"] == "shown"), None)


def year_kind(timing: str | None) -> str:
    """What an indicator's cohort year is, as its timing says: a class, a calendar year, or else a school year."""
    told = (timing or "").lower()
    if "calendar year" in told:
        return "calendar"
    return "class" if "graduation year" in told else "school"
