"""Birth dates of files under evaluation, however they are written.

What belongs here: SQL that reads them. What does not: contracts of feeds, which name one format.
"""

from __future__ import annotations

import duckdb

from warehouse import duck

# The order breaks ties: what both month first and day first can read is read month first, as in the United States.
_FORMATS = (
    "%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y/%m/%d", "%m%d%Y", "%d%m%Y",
    "%d %b %Y", "%d-%b-%Y", "%d%b%Y", "%b %d %Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%Y %m %d", "%m %d %Y", "%Y.%m.%d",
)  # fmt: skip
_SHORT_FORMATS = ("%m/%d/%y", "%d/%m/%y", "%m-%d-%y", "%d-%b-%y", "%d.%m.%y", "%y%m%d")
_FIRST_YEAR = 1850


def birth_date_sql(con: duckdb.DuckDBPyConnection, table: str, text: str, given: str | None) -> str:
    """SQL of type date for a text column.

    The format that reads most values comes first, others take what it leaves. A year of two digits lies in the past.

    Args:
        con: connection with the table.
        table: the table.
        text: SQL of the text.
        given: strptime format if it is known.
    """
    day = _without_time(text)
    if given:
        return _plausible(f"try_strptime({text}, {duck.sql_literal(given)})")
    formats = (*_FORMATS, *_SHORT_FORMATS)
    counts = con.execute(
        f"select {', '.join(f'count({_read(day, form)})' for form in formats)} from {table}"
    ).fetchone()
    assert counts is not None  # noqa: S101 - an aggregate has a row
    order = sorted(range(len(formats)), key=lambda place: (-counts[place], place))
    read = [_read(day, formats[place]) for place in order if counts[place]]
    serial = (
        f"case when regexp_full_match({day}, '[1-5][0-9]{{4}}') then date '1899-12-30' + {day}::integer end"
    )
    return f"coalesce({', '.join([*read, serial])})"


def birth_year_sql(text: str) -> str:
    """SQL of type integer for a text that holds a year, alone or as a number with decimals."""
    year = f"try_cast(try_cast({text} as double) as integer)"
    return f"case when {year} between {_FIRST_YEAR} and 2100 then {year} end"


def _without_time(text: str) -> str:
    bare = f"regexp_replace(trim({text}), '([T ][0-9]{{1,2}}:.*|\\.0+)$', '')"
    return f"case when regexp_full_match({bare}, '[0-9]{{7}}') then '0' || {bare} else {bare} end"


def _read(text: str, form: str) -> str:
    date = f"try_strptime({text}, {duck.sql_literal(form)})"
    if "%y" in form:
        date = f"(case when {date} > now()::timestamp then {date} - interval 100 year else {date} end)"
    return _plausible(date)


def _plausible(date: str) -> str:
    return f"case when year({date}) between {_FIRST_YEAR} and 2100 then ({date})::date end"
