"""What differs between two releases, in words, and because of which deliveries.

What belongs here: comparing two releases' own files. What does not: how a single figure came about (`explain`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.duck import quote_identifier, sql_literal
from warehouse.release.shelf import ReleaseInfo, find_release, read_manifest
from warehouse.release.spec import RATE
from warehouse.settings import CommunityPaths

_MOST_FIGURES = 12


@dataclass(frozen=True)
class TableChange:
    """How the rows of one published table differ, by its keys."""

    table: str
    added: int
    removed: int
    changed: int


@dataclass(frozen=True)
class FigureChange:
    """A figure of the whole community that reads otherwise; None is withheld or absent."""

    indicator_id: str
    cohort_year: int
    before: float | None
    after: float | None
    because_of: tuple[str, ...]


@dataclass(frozen=True)
class ReleaseDiff:
    """All that differs between an older and a newer release."""

    older: str
    newer: str
    deliveries_added: tuple[Mapping[str, Any], ...]
    deliveries_gone: tuple[Mapping[str, Any], ...]
    configuration_changed: bool
    code_changed: bool
    tables_added: tuple[str, ...]
    tables_gone: tuple[str, ...]
    tables: tuple[TableChange, ...]
    figures: tuple[FigureChange, ...]

    def sentences(self) -> list[str]:
        """The same in words, causes first."""
        told = [_arrived(delivery) for delivery in self.deliveries_added]
        told += [f"No longer in force: {_named(delivery)}." for delivery in self.deliveries_gone]
        told += ["The community's configuration changed."] if self.configuration_changed else []
        told += ["The code changed."] if self.code_changed else []
        told += [f"{name} is new." for name in self.tables_added]
        told += [f"{name} is no longer published." for name in self.tables_gone]
        told += [
            f"{t.table}: {t.changed:,} rows changed, {t.added:,} added, {t.removed:,} removed."
            for t in self.tables
        ]
        told += [_figure(figure) for figure in self.figures[:_MOST_FIGURES]]
        if len(self.figures) > _MOST_FIGURES:
            told.append(f"{len(self.figures) - _MOST_FIGURES:,} more figures of the whole community changed.")
        return told or [f"Releases {self.older} and {self.newer} tell the same."]


def diff_releases(paths: CommunityPaths, older: str, newer: str) -> ReleaseDiff:
    """Compare two releases.

    Raises:
        ReleaseError: one of them does not exist.
    """
    left, right = find_release(paths, older), find_release(paths, newer)
    a, b = read_manifest(left.path), read_manifest(right.path)
    before = {d["delivery_id"]: d for d in a["deliveries"]}
    after = {d["delivery_id"]: d for d in b["deliveries"]}
    added = tuple(d for key, d in after.items() if key not in before)
    gone = tuple(d for key, d in before.items() if key not in after)
    return ReleaseDiff(
        older=left.release_id,
        newer=right.release_id,
        deliveries_added=added,
        deliveries_gone=gone,
        configuration_changed=a["configuration_hash"] != b["configuration_hash"],
        code_changed=a["code_version"] != b["code_version"],
        tables_added=tuple(sorted(set(b["tables"]) - set(a["tables"]))),
        tables_gone=tuple(sorted(set(a["tables"]) - set(b["tables"]))),
        tables=_table_changes(left, right, b["tables"]),
        figures=_figure_changes(left.path, right.path, b["geography_id"], [*added, *gone]),
    )


def _table_changes(
    left: ReleaseInfo, right: ReleaseInfo, tables: Mapping[str, Mapping[str, Any]]
) -> tuple[TableChange, ...]:
    changes = []
    with duckdb.connect() as con:
        for name, table in sorted(tables.items()):
            if name not in left.tables or left.tables[name]["hash"] == table["hash"]:
                continue
            known = dict(left.tables[name]["hashed_columns"])
            columns = [column for column, _ in table["hashed_columns"] if column in known]
            changes.append(
                _compare(con, name, table["keys"], columns, _file(left.path, name), _file(right.path, name))
            )
    return tuple(changes)


def _compare(
    con: duckdb.DuckDBPyConnection, name: str, keys: Sequence[str], columns: Sequence[str], old: str, new: str
) -> TableChange:
    chosen = ", ".join(quote_identifier(key) for key in keys)
    values = ", ".join(quote_identifier(column) for column in columns)
    row = con.execute(
        f"""
        with rows as (
            select 0 as side, {chosen}, md5(({values})::varchar) as content from {old}
            union all
            select 1, {chosen}, md5(({values})::varchar) from {new}
        ),
        by_key as (
            select count(*) filter (where side = 0) as old_n, count(*) filter (where side = 1) as new_n,
                string_agg(content, '' order by content) filter (where side = 0) as old_content,
                string_agg(content, '' order by content) filter (where side = 1) as new_content
            from rows group by {chosen}
        )
        select count(*) filter (where old_n = 0), count(*) filter (where new_n = 0),
            count(*) filter (where old_n > 0 and new_n > 0 and old_content <> new_content)
        from by_key
        """
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return TableChange(name, *(int(value) for value in row))


def _figure_changes(
    old: Path, new: Path, geography_id: str, deliveries: Sequence[Mapping[str, Any]]
) -> tuple[FigureChange, ...]:
    """Rates of the whole community that read otherwise to a tenth of a point, with the deliveries that can be why."""
    files = [
        folder / "tables" / f"{name}.parquet" for folder in (old, new) for name in (RATE, "pub_indicator_v1")
    ]
    if not all(file.is_file() for file in files):
        return ()
    total = (
        "where organization_key = 'all' and race_scheme = 'federal7' and race_group = 'all' and gender_group = 'all' "
        "and economic_group = 'all' and geography_id = $place and is_enough_data"
    )
    with duckdb.connect() as con:
        rows = con.execute(
            f"""
            with a as (select indicator_id, cohort_year, rate from {_file(old, RATE)} {total}),
            b as (select indicator_id, cohort_year, rate from {_file(new, RATE)} {total})
            select indicator_id, cohort_year, a.rate, b.rate, i.feeds
            from a full join b using (indicator_id, cohort_year)
            left join {_file(new, "pub_indicator_v1")} i using (indicator_id)
            where round(a.rate, 3) is distinct from round(b.rate, 3)
            order by indicator_id, cohort_year
            """,
            {"place": geography_id},
        ).fetchall()
    return tuple(
        FigureChange(
            indicator,
            int(year),
            before,
            after,
            tuple(_named(d) for d in deliveries if d["feed_id"] in str(feeds or "").split(";")),
        )
        for indicator, year, before, after, feeds in rows
    )


def _file(folder: Path, name: str) -> str:
    return f"read_parquet({sql_literal(str(folder / 'tables' / f'{name}.parquet'))})"


def _named(delivery: Mapping[str, Any]) -> str:
    return f"{delivery['feed_id']} of {delivery['partner_id']} ({delivery['delivery_id']})"


def _arrived(delivery: Mapping[str, Any]) -> str:
    accepted = delivery.get("rows_accepted")
    rows = f": {accepted:,} rows accepted" if accepted is not None else ""
    return f"New: {_named(delivery)}{rows}."


def _figure(figure: FigureChange) -> str:
    before, after = (
        "not shown" if value is None else f"{100 * value:.1f} %" for value in (figure.before, figure.after)
    )
    why = f", because of {', '.join(figure.because_of)}" if figure.because_of else ""
    return f"{figure.indicator_id} {figure.cohort_year}: {before} before, {after} now{why}."
