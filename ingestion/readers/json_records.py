"""JSON and JSON Lines: records at a path, nested objects as dotted columns, arrays of arrays with a header row.

What belongs here: what a record is, and its cells. What does not: parsing (`json_scan`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ingestion.readers.encoding import detect_form, physical_lines, text_blocks
from ingestion.readers.json_scan import DECODER, JsonScan, RepeatedNames, too_deep
from ingestion.readers.model import Member, ReadResult, Request, UnreadableFileError, listed, warning
from ingestion.readers.nested import FlatRecord
from ingestion.readers.sink import RecordSink

_DEEPEST_PATH = 3


class _TooDeepError(Exception):
    pass


class _Rows:
    """Values to rows: objects flattened, arrays under the names of the first one, anything else refused."""

    def __init__(self, request: Request) -> None:
        self.sink = RecordSink(request)
        self.header: list[str] | None = None
        self.hidden: list[int] = []
        self.unexploded = 0
        self._request = request
        self._met_any = False

    def take(self, value: Any, line: int) -> None:
        """Take one value."""
        is_first, self._met_any = not self._met_any, True
        if isinstance(value, list):
            self._take_list(value, line, is_first)
        elif isinstance(value, RepeatedNames):
            self.sink.refuse(line, "a name stands twice in one object")
        elif isinstance(value, dict):
            self._take_object(value, line)
        else:
            self.sink.refuse(line, "neither an object nor an array")

    def _take_list(self, value: list[Any], line: int, is_first: bool) -> None:
        if any(isinstance(cell, list | dict) for cell in value) or not value:
            self.sink.refuse(line, "an array that is no row of plain values")
        elif is_first:
            self.header = _unique([_text(cell) or f"column_{n}" for n, cell in enumerate(value, start=1)])
            self.sink.declare(self.header)
        elif self.header is None:
            self.sink.refuse(line, "an array among objects")
        elif len(value) != len(self.header):
            self.sink.refuse(line, f"{len(value):,} values under {len(self.header):,} names")
        else:
            self.sink.add(dict(zip(self.header, map(_text, value), strict=True)), line)

    def _take_object(self, value: dict[str, Any], line: int) -> None:
        wanted = self._request.hints.explode
        parts: list[Any] = [value]
        if wanted:
            inner = value.get(wanted)
            found = inner if isinstance(inner, list) else [inner] if isinstance(inner, dict) else []
            self.unexploded += not found
            rest = {name: part for name, part in value.items() if name != wanted}
            parts = [{**rest, wanted: part} for part in found] or [rest]
        for part in parts:
            flat = FlatRecord(self._request.hints.repeat_separator)
            try:
                _values(flat, part, "", None, self._request.limits.max_depth)
            except _TooDeepError:
                raise too_deep(line) from None
            except KeyError:
                self.sink.refuse(line, "a name stands twice in one object")
                continue
            if flat.has_hidden_separator():
                self.hidden.append(line)
            self.sink.add(flat.cells, line)

    def result(
        self, kind: str, encoding: str, dialect: dict[str, Any], told: list[dict[str, str]]
    ) -> ReadResult:
        """Load what is left and say what was read."""
        self.sink.finish()
        if self.hidden:
            why = f"A repeated value holds the separator: lines {listed(self.hidden)}."
            told.append(warning("separator_in_value", why, "Choose another `repeat_separator`."))
        if self.unexploded:
            why = f"{self.unexploded:,} records have nothing to explode; each gave one row without."
            told.append(warning("nothing_to_explode", why))
        return ReadResult(
            columns=self.sink.columns,
            records_read=self.sink.count,
            format=kind,
            encoding=encoding,
            dialect=dialect,
            header={"row": 0, "rows": 1} if self.header is not None else {},
            refused=self.sink.refused,
            refused_count=self.sink.refused_count,
            warnings=told,
            physical={"data": self.sink.count, **({"header": 1} if self.header is not None else {})},
        )


def tables(request: Request) -> list[Member]:
    """The lists of records inside a document, by path; empty when the document is one list."""
    if _is_lines(request):
        return []
    scan, _ = _scan(request)
    return [Member("/".join(path), "element", count) for path, count in _lists(scan, ()) if path]


def read(request: Request) -> ReadResult:
    """Read the records of a document or of its lines; see `ingestion.readers.read`."""
    return _read_lines(request) if _is_lines(request) else _read_document(request)


def _is_lines(request: Request) -> bool:
    from ingestion.readers.formats import format_of

    return format_of(request.path, request.hints) == "jsonl"


def _read_lines(request: Request) -> ReadResult:
    form, rows, number, told = detect_form(request.path, request.hints.encoding), _Rows(request), 0, []
    broken = 0
    for batch in physical_lines(request.path, form, request.limits):
        for line in batch:
            number += 1
            if not line.strip():
                continue
            try:
                value = DECODER.decode(line)
            except RecursionError:
                raise too_deep(number) from None
            except ValueError:
                rows.sink.refuse(number, "no whole JSON value")
                broken += 1
                continue
            rows.take(value, number)
    if broken and broken == rows.sink.count:
        raise UnreadableFileError(
            "broken_document", "No line of it is a JSON value.", "Export and send the whole file again."
        )
    if form.nul:
        told.append(warning("nul_bytes", "NUL bytes were dropped."))
    return rows.result("jsonl", form.encoding, {}, told)


def _read_document(request: Request) -> ReadResult:
    told = []
    scan, encoding = _scan(request)
    wanted = request.hints.record_path
    if wanted is None:
        found = _lists(scan, ())
        best = max(found, key=lambda one: one[1], default=((), 0))
        wanted = "/".join(best[0])
        others = ", ".join(f"{'/'.join(path)} ({count:,})" for path, count in found if path != best[0])
        if others:
            why = f"Only '{wanted}' was read; the document also holds {others}."
            told.append(warning("elements_not_read", why, "Name the list as `record_path` in `read`."))
        scan, encoding = _scan(request)
    rows = _Rows(request)
    for line, value in _records(scan, tuple(part for part in wanted.split("/") if part)):
        rows.take(value, line)
    scan.finish()
    if not rows.sink.count and rows.header is None:
        raise UnreadableFileError(
            "no_records",
            f"The document holds no records{f' at {wanted!r}' if wanted else ''}.",
            "Mend `record_path`, or send the right document.",
        )
    return rows.result("json", encoding, {"record_path": wanted}, told)


def _scan(request: Request) -> tuple[JsonScan, str]:
    limit = request.limits.max_document_bytes
    if request.path.stat().st_size > limit:
        raise UnreadableFileError(
            "too_large",
            f"A JSON document is held in memory; the limit is {limit:,} bytes.",
            "Send JSON Lines (one record a line), or raise the limit.",
        )
    form = detect_form(request.path, request.hints.encoding)
    return JsonScan("".join(text_blocks(request.path, form))), form.encoding


def _records(scan: JsonScan, path: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
    """Line and value of every record at a path; lists on the way are gone through."""
    if scan.peek() == "[":
        for _ in scan.elements():
            if path:
                yield from _records(scan, path)
            else:
                line = scan.line
                yield line, scan.value()
    elif not path:
        line = scan.line
        yield line, scan.value()
    elif scan.peek() == "{":
        for name in scan.members():
            if name == path[0]:
                yield from _records(scan, path[1:])
            else:
                scan.value()
    else:
        scan.value()


def _lists(scan: JsonScan, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], int]]:
    """Path and length of every list of objects or arrays; an object that holds none is one record itself."""
    if scan.peek() == "[":
        count, are_records = 0, not path
        for _ in scan.elements():
            are_records = are_records or scan.peek() in ("{", "[")
            scan.value()
            count += 1
        return [(path, count)] if are_records else []
    if scan.peek() != "{" or len(path) >= _DEEPEST_PATH:
        scan.value()
        return []
    found = []
    for name in scan.members():
        found += _lists(scan, (*path, name))
    return found or ([] if path else [((), 1)])


def _values(flat: FlatRecord, value: Any, path: str, place: int | None, depth: int) -> None:
    if depth < 0:
        raise _TooDeepError
    if isinstance(value, RepeatedNames):
        raise KeyError
    if isinstance(value, dict) and value:
        for name, part in value.items():
            _values(flat, part, f"{path}.{name}" if path else name, place, depth - 1)
    elif isinstance(value, list) and value:
        for at, part in enumerate(value):
            _values(flat, part, path, at if place is None and len(value) > 1 else place, depth - 1)
    elif path:
        flat.add(path, _text(value), place)


def _text(value: Any) -> str | None:
    if value is None or value in ({}, []):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _unique(names: list[str]) -> list[str]:
    from ingestion.readers.model import unique_names

    return unique_names(names)
