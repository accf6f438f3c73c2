"""Delimited text: detection of encoding, dialect and header, then one parallel read by DuckDB.

What belongs here: CSV and its relatives. What does not: other formats.
"""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from pathlib import Path

import duckdb

from ingestion.readers.model import (
    Limits,
    ReadResult,
    RefusedRecord,
    Request,
    UnreadableFileError,
    unique_names,
)
from warehouse.duck import quote_identifier, sql_literal

_SAMPLE = 1 << 20
_DELIMITERS = (",", ";", "\t", "|", "~", ":")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_KEPT_REFUSALS = 100


def read(request: Request) -> ReadResult:
    """Read delimited text; see `ingestion.readers.read`."""
    path, con, relation = request.path, request.con, request.relation
    hints, limits = request.hints, request.limits
    encoding = hints.encoding or _encoding(path)
    source = path if encoding in ("utf-8", "ascii") else _transcoded(path, encoding)
    try:
        sample = source.read_bytes()[:_SAMPLE].decode("utf-8", errors="replace")
        delimiter = hints.delimiter or _delimiter(sample)
        quote = '"' if hints.quote is None else hints.quote
        head = _records(sample, delimiter, quote)
        first = hints.header_row if hints.header_row is not None else _header_row(head)
        rows = hints.header_rows or 1
        if hints.columns is None and first + rows > len(head):
            raise UnreadableFileError(
                "no_header", "No header row was found.", "Send the file with its header."
            )
        names_row = first + (hints.header_names or 0)
        raw = hints.columns or head[names_row]
        while (
            hints.columns is None
            and raw
            and not raw[-1].strip()
            and all(len(r) <= len(raw) for r in head[first:])
        ):
            if any(len(r) == len(raw) and r[-1].strip() for r in head[first + rows :]):
                break
            raw = raw[:-1]
        names = unique_names(list(raw))
        if len(names) > limits.max_columns:
            raise UnreadableFileError(
                "too_many_columns", f"It has {len(names):,} columns.", "Check the delimiter."
            )
        skip = 0 if hints.columns else first + rows
        refused = _load(con, relation, source, names, delimiter, quote, hints.escape, skip, limits)
    finally:
        if source != path:
            source.unlink(missing_ok=True)
    count = con.execute(f"select count(*) from {quote_identifier(relation)}").fetchone()
    labels = {}
    if rows > 1 and hints.columns is None:
        other = head[first + (1 if names_row == first else 0)]
        labels = dict(zip(names, other, strict=False))
    return ReadResult(
        columns=names,
        records_read=(count[0] if count else 0) + len(refused),
        format="delimited",
        encoding=encoding,
        dialect={"delimiter": delimiter, "quote": quote, "escape": hints.escape or quote},
        header={"row": first, "rows": rows},
        labels=labels,
        refused=refused[:_KEPT_REFUSALS],
        refused_count=len(refused),
    )


def _load(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    source: Path,
    names: list[str],
    delimiter: str,
    quote: str,
    escape: str | None,
    skip: int,
    limits: Limits,
) -> list[RefusedRecord]:
    """Load the data records into a table; returns the records that have too many cells to be read."""
    # One column more than named: a trailing delimiter fills it with nothing, a broken record with something.
    listed = ", ".join(f"{sql_literal(name)}: 'VARCHAR'" for name in [*names, "_extra"])
    con.execute("set preserve_insertion_order = true")
    con.execute(
        f"""
        create or replace table {quote_identifier(relation)} as
        select row_number() over () as _record, *
        from read_csv({sql_literal(str(source))}, columns = {{{listed}}}, header = false, skip = {skip},
            auto_detect = false, delim = {sql_literal(delimiter)}, quote = {sql_literal(quote)},
            escape = {sql_literal(escape or quote)}, null_padding = true, strict_mode = false, parallel = false,
            store_rejects = true, rejects_table = '_rejects', rejects_scan = '_rejects_scan',
            max_line_size = {limits.max_field_bytes}, nullstr = '')
        """
    )
    rejects = con.execute("select distinct line from _rejects order by line").fetchall()
    con.execute("drop table if exists _rejects; drop table if exists _rejects_scan")
    name = quote_identifier(relation)
    blank = " and ".join(f"{quote_identifier(column)} is null" for column in [*names, "_extra"])
    con.execute(f"delete from {name} where {blank}")
    broken = con.execute(f"select _record from {name} where _extra is not null order by 1").fetchall()
    con.execute(f"delete from {name} where _extra is not null")
    con.execute(f"alter table {name} drop column _extra")
    con.execute("set preserve_insertion_order = false")
    return [RefusedRecord(row[0], row[0] - skip, "not a record of the file's dialect") for row in rejects] + [
        RefusedRecord(row[0] + skip, row[0], "more cells than the header has columns") for row in broken
    ]


def _encoding(path: Path) -> str:
    data = path.read_bytes()[: 4 * _SAMPLE]
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=len(data) < 4 * _SAMPLE)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _transcoded(path: Path, encoding: str) -> Path:
    """A copy in UTF-8, in a private temporary file that the caller removes."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", suffix=".csv", delete=False
    ) as target:
        with path.open("r", encoding=encoding, errors="replace", newline="") as stream:
            while chunk := stream.read(_SAMPLE):
                target.write(chunk.replace("\0", ""))
        return Path(target.name)


def _records(sample: str, delimiter: str, quote: str, most: int = 200) -> list[list[str]]:
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, quotechar=quote or '"')
    records = []
    try:
        for record in reader:
            records.append(record)
            if len(records) >= most:
                break
    except csv.Error:
        pass
    return records


def _delimiter(sample: str) -> str:
    """The delimiter that cuts the most records into the same number of cells, above one."""
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        widths = [len(record) for record in _records(sample, delimiter, '"', 100) if record]
        if not widths:
            continue
        common = max(set(widths), key=widths.count)
        score = widths.count(common) / len(widths) * (common - 1) ** 0.5 if common > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _header_row(head: list[list[str]]) -> int:
    """The first record as wide as most records are, with text in nearly every cell."""
    widths = [len(record) for record in head if len(record) > 1] or [1]
    common = max(set(widths), key=widths.count)
    for index, record in enumerate(head):
        filled = sum(1 for cell in record if cell.strip())
        if len(record) >= common and filled >= max(1, 0.6 * common):
            return index
    return 0
