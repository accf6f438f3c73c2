"""Delimited text: one parallel, strict read by DuckDB, believed only when it accounts for every physical line.

What belongs here: the strict way, its proof, and the turn to the faster (`clean`) and the careful way (`careful`). What
does not: detection.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from ingestion.readers.careful import HEAD_LINES, CarefulText, open_carefully
from ingestion.readers.clean import PROBED, read_clean
from ingestion.readers.encoding import TextForm, detect_form, text_blocks
from ingestion.readers.model import ReadResult, Request, UnreadableFileError, check_records
from ingestion.readers.scratch import drop_table, has_memory, has_place, keep_table, scratch_folder
from ingestion.readers.sink import RecordSink
from warehouse.duck import quote_identifier, sql_literal

_BLOCK = 1 << 22
_LARGE = 1 << 25
# Beyond this, rows do not lie in memory, however well they are packed there.
_LARGEST_IN_MEMORY = 1 << 30
_LONGEST_DELIMITER = 4
_UNSURE = 100
# Where more of the records than this have another form than the header, the file is no table of its columns.
_BROKEN = 0.5
_LEAST_BROKEN = 20


def read(request: Request) -> ReadResult:
    """Read delimited text; see `ingestion.readers.read`."""
    form = detect_form(request.path, request.hints.encoding, request.hints.line_end)
    if not request.careful:
        head = _open(request, form, head_only=True)
        if _is_plain(head, request):
            with scratch_folder(request) as folder:
                source = request.path
                if not form.plain:
                    source = folder / "text.csv"
                    _transcode(request.path, form, source)
                if (result := _read_fast(request, head, source)) is not None:
                    return result
            # What the strict read left may be a view, in whose place no table can be put.
            drop_table(request.con, request.relation)
    return _read_carefully(request, _open(request, form))


def _open(request: Request, form: TextForm, head_only: bool = False) -> CarefulText:
    return open_carefully(request.path, request.hints, request.limits, request.expected, form, head_only)


def _read_carefully(request: Request, text: CarefulText) -> ReadResult:
    """Record by record, held in memory a batch at a time."""
    names, sink = text.layout.names, RecordSink(request)
    sink.declare(names)
    for number, record, cells in text.rows():
        if any(len(cell) > request.limits.max_field_bytes for cell in cells):
            text.refuse(
                record.line, number, f"a cell of more than {request.limits.max_field_bytes:,} characters"
            )
            continue
        sink.add(dict(zip(names, (cell or None for cell in cells), strict=True)), record.line, number)
    count = sink.count + text.refused_count
    if request.expected and count >= _LEAST_BROKEN and text.irregular() > _BROKEN * count:
        raise UnreadableFileError(
            "broken_records",
            f"{text.irregular():,} of {count:,} records have not the form of the header; see the first ones: "
            f"{'; '.join(told['why'] for told in text.warnings()[:2])}",
            "Look for a quote that is not closed, or a wrong delimiter, and export the file again.",
        )
    if not names:
        raise UnreadableFileError("no_header", "No header row was found.", "Send the file with its header.")
    sink.finish()
    return replace(
        _result(text),
        records_read=count,
        refused=text.refused,
        refused_count=text.refused_count,
        warnings=text.warnings(),
        physical={**text.layout.kinds, "lines": text.physical_lines},
    )


def _result(text: CarefulText) -> ReadResult:
    dialect, layout = text.dialect, text.layout
    return ReadResult(
        columns=layout.names,
        records_read=0,
        format="delimited",
        encoding=text.form.encoding,
        dialect={
            "delimiter": dialect.delimiter,
            "quote": dialect.quote,
            "escape": dialect.escape,
            "line_end": text.form.line_end,
        },
        header={"line": layout.header_line, "rows": layout.header_rows},
        labels=layout.labels,
    )


def _is_plain(head: CarefulText, request: Request) -> bool:
    """Whether one strict dialect may explain the whole file; drains the head's records."""
    hints, layout = request.hints, head.layout
    # The last lines may be cut out of a cell that goes on.
    sure = HEAD_LINES - _UNSURE if head.physical_lines > HEAD_LINES else HEAD_LINES
    irregular = sum(
        1
        for _, record, _ in head.rows()
        if record.line <= sure and (record.repair or len(record.cells) != layout.width)
    )
    return (
        irregular == 0
        and 0 < len(head.dialect.delimiter.encode()) <= _LONGEST_DELIMITER
        and head.form.line_end in ("\n", "\r\n")
        and hints.comment is None
        and hints.line_end is None
        and hints.skip_footer_pattern is None
        and layout.first_line > 0
        and not {"comment", "footer", "repeated header", "other table"} & layout.kinds.keys()
        and len(layout.names) in (layout.width, layout.width - 1)
    )


def _transcode(path: Path, form: TextForm, target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as sink:
        for block in text_blocks(path, form):
            sink.write(block)


def _read_fast(request: Request, head: CarefulText, source: Path) -> ReadResult | None:
    """The rows of a clean or strict read, or None when neither accounts for every line of the file."""
    layout = head.layout
    # A delimiter at the end of every line makes a last column without a name, in which nothing may stand.
    unnamed = ["_unnamed"] if layout.width > len(layout.names) else []
    is_large = source.stat().st_size > _LARGE and has_place(request.con) and not unnamed
    is_small_enough = has_memory() and source.stat().st_size <= _LARGEST_IN_MEMORY
    rows = read_clean(request, head, source) if is_large and is_small_enough else None
    if rows is None:
        rows = _read_strictly(request, head, source, unnamed, is_large)
    if rows is None:
        return None
    physical = {**layout.kinds, "data": rows}
    return replace(_result(head), records_read=rows, physical=physical, warnings=head.warnings())


def _read_strictly(
    request: Request, head: CarefulText, source: Path, unnamed: list[str], is_large: bool
) -> int | None:
    """How many rows DuckDB's strict reader finds, or None when they do not account for every line."""
    con, relation = request.con, quote_identifier(request.relation)
    skip, dialect = head.layout.first_line - 1, head.dialect
    listed = ", ".join(f"{sql_literal(name)}: 'VARCHAR'" for name in [*head.layout.names, *unnamed])
    try:
        query = f"""
            select * from read_csv({sql_literal(str(source))}, columns = {{{listed}}}, header = false, skip = {skip},
                auto_detect = false, delim = {sql_literal(dialect.delimiter)}, quote = {sql_literal(dialect.quote)},
                escape = {sql_literal(dialect.escape)}, strict_mode = true, store_rejects = true,
                rejects_table = '_rejects', rejects_scan = '_rejects_scan', nullstr = '',
                max_line_size = {request.limits.max_field_bytes})"""
        if is_large:
            keep_table(con, request.relation, query)
        else:
            con.execute("set preserve_insertion_order = true")
            con.execute(
                f"create or replace table {relation} as select row_number() over () as _record, * from ({query})"
            )
        rejected = con.execute("select count(*) from _rejects").fetchone()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        # Whatever the strict reader stumbles over, the careful one tells.
        return None
    finally:
        con.execute("drop table if exists _rejects; drop table if exists _rejects_scan")
        con.execute("set preserve_insertion_order = false")
    if not rejected or rejected[0]:
        return None
    rows = _accounted(request, head, source, skip, unnamed)
    if rows is not None and unnamed:
        con.execute(f"alter table {relation} drop column _unnamed")
    return rows


def _accounted(
    request: Request, head: CarefulText, source: Path, skip: int, unnamed: list[str]
) -> int | None:
    """How many rows there are, if with the line breaks inside of cells they make up all lines after the header."""
    con, relation = request.con, quote_identifier(request.relation)
    names = [quote_identifier(name) for name in head.layout.names]
    same = " and ".join(
        f"{column} = {sql_literal(name)}"
        for column, name in zip(names[:PROBED], head.layout.names, strict=False)
    )
    filled = " or ".join(f"{name} is not null" for name in [*names, *unnamed])
    extra = "count(*) filter (where _unnamed is not null)" if unnamed else "0"
    found = con.execute(
        f"select count(*), count(*) filter (where {filled}), count(*) filter (where {same}), {extra} from {relation}"
    ).fetchone()
    assert found is not None  # noqa: S101 - an aggregate has a row
    rows, filled_rows, headers, surplus = map(int, found)
    check_records(rows, request.limits)
    if headers or surplus or filled_rows != rows:
        return None
    missing = _lines(source) - skip - rows
    if missing and head.dialect.quote:
        missing -= _inner_line_breaks(request, names, head)
    return rows if missing == 0 else None


def _inner_line_breaks(request: Request, names: list[str], head: CarefulText) -> int:
    """Line breaks inside of cells; a negative number where a cell seems to have swallowed records."""
    delimiter = sql_literal(head.dialect.delimiter)
    breaks = " + ".join(f"coalesce(length({n}) - length(replace({n}, chr(10), '')), 0)" for n in names)
    least = max(1, head.layout.width - 1) * len(head.dialect.delimiter)
    swallowed = " or ".join(
        f"(contains({n}, chr(10)) and length({n}) - length(replace({n}, {delimiter}, '')) >= {least})"
        for n in names
    )
    found = request.con.execute(
        f"select coalesce(sum({breaks}), 0), count(*) filter (where {swallowed}) from {quote_identifier(request.relation)}"
    ).fetchone()
    assert found is not None  # noqa: S101 - an aggregate has a row
    return int(found[0]) if not found[1] else -1


def _lines(path: Path) -> int:
    """Physical lines of a file, blank ones at its end left out."""
    count, tail = 0, b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            count += block.count(b"\n")
            tail = (tail + block)[-(1 << 16) :]
    ended = tail.rstrip(b"\r\n")
    return count - tail[len(ended) :].count(b"\n") + 1
