"""What the columns of an unseen file look like: how full, how distinct, which dates, which codes.

What belongs here: measuring columns, in sets. What does not: guessing what they mean (`propose`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from warehouse.duck import quote_identifier, sql_literal

DATE_FORMATS = (
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%Y%m%d",
    "%m/%d/%y",
    "%d-%b-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d/%m/%Y",
)
_FEW = 60
_AT_ONCE = 50  # columns a query: planning grows with their square
_YEAR = r"([A-Za-z ]*)(19|20)\d\d( ?[-/_]? ?(\d\d|(19|20)\d\d))?([A-Za-z ]*)"


@dataclass(frozen=True)
class ColumnProfile:
    """One source column, measured.

    Attributes:
        name: header as it stands in the file.
        filled: share of rows with a value, 0 to 1.
        distinct: share of distinct values among the filled ones, 0 to 1.
        numeric: share of filled values that are numbers.
        mean: of those numbers; None where there are none.
        years: share of filled values that are a year or a school year (2024, 2023-24, SY 2023-2024), 0 to 1.
        dates: share of filled values that fit, by date format, those above zero only.
        codes: distinct values, upper case, where there are few; empty otherwise.
    """

    name: str
    filled: float
    distinct: float
    numeric: float
    dates: dict[str, float] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    mean: float | None = None
    years: float = 0.0

    @property
    def best_dates(self) -> list[str]:
        """The formats that explain the column, best first; those that fit equally well are all kept."""
        ranked = sorted(self.dates.items(), key=lambda item: (-item[1], DATE_FORMATS.index(item[0])))
        return [name for name, share in ranked if share >= 0.5]


def profile_columns(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> list[ColumnProfile]:
    """Measure every column of a relation of text, and the codes of those with few values."""
    profiles: list[ColumnProfile] = []
    for start in range(0, len(columns), _AT_ONCE):
        names = columns[start : start + _AT_ONCE]
        row = con.execute(
            f"select count(*), {', '.join(_measures(name) for name in names)} from {relation}"
        ).fetchone()
        assert row is not None  # noqa: S101 - an aggregate has a row
        width = (len(row) - 1) // len(names)
        for index, name in enumerate(names):
            told = row[1 + index * width : 1 + (index + 1) * width]
            profiles.append(_profile(con, relation, name, int(row[0]), told))
    return profiles


def _profile(
    con: duckdb.DuckDBPyConnection, relation: str, name: str, total: int, told: Sequence[Any]
) -> ColumnProfile:
    """One column from what `_measures` told of it."""
    filled, distinct, numeric, mean, longest, years, *dates = told
    if not filled:
        return ColumnProfile(name, 0.0, 0.0, 0.0)
    few = distinct <= _FEW and (longest or 0) <= 60
    return ColumnProfile(
        name,
        filled / total,
        distinct / filled,
        numeric / filled,
        {fmt: hit / filled for fmt, hit in zip(DATE_FORMATS, dates, strict=True) if hit},
        _codes(con, relation, name) if few else frozenset(),
        mean,
        years / filled,
    )


def _measures(name: str) -> str:
    column = f"nullif(trim({quote_identifier(name)}), '')"
    dates = ", ".join(f"count(try_strptime({column}, {sql_literal(fmt)}))" for fmt in DATE_FORMATS)
    return (
        f"count({column}), count(distinct {column}), count(try_cast({column} as double)), "
        f"avg(try_cast({column} as double)) filter (where isfinite(try_cast({column} as double))), max(length({column})), "
        f"count(*) filter (where regexp_full_match({column}, {sql_literal(_YEAR)})), {dates}"
    )


def _codes(con: duckdb.DuckDBPyConnection, relation: str, name: str) -> frozenset[str]:
    rows = con.execute(
        f"select distinct upper(trim({quote_identifier(name)})) from {relation} "
        f"where nullif(trim({quote_identifier(name)}), '') is not null"
    ).fetchall()
    return frozenset(row[0] for row in rows)
