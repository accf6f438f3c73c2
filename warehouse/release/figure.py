"""One published figure: naming it, and finding it in a release.

What belongs here: the choice of indicator, year, place and group, and the errors that list what there is. What does
not: how the figure came about (`explain`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import duckdb

from warehouse.duck import quote_identifier, sql_literal
from warehouse.release.spec import RATE

_MOST_LISTED = 30
_OPTION = {
    "cohort_year": "--year",
    "geography_id": "--geography",
    "organization_key": "--organization",
    "race_scheme": "--scheme",
    "race_group": "--race",
    "gender_group": "--gender",
    "economic_group": "--economic",
}


class ExplainError(ValueError):
    """No figure has that name, or what lies behind it is absent; the message says what there is."""


@dataclass(frozen=True)
class Figure:
    """The key of a row of the rate table; None is the latest year, and the community's own geography."""

    indicator_id: str
    cohort_year: int | None = None
    geography_id: str | None = None
    organization_key: str = "all"
    race_scheme: str = "federal7"
    race_group: str = "all"
    gender_group: str = "all"
    economic_group: str = "all"

    def key(self) -> dict[str, Any]:
        """Its parts by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def published_figure(release: Path, figure: Figure, geography_id: str) -> tuple[Figure, dict[str, Any]]:
    """The figure with every part filled in, and its row as released.

    Raises:
        ExplainError: there is none; the message names the first part that does not fit, and what would.
    """
    file = release / "tables" / f"{RATE}.parquet"
    if not file.is_file():
        raise ExplainError(f"release {release.name} has no rate table; `throughline run` makes the next one")
    with duckdb.connect() as con:
        con.execute(f"create view rates as from read_parquet({sql_literal(str(file))})")
        full = replace(figure, geography_id=figure.geography_id or geography_id)
        if full.cohort_year is None:
            full = replace(full, cohort_year=_latest_year(con, full))
        _refuse_unknown(con, full)
        answer = con.execute(f"from rates where {_where(list(full.key()))}", full.key())
        names = [column[0] for column in answer.description or []]
        row = answer.fetchone()
    assert row is not None  # noqa: S101 - unknown figures were refused above
    return full, dict(zip(names, row, strict=True))


def _latest_year(con: duckdb.DuckDBPyConnection, figure: Figure) -> int | None:
    """The latest year with a rate shown, else the latest."""
    parts = [name for name in figure.key() if name != "cohort_year"]
    given = {name: figure.key()[name] for name in parts}
    row = con.execute(
        "select coalesce(max(cohort_year) filter (where rate is not null), max(cohort_year)) from rates "
        f"where {_where(parts)}",
        given,
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else None


def _refuse_unknown(con: duckdb.DuckDBPyConnection, figure: Figure) -> None:
    """Try the parts one after the other: the first that leaves no row is the one that does not fit."""
    fixed: list[str] = []
    for name, value in figure.key().items():
        if name == "cohort_year" and value is None:
            continue
        before = {part: figure.key()[part] for part in fixed}
        where = _where(fixed) if fixed else "true"
        column = quote_identifier(name)
        there = [v for (v,) in con.execute(f"select distinct {column} from rates where {where} order by 1", before).fetchall()]  # fmt: skip
        if value not in there:
            option = f" ({_OPTION[name]})" if name in _OPTION else ""
            so_far = ", ".join(str(part) for part in before.values())
            raise ExplainError(
                f"no figure with {name} '{value}'{option}{' for ' + so_far if so_far else ''}; there are: {_listed(there)}"
            )
        fixed.append(name)
    if figure.cohort_year is None:
        raise ExplainError(
            f"no figure for {', '.join(str(v) for v in figure.key().values() if v)} in any year"
        )


def _where(names: list[str]) -> str:
    return " and ".join(f"{quote_identifier(name)} = ${name}" for name in names)


def _listed(values: list[Any]) -> str:
    told = ", ".join(str(value) for value in values[:_MOST_LISTED])
    return told + (f" and {len(values) - _MOST_LISTED} more" if len(values) > _MOST_LISTED else "")
