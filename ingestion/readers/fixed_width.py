"""Fixed-width text by a layout: name, first position and width of each column, as state assessment files are.

What belongs here: lines to columns. What does not: other text.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from ingestion.readers.encoding import TextForm, detect_form, physical_lines
from ingestion.readers.model import (
    KEPT_REFUSALS,
    FixedField,
    ReadHints,
    ReadResult,
    RefusedRecord,
    Request,
    UnreadableFileError,
    check_columns,
    check_records,
    unique_names,
    warning,
)
from warehouse.duck import quote_identifier, sql_literal

_BATCH = 100_000
# Where nearly all lines have one length, another length means characters lost or added in the middle.
_UNIFORM = 0.99
_UNIFORM_LEAST = 5


@dataclass
class _Met:
    lengths: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)


def read(request: Request) -> ReadResult:
    """Cut every line by the layout of the hints; see `ingestion.readers.read`."""
    layout = request.hints.layout
    if not layout:
        raise UnreadableFileError(
            "no_layout",
            "Fixed-width text cannot be read without its layout.",
            "Give name, start and width of each column as `layout` in `read` of the mapping.",
        )
    check_columns(len(layout), request.limits)
    form = detect_form(request.path, request.hints.encoding)
    met = _load_lines(request, form)
    if not met.kinds["data"]:
        raise UnreadableFileError("empty_file", "The file holds no records.", "Send the file again.")
    refused, count = _refuse_odd(request, met)
    names = _cut(request, layout)
    told = [warning("nul_bytes", "NUL bytes were dropped.")] if form.nul else []
    return ReadResult(
        columns=names,
        records_read=met.kinds["data"],
        format="fixed_width",
        encoding=form.encoding,
        dialect={"width": max(one.start + one.width - 1 for one in layout), "line_end": form.line_end},
        header={"row": 0, "rows": request.hints.header_rows or 0},
        refused=refused,
        refused_count=count,
        warnings=told,
        physical=dict(met.kinds),
    )


def _load_lines(request: Request, form: TextForm) -> _Met:
    """Put the data lines with their physical numbers into table `_lines`."""
    con, hints, met = request.con, request.hints, _Met()
    con.execute("create or replace temp table _lines (_line bigint, _text varchar)")
    footer = re.compile(hints.skip_footer_pattern) if hints.skip_footer_pattern else None
    number, numbers, texts = 0, [], []
    for batch in physical_lines(request.path, form, request.limits):
        for raw in batch:
            number += 1
            text = raw.rstrip("\r\x1a")
            kind = _kind(text, number, hints, footer)
            met.kinds[kind] += 1
            if kind == "data":
                met.lengths[len(text)] += 1
                numbers.append(number)
                texts.append(text)
        if len(texts) >= _BATCH:
            _insert(request, numbers, texts)
            numbers, texts = [], []
        check_records(met.kinds["data"], request.limits)
    _insert(request, numbers, texts)
    return met


def _kind(text: str, number: int, hints: ReadHints, footer: re.Pattern[str] | None) -> str:
    if number <= (hints.header_row or 0) + (hints.header_rows or 0):
        return "header"
    if not text.strip():
        return "blank"
    if hints.comment and text.startswith(hints.comment):
        return "comment"
    return "footer" if footer is not None and footer.search(text) else "data"


def _insert(request: Request, numbers: list[int], texts: list[str]) -> None:
    if not texts:
        return
    request.con.register(
        "_batch", pa.table({"l": pa.array(numbers, pa.int64()), "t": pa.array(texts, pa.string())})
    )
    request.con.execute("insert into _lines from _batch")
    request.con.unregister("_batch")


def _refuse_odd(request: Request, met: _Met) -> tuple[list[RefusedRecord], int]:
    """Take out the lines of another length than nearly all others: their columns may stand elsewhere."""
    usual, count = met.lengths.most_common(1)[0]
    others = met.kinds["data"] - count
    con = request.con
    con.execute(
        "create or replace temp table _numbered as select row_number() over (order by _line) as _record, * from _lines"
    )
    con.execute("drop table _lines")
    if not others or met.kinds["data"] < _UNIFORM_LEAST or count < _UNIFORM * (met.kinds["data"] - 1):
        return [], 0
    found = con.execute(
        f"select _line, _record, length(_text) from _numbered where length(_text) <> {usual} order by 1 limit {KEPT_REFUSALS}"
    ).fetchall()
    con.execute(f"delete from _numbered where length(_text) <> {usual}")
    reason = f"characters where the other lines have {usual:,}"
    return [RefusedRecord(line, record, f"{size:,} {reason}") for line, record, size in found], others


def _cut(request: Request, layout: list[FixedField]) -> list[str]:
    names = unique_names([one.name for one in layout])
    cells = ", ".join(
        f"nullif(trim(substring(_text, {one.start}, {one.width}), {sql_literal(chr(32) + chr(9))}), '') as {quote_identifier(name)}"
        for name, one in zip(names, layout, strict=True)
    )
    request.con.execute(
        f"create or replace table {quote_identifier(request.relation)} as select _record, {cells} from _numbered order by _record"
    )
    request.con.execute("drop table _numbered")
    return names
