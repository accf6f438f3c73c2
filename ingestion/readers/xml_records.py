"""XML by streaming: one table for each repeating element, its nested elements and attributes as dotted columns.

What belongs here: elements to records. What does not: what an element means. Namespaces are left out of the names;
attributes start with `@`. Entities, DTDs and the network are off, and a document that brings a DTD is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from ingestion.readers.model import Limits, Member, ReadResult, Request, UnreadableFileError, listed, warning
from ingestion.readers.nested import FlatRecord
from ingestion.readers.sink import RecordSink

_PROLOGUE = 1 << 16
_IGNORED_ATTRIBUTES = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass
class _Shape:
    """What stands at one path of a document."""

    count: int = 0
    has_elements: bool = False
    has_attributes: bool = False


@dataclass
class _Met:
    """What the reading met beside the records."""

    others: dict[tuple[str, ...], int] = field(default_factory=dict)
    records_at: tuple[str, ...] = ()
    loose_text: list[int] = field(default_factory=list)
    hidden_separators: list[int] = field(default_factory=list)
    unexploded: int = 0

    def beside(self) -> dict[str, int]:
        """Elements that are neither records nor hold or belong to them, by name."""
        depth, found = len(self.records_at), Counter[str]()
        for path, count in self.others.items():
            if self.records_at[: len(path)] != path and (not depth or len(path) <= depth):
                found[path[-1]] += count
        return found


def tables(request: Request) -> list[Member]:
    """The repeating elements of a document, each of which is a table, with how many there are."""
    return [Member("/".join(path), "element", count) for path, count in _record_paths(request)]


def read(request: Request) -> ReadResult:
    """Read one kind of element into rows; see `ingestion.readers.read`."""
    _refuse_dtd(request.path)
    told = []
    wanted = request.hints.record_path
    if wanted is None:
        found = tables(request)
        best = max(found, key=lambda member: member.size)
        wanted = best.name
        if len(found) > 1:
            others = ", ".join(f"{member.name} ({member.size:,})" for member in found if member is not best)
            why = f"Only '{wanted}' was read; the document also holds {others}."
            told.append(warning("elements_not_read", why, "Name the element as `record_path` in `read`."))
    sink, met = RecordSink(request), _Met()
    with _parser_errors():
        _stream(request, tuple(wanted.split("/")), sink, met)
    if not sink.count:
        names = ", ".join(sorted(met.beside())[:20]) or "none"
        raise UnreadableFileError(
            "no_records",
            f"The document holds no element '{wanted}'. Elements: {names}.",
            "Mend `record_path`, or send the right document.",
        )
    sink.finish()
    return ReadResult(
        columns=sink.columns,
        records_read=sink.count,
        format="xml",
        dialect={"record": wanted, "explode": request.hints.explode or ""},
        refused=sink.refused,
        refused_count=sink.refused_count,
        warnings=[*told, *_warnings(met, request)],
        physical={"data": sink.count, **met.beside()},
    )


def _warnings(met: _Met, request: Request) -> list[dict[str, str]]:
    told = []
    if met.loose_text:
        why = f"Text outside of the records was not read: lines {listed(met.loose_text)}."
        told.append(warning("text_outside_records", why, "Look at it."))
    if met.hidden_separators:
        why = (
            f"A repeated value holds the separator '{request.hints.repeat_separator}': "
            f"lines {listed(met.hidden_separators)}."
        )
        told.append(warning("separator_in_value", why, "Choose another `repeat_separator`."))
    if met.unexploded:
        why = f"{met.unexploded:,} records have no '{request.hints.explode}'; each gave one row without."
        told.append(warning("nothing_to_explode", why))
    return told


def _stream(request: Request, wanted: tuple[str, ...], sink: RecordSink, met: _Met) -> None:
    """Pass through the document once, holding one record at a time."""
    limits, path, inside, elements = request.limits, [], 0, 0
    for event, element in _events(request.path, limits):
        if event == "start":
            path.append(_local(element.tag))
            elements += 1
            if not inside and tuple(path[-len(wanted) :]) == wanted:
                inside, elements = len(path), 0
                met.records_at = tuple(path)
            if inside and elements > limits.max_record_elements:
                raise UnreadableFileError(
                    "record_too_large",
                    f"The record on line {element.sourceline:,} has more than {limits.max_record_elements:,} elements.",
                    "Name the repeating element as `record_path`, or raise the limit.",
                )
            continue
        if inside == len(path):
            _take(element, request, sink, met)
            inside = 0
            _free(element)
        elif not inside:
            place = tuple(path)
            met.others[place] = met.others.get(place, 0) + 1
            if len(met.others) > limits.max_columns:
                raise _too_many_kinds()
            if element.tail and element.tail.strip():
                met.loose_text.append(element.sourceline or 0)
            _free(element)
        path.pop()


def _take(element: Any, request: Request, sink: RecordSink, met: _Met) -> None:
    """One record into one row, or into one for each part that is to be exploded."""
    line, wanted = element.sourceline or 0, request.hints.explode
    if element.tail and element.tail.strip():
        met.loose_text.append(line)
    parts = [child for child in element if _local(child.tag) == wanted] if wanted else []
    if wanted and not parts:
        met.unexploded += 1
    for part in parts or [None]:
        flat = _flat(element, request.hints.repeat_separator, wanted, part)
        if flat.has_hidden_separator():
            met.hidden_separators.append(line)
        sink.add(flat.cells, line)


def _flat(element: Any, separator: str, exploded: str | None, part: Any | None) -> FlatRecord:
    """The record's values; of the exploded parts only the given one."""
    flat = FlatRecord(separator)
    _own_values(flat, element, "", None)
    _children(flat, [c for c in element if _local(c.tag) != exploded or c is part], "", None)
    return flat


def _children(flat: FlatRecord, children: list[Any], prefix: str, place: int | None) -> None:
    """Values of elements under one parent; the outermost part that repeats gives the place."""
    counts = Counter(_local(child.tag) for child in children) if place is None else Counter[str]()
    met: Counter[str] = Counter()
    for child in children:
        name = _local(child.tag)
        at = met[name] if counts[name] > 1 else place
        met[name] += 1
        _own_values(flat, child, f"{prefix}{name}", at)
        _children(flat, list(child), f"{prefix}{name}.", at)


def _own_values(flat: FlatRecord, element: Any, path: str, place: int | None) -> None:
    """Attributes and text of an element."""
    prefix = f"{path}." if path else ""
    for name, value in element.attrib.items():
        if not name.startswith(_IGNORED_ATTRIBUTES):
            flat.add(f"{prefix}@{_local(name)}", value, place)
    has_children = len(element) > 0
    text = element.text or ""
    if has_children:
        text = " ".join(part.strip() for part in [text, *((c.tail or "") for c in element)] if part.strip())
    if text or (path and not has_children and not element.attrib):
        flat.add(path or "#text", text or None, place)


def _record_paths(request: Request) -> list[tuple[tuple[str, ...], int]]:
    """Paths of the elements that are records: those under the root and under what only wraps others."""
    _refuse_dtd(request.path)
    shapes: dict[tuple[str, ...], _Shape] = {}
    with _parser_errors():
        path: list[str] = []
        for event, element in _events(request.path, request.limits):
            if event == "start":
                if path:
                    shapes[tuple(path)].has_elements = True
                path.append(_local(element.tag))
                shape = shapes.setdefault(tuple(path), _Shape())
                shape.count += 1
                shape.has_attributes = shape.has_attributes or bool(element.attrib)
                if len(shapes) > request.limits.max_columns:
                    raise _too_many_kinds()
            else:
                path.pop()
                _free(element)
    root = next(iter(shapes))
    return _records_under(root, shapes) or [(root[-1:], 1)]


def _records_under(
    path: tuple[str, ...], shapes: dict[tuple[str, ...], _Shape]
) -> list[tuple[tuple[str, ...], int]]:
    children = [child for child in shapes if child[:-1] == path]
    complex_ones = [c for c in children if shapes[c].has_elements or shapes[c].has_attributes]
    found: list[tuple[tuple[str, ...], int]] = []
    for child in complex_ones or [c for c in children if shapes[c].count > 1]:
        leaves = [c for c in shapes if c[:-1] == child and not shapes[c].has_elements]
        wraps = shapes[child].count == 1 and shapes[child].has_elements and not leaves
        below = _records_under(child, shapes) if wraps else []
        found += below or [(child[-1:], shapes[child].count)]
    return found


def _events(path: Path, limits: Limits) -> Iterator[tuple[str, Any]]:
    """Start and end of every element; nothing is fetched, expanded or validated."""
    depth, met_root = 0, False
    with path.open("rb") as stream:
        for event, element in etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
            dtd_validation=False, attribute_defaults=False, huge_tree=False, remove_comments=True, remove_pis=True,
        ):  # fmt: skip
            if not met_root:
                _refuse_if_typed(element)
                met_root = True
            depth += 1 if event == "start" else -1
            if depth > limits.max_depth:
                raise UnreadableFileError(
                    "too_deep",
                    f"Its elements are nested more than {limits.max_depth} deep (line {element.sourceline:,}).",
                    "Send a flatter document, or raise the limit.",
                )
            yield str(event), element


def _too_many_kinds() -> UnreadableFileError:
    return UnreadableFileError(
        "too_many_columns", "It holds too many kinds of elements.", "Check the document, or raise the limit."
    )


def _free(element: Any) -> None:
    """Let go of an element that was dealt with, and of those before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def _refuse_dtd(path: Path) -> None:
    """Refuse a document with a document type: it can define entities and point to files elsewhere."""
    with path.open("rb") as stream:
        head = stream.read(_PROLOGUE).replace(b"\0", b"")
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", head, re.IGNORECASE):
        raise _typed()


def _refuse_if_typed(root: Any) -> None:
    """The same of a document type that stands further down, after comments, as the parser met it."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise _typed()


def _typed() -> UnreadableFileError:
    return UnreadableFileError(
        "document_type",
        "It has a document type definition, which could define entities or point to other files.",
        "Export it without <!DOCTYPE …>.",
    )


@contextmanager
def _parser_errors() -> Iterator[None]:
    """Tell a broken document from one that is too much for the parser; the content is not quoted."""
    try:
        yield
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise UnreadableFileError(
            "broken_document",
            f"It is no whole XML document: reading stopped at line {line or 0:,}.",
            "Export and send the whole file again.",
        ) from None
