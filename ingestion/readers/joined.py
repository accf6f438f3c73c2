"""Several tables of one drop joined into one: the members of a ZIP, the elements of an XML file, the sheets of a workbook.

What belongs here: reading each part by its own format, and one SELECT over them. What does not: reading itself, and
meaning (the query only brings columns together; the mapping types and recodes them).
"""

from __future__ import annotations

from dataclasses import replace

import duckdb

from ingestion.readers.changes import Changes, changes_of, lay_over
from ingestion.readers.model import (
    KEPT_REFUSALS,
    ReadResult,
    Request,
    TablePart,
    UnreadableFileError,
    check_columns,
    warning,
)
from warehouse.duck import quote_identifier, sql_literal

_BATCH = 100_000
_ABSENT = ("no_member", "no_records", "no_sheet", "no_element")


def read(request: Request) -> ReadResult:
    """Read every part as text, run the query over them, and leave its rows as text in the relation.

    The query sees nothing but the parts. A part that is optional and absent is empty; a column that is listed for a part
    and absent is null, so that one query serves several versions of a standard.

    Raises:
        UnreadableFileError: a part cannot be read or is missing, or the query does not fit what the file holds.
    """
    hints = request.hints
    with duckdb.connect() as inside:
        changes = changes_of(request)
        results = {
            name: _part(request, inside, name, _as_held(part, changes)) for name, part in hints.tables.items()
        }
        told = [lay_over(request, inside, changes, _part)] if changes is not None else []
        inside.execute("set enable_external_access = false")
        inside.execute("set lock_configuration = true")
        columns, rows = _joined(request, inside)
    refused = sum(result.refused_count for result in results.values())
    first = next(iter(results.values()))
    return ReadResult(
        columns=columns,
        records_read=rows + refused,
        format="joined",
        encoding=first.encoding,
        dialect={"tables": {name: result.records_read for name, result in results.items()}},
        refused=[record for result in results.values() for record in result.refused][:KEPT_REFUSALS],
        refused_count=refused,
        warnings=[*told, *(found for result in results.values() for found in result.warnings)],
        physical={f"{name}: records": result.records_read for name, result in results.items()},
    )


def _as_held(part: TablePart, changes: Changes | None) -> TablePart:
    """A part that a drop of changes does not hold may be absent: it stands as it was."""
    if changes is None or not changes.lacks(part):
        return part
    return part.model_copy(update={"optional": True})


def _part(request: Request, inside: duckdb.DuckDBPyConnection, name: str, part: TablePart) -> ReadResult:
    from ingestion.readers.formats import read_request

    own = part.model_dump(include={"member", "record_path", "explode", "sheet"}, exclude_none=True)
    hints = request.hints.model_copy(update={"tables": {}, "query": None, **own})
    asked = replace(request, con=inside, relation=name, hints=hints)
    try:
        result = _every(asked, inside, name) if part.every else read_request(asked)
    except UnreadableFileError as error:
        if not (part.optional and error.code in _ABSENT):
            raise
        return _absent(inside, name, part)
    there = {column.lower() for column in result.columns}
    for column in part.columns:
        if column.lower() not in there:
            inside.execute(
                f"alter table {quote_identifier(name)} add column {quote_identifier(column)} varchar"
            )
    return result


def _every(request: Request, inside: duckdb.DuckDBPyConnection, name: str) -> ReadResult:
    """Every member of an archive that fits, one under the other; columns that only some have are null elsewhere."""
    from ingestion.readers import zipped
    from ingestion.readers.formats import format_of, read_request

    if format_of(request.path, request.hints) != "zip":
        return read_request(request)
    results, refused = [], UnreadableFileError("no_member", "", "")
    for member in zipped.members_with(request, request.hints.record_path):
        hints = request.hints.model_copy(update={"member": member})
        try:
            results.append(read_request(replace(request, relation="one_member", hints=hints)))
        except UnreadableFileError as error:
            if error.code not in _ABSENT:
                raise
            refused = error
            continue
        _append(inside, name, results[-1].columns, is_first=len(results) == 1)
    if not results:
        what = request.hints.record_path or request.hints.member or ""
        raise UnreadableFileError(
            "no_member", f"No file in it holds '{what}'.", "Send the archive with all its files."
        ) from refused
    refusals = [record for result in results for record in result.refused]
    return replace(
        results[0],
        columns=list(dict.fromkeys(column for result in results for column in result.columns)),
        records_read=sum(result.records_read for result in results),
        refused=refusals[:KEPT_REFUSALS],
        refused_count=sum(result.refused_count for result in results),
        warnings=[found for result in results for found in result.warnings],
    )


def _append(inside: duckdb.DuckDBPyConnection, name: str, columns: list[str], *, is_first: bool) -> None:
    table = quote_identifier(name)
    if is_first:
        inside.execute(f"create or replace table {table} as from one_member")
    else:
        there = {
            row[1].lower() for row in inside.execute(f"pragma table_info({sql_literal(name)})").fetchall()
        }
        for column in columns:
            if column.lower() not in there:
                inside.execute(f"alter table {table} add column {quote_identifier(column)} varchar")
        inside.execute(f"insert into {table} by name from one_member")
    inside.execute("drop table one_member")


def _absent(inside: duckdb.DuckDBPyConnection, name: str, part: TablePart) -> ReadResult:
    columns = "".join(f", {quote_identifier(column)} varchar" for column in part.columns)
    inside.execute(f"create or replace table {quote_identifier(name)} (_record bigint{columns})")
    why = f"It holds no '{part.record_path or part.member or name}'; what only that tells stays empty."
    return ReadResult([], 0, "absent", warnings=[warning("optional_part_absent", why, severity="note")])


def _joined(request: Request, inside: duckdb.DuckDBPyConnection) -> tuple[list[str], int]:
    try:
        statements = inside.extract_statements(request.hints.query or "")
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise UnreadableFileError("no_query", "`query` is not one SELECT.", "Mend `read.query`.")
        found = inside.sql(request.hints.query or "")
        names = list(found.columns)
        check_columns(len(names), request.limits)
        batches = found.to_arrow_reader(_BATCH)
        request.con.register("joined_rows", batches)
        listed = ", ".join(f"{quote_identifier(name)}::varchar as {quote_identifier(name)}" for name in names)
        request.con.execute(
            f"create or replace table {quote_identifier(request.relation)} as "
            f"select row_number() over () as _record, {listed} from joined_rows"
        )
        request.con.unregister("joined_rows")
    except duckdb.Error as error:
        # Binder errors name tables and columns; others may quote values, which stay here.
        said = f": {str(error).splitlines()[0][:200]}" if isinstance(error, duckdb.BinderException) else ""
        raise UnreadableFileError(
            "query_does_not_fit",
            f"Its tables cannot be joined as configured{said}.",
            "Mend `read.query`, or list the columns that may be absent under `read.tables`.",
        ) from None
    row = request.con.execute(f"select count(*) from {quote_identifier(request.relation)}").fetchone()
    return names, int(row[0]) if row else 0
