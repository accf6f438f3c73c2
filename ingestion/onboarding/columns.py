"""What stands in the columns of a file, told without a single value: types, counts, and the shapes of cells.

What belongs here: `inspect --columns`. What does not: guessing what columns mean (`propose`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import duckdb

from ingestion.contracts import load_contracts
from ingestion.onboarding.profile import DATE_FORMATS
from ingestion.onboarding.propose import header_similarity
from warehouse.duck import quote_identifier, sql_literal

# A type holds where all but a few cells fit; what does not fit is what acceptance will put aside.
_FITS = 0.95
_FEW = 60
_PATTERNS, _LONGEST = 3, 40
_AT_ONCE = 100  # columns a query
_ALIKE = 0.7


@dataclass(frozen=True)
class ColumnShape:
    """One column of a file.

    Attributes:
        name: header as it stands in the file.
        type: empty, date, integer, decimal, digits (whole numbers with leading zeros), code (few values) or text.
        date_format: strptime format of a date, empty otherwise.
        filled: share of rows with a value, 0 to 1.
        distinct: number of distinct values.
        is_identifier: whether its header is like that of a direct identifier.
        patterns: the most frequent shapes of cells, letters as A and a, digits as 9; for an identifier and for text of
            many values, a run of letters as a+ and of digits as 9+, so that a rare name does not show by its length.
    """

    name: str
    type: str
    date_format: str
    filled: float
    distinct: int
    is_identifier: bool
    patterns: tuple[str, ...]


def column_shapes(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> Iterator[ColumnShape]:
    """Measure every column of a relation of text, in order."""
    for start in range(0, len(columns), _AT_ONCE):
        names = columns[start : start + _AT_ONCE]
        measures = ", ".join(_measures(name) for name in names)
        row = con.execute(f"select count(*), {measures} from {quote_identifier(relation)}").fetchone() or ()
        width = (len(row) - 1) // len(names)
        for at, name in enumerate(names):
            filled, distinct, *fits = row[1 + at * width : 1 + (at + 1) * width]
            kind, date_format = _type(filled, distinct, fits)
            is_identifier = _is_identifier(name)
            yield ColumnShape(
                name,
                kind,
                date_format,
                round(filled / row[0], 4) if row[0] else 0.0,
                distinct,
                is_identifier,
                _patterns(con, relation, name, is_identifier or kind == "text") if filled else (),
            )


def _cell(name: str) -> str:
    return f"nullif(trim({quote_identifier(name)}), '')"


def _measures(name: str) -> str:
    cell = _cell(name)
    counted = [
        cell,
        f"distinct {cell}",
        f"case when regexp_full_match({cell}, '[+-]?[0-9]+') then 1 end",
        f"case when regexp_full_match({cell}, '0[0-9]+') then 1 end",
        f"try_cast({cell} as double)",
        *(f"try_strptime({cell}, {sql_literal(fmt)})" for fmt in DATE_FORMATS),
    ]
    return ", ".join(f"count({what})" for what in counted)


def _type(filled: int, distinct: int, fits: Sequence[int]) -> tuple[str, str]:
    """Type and date format by how many of the filled cells fit each."""
    if not filled:
        return "empty", ""
    whole, zeros, numbers, *dates = fits
    best = max(range(len(dates)), key=lambda at: dates[at])
    # A day written as eight digits is a number too, so dates have the first word.
    if dates[best] >= _FITS * filled:
        return "date", DATE_FORMATS[best]
    if whole >= _FITS * filled:
        return ("digits" if zeros else "integer"), ""
    if numbers >= _FITS * filled:
        return "decimal", ""
    return ("code" if distinct <= _FEW and distinct * 2 <= filled else "text"), ""


@lru_cache(maxsize=1)
def _identifiers() -> tuple[str, ...]:
    contracts = load_contracts().values()
    return tuple(
        sorted({c.name for contract in contracts for c in contract.columns if c.class_ == "identifier"})
    )


def _is_identifier(name: str) -> bool:
    return any(header_similarity(name, canonical) >= _ALIKE for canonical in _identifiers())


def _patterns(con: duckdb.DuckDBPyConnection, relation: str, name: str, is_close: bool) -> tuple[str, ...]:
    rows = con.execute(
        f"select left({_masked(_cell(name), is_close)}, {_LONGEST}) as shape, count(*) as n "
        f"from {quote_identifier(relation)} where {_cell(name)} is not null "
        f"group by 1 order by n desc, shape limit {_PATTERNS}"
    ).fetchall()
    return tuple(row[0] for row in rows)


def _masked(cell: str, is_close: bool) -> str:
    """SQL of a cell's shape. Control characters stand for what is masked, lest a mask be masked again."""
    steps = [(r"\p{L}+", 2), (r"\p{N}+", 3)] if is_close else [(r"\p{Lu}", 1), (r"\p{L}", 2), (r"\p{N}", 3)]
    shape = cell
    for pattern, mark in steps:
        shape = f"regexp_replace({shape}, '{pattern}', chr({mark}), 'g')"
    end = "+" if is_close else ""
    for mark, letter in ((1, "A"), (2, "a"), (3, "9")):
        shape = f"replace({shape}, chr({mark}), '{letter}{end}')"
    return shape
