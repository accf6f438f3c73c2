"""Files under evaluation as records in an in-memory vault.

What belongs here: reading delimited text of any encoding and making identifiers of its columns. What does not: truth.
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse import duck
from warehouse.linkage.evaluation.dates import birth_date_sql, birth_year_sql
from warehouse.linkage.evaluation.mapping import EvaluationInputError, EvaluationMapping, Side, guess_mapping
from warehouse.vault import IDENTIFIER_COLUMNS

_ENCODINGS = ("utf-8-sig", "cp1252", "latin-1")


def read_table(con: duckdb.DuckDBPyConnection, file: Path, table: str, *, header: bool = True) -> list[str]:
    """Make a temp table of text columns from delimited text; returns its columns.

    Raises:
        EvaluationInputError: no such file, or not delimited text.
    """
    known = "true" if header else "false"
    try:
        con.execute(
            f"create or replace temp table {table} as select * from read_csv({duck.sql_literal(str(file))}, "
            f"all_varchar = true, header = {known}, null_padding = {'false' if header else 'true'})"
        )
    except duckdb.Error:
        _read_slowly(con, file, table, header=header)
    columns = [str(row[0]) for row in con.execute(f"describe {table}").fetchall()]
    if len(columns) == 1 and header:
        columns = _read_slowly(con, file, table, header=header)
    return columns


def _read_slowly(con: duckdb.DuckDBPyConnection, file: Path, table: str, *, header: bool) -> list[str]:
    """Python's reader takes what DuckDB's refuses: other encodings, broken quotes, lines of unequal length."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise EvaluationInputError(f"{file}: {error.strerror}.") from None
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:20_000], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = [row for row in csv.reader(text.splitlines(), dialect) if row]
    if not rows:
        raise EvaluationInputError(f"{file}: empty.")
    width = max(len(row) for row in rows)
    names = _distinct(rows[0] if header else [], width)
    padded = [row + [""] * (width - len(row)) for row in rows[int(header) :]]
    columns = zip(*padded, strict=True) if padded else [()] * width
    made = pa.table(
        {
            name: pa.array([v or None for v in column], pa.string())
            for name, column in zip(names, columns, strict=True)
        }
    )
    con.register("read_slowly", made)
    con.execute(f"create or replace temp table {table} as from read_slowly")
    con.unregister("read_slowly")
    return names


def _distinct(header: list[str], width: int) -> list[str]:
    names: list[str] = []
    for place in range(width):
        name = (header[place].strip() if place < len(header) else "") or f"column{place}"
        names.append(name if name.lower() not in {n.lower() for n in names} else f"{name}_{place}")
    return names


def load_file(
    con: duckdb.DuckDBPyConnection, file: Path, side: Side, mapping: EvaluationMapping | None
) -> bool:
    """Read one file into the in-memory vault; ids get the side in front so that the files cannot collide.

    Leaves `birth_year_of` (node, birth_year) for records of which only the year is known, and `person_of`
    (node, person) where a column says who each record is.

    Returns:
        Whether the file says of its records which person they are.

    Raises:
        EvaluationInputError: unreadable, or without an id.
    """
    there = {name.strip().lower(): name for name in read_table(con, file, "given")}
    chosen = mapping.of(side) if mapping else guess_mapping(there.values())
    parts: dict[str, list[str]] = {}
    for column, name in chosen.items():
        if column.strip().lower() in there:
            quoted = duck.quote_identifier(there[column.strip().lower()])
            parts.setdefault(name, []).append(f"nullif(trim({quoted}), '')")
    if "id" not in parts:
        raise EvaluationInputError(
            f"{file}: the mapping names no column of it as 'id'; it has: {', '.join(there.values())}."
        )
    select = {
        name: cols[0] if len(cols) == 1 else f"nullif(concat_ws(' ', {', '.join(cols)}), '')"
        for name, cols in parts.items()
    }
    node = f"'{side}-' || {select.pop('id')}"
    person, year = (
        select.pop("true_person", None),
        _birth(con, select, mapping.date_format if mapping else None),
    )
    _split_full_name(select)
    columns = "".join(f", {sql} as {name}" for name, sql in select.items() if name in IDENTIFIER_COLUMNS)
    con.execute(
        f"""insert into vault.identifier_record by name
        select {node} as source_person_key, '{side}' as partner_id, '{side}' as issuer_id, 'file' as feed_id,
            '{side}' as delivery_id, 1 as delivery_seq{columns}, 1 as row_n from given where {node} is not null"""
    )
    con.execute(
        f"insert into birth_year_of select {node} as node, min({year}) from given where {node} is not null group by 1"
    )
    if person:
        con.execute(
            f"insert into person_of select distinct {node}, {person} from given where {person} is not null"
        )
    return person is not None


def _birth(con: duckdb.DuckDBPyConnection, select: dict[str, str], given: str | None) -> str:
    """Put the birth date, where there is one, into its place; returns SQL for the year alone."""
    parts = [select.pop(name, "null::text") for name in ("birth_year", "birth_month", "birth_day")]
    year = birth_year_sql(parts[0])
    if "birth_date" in select:
        text = select["birth_date"]
        year = f"coalesce({year}, {birth_year_sql(text)})"
        select["birth_date"] = birth_date_sql(con, "given", text, given)
    elif parts[1] != "null::text":
        numbers = [f"try_cast(try_cast({part} as double) as integer)" for part in parts]
        text = f"printf('%d-%02d-%02d', {', '.join(numbers)})"
        select["birth_date"] = f"try_strptime({text}, '%Y-%m-%d')::date"
    return year


def _split_full_name(select: dict[str, str]) -> None:
    """'Last, First Middle' or 'First Middle Last' into parts; parts that have columns of their own stay."""
    whole = select.pop("full_name", None)
    if whole is None:
        return
    after = f"string_split(trim(split_part({whole}, ',', 2)), ' ')"
    words = f"string_split(trim({whole}), ' ')"
    comma = f"contains({whole}, ',')"
    split = {
        "first_name": f"case when {comma} then {after}[1] else {words}[1] end",
        "middle_name": f"array_to_string(case when {comma} then {after}[2:] else {words}[2:-2] end, ' ')",
        "last_name": f"case when {comma} then split_part({whole}, ',', 1) when len({words}) > 1 then {words}[-1] end",
    }
    for name, sql in split.items():
        select.setdefault(name, f"nullif(trim({sql}), '')")
