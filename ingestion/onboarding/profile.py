"""What the columns of an unseen file look like: how full, how distinct, which dates, which codes.

What belongs here: measuring columns, in sets. What does not: guessing what they mean (`propose`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class ColumnProfile:
    """One source column, measured.

    Attributes:
        name: header as it stands in the file.
        filled: share of rows with a value, 0 to 1.
        distinct: share of distinct values among the filled ones, 0 to 1.
        numeric: share of filled values that are numbers.
        mean: of those numbers; None where there are none.
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

    @property
    def best_dates(self) -> list[str]:
        """The formats that explain the column, best first; those that fit equally well are all kept."""
        ranked = sorted(self.dates.items(), key=lambda item: (-item[1], DATE_FORMATS.index(item[0])))
        return [name for name, share in ranked if share >= 0.5]


def profile_columns(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> list[ColumnProfile]:
    """Measure every column of a relation of text in one pass, and the codes of those with few values."""
    if not columns:
        return []
    row = con.execute(
        f"select count(*), {', '.join(_measures(name) for name in columns)} from {relation}"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    total, width = int(row[0]), 5 + len(DATE_FORMATS)
    profiles = []
    for index, name in enumerate(columns):
        filled, distinct, numeric, mean, longest, *dates = row[1 + index * width : 1 + (index + 1) * width]
        share = {fmt: hit / filled for fmt, hit in zip(DATE_FORMATS, dates, strict=True) if filled and hit}
        few = distinct <= _FEW and (longest or 0) <= 60
        profiles.append(
            ColumnProfile(
                name,
                filled / total if total else 0.0,
                distinct / filled if filled else 0.0,
                numeric / filled if filled else 0.0,
                share,
                _codes(con, relation, name) if few and filled else frozenset(),
                mean,
            )
        )
    return profiles


def _measures(name: str) -> str:
    column = f"nullif(trim({quote_identifier(name)}), '')"
    dates = ", ".join(f"count(try_strptime({column}, {sql_literal(fmt)}))" for fmt in DATE_FORMATS)
    return (
        f"count({column}), count(distinct {column}), count(try_cast({column} as double)), "
        f"avg(try_cast({column} as double)) filter (where isfinite(try_cast({column} as double))), max(length({column})), {dates}"
    )


def _codes(con: duckdb.DuckDBPyConnection, relation: str, name: str) -> frozenset[str]:
    rows = con.execute(
        f"select distinct upper(trim({quote_identifier(name)})) from {relation} "
        f"where nullif(trim({quote_identifier(name)}), '') is not null"
    ).fetchall()
    return frozenset(row[0] for row in rows)
