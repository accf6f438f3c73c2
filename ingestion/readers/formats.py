"""The one registration of formats: name to module, and the way of a file to the module that reads it.

What belongs here: which module reads what. What does not: reading.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

from ingestion.readers.model import Member, ReadHints, ReadResult, Request, UnreadableFileError
from ingestion.readers.scratch import scratch_folder
from ingestion.readers.sniff import format_by_content

# Format or container to the module of this package that reads it.
MODULES = {
    "delimited": "delimited",
    "fixed_width": "fixed_width",
    "json": "json_records",
    "jsonl": "json_records",
    "parquet": "parquet",
    "xlsx": "workbook",
    "xls": "workbook",
    "ods": "workbook",
    "xml": "xml_records",
    "zip": "zipped",
    "gzip": "gzipped",
    "pgp": "pgp",
}
CONTAINERS = ("zip", "gzip", "pgp")
# Formats that cannot be told by a look at the content, so that a hint alone decides.
_TEXT = ("delimited", "fixed_width", "json", "jsonl", "xml")

# What DuckDB takes for a pattern in a path.
_PATTERN = frozenset("*?[]{}")


class _Reader(Protocol):
    def read(self, request: Request) -> ReadResult: ...


def format_of(path: Path, hints: ReadHints) -> str:
    """Name of the format or container in which a file will be read.

    What a file is packed in is always seen from its content; the format of a table is the configured one, else seen.

    Raises:
        UnreadableFileError: it is of no supported kind, or plainly of another than configured.
    """
    seen = format_by_content(path)
    if seen in CONTAINERS:
        return seen
    wanted = hints.format or ("fixed_width" if hints.layout else None)
    if wanted is None or wanted == seen:
        return seen
    if (wanted in _TEXT) != (seen in _TEXT):
        raise UnreadableFileError(
            "other_format",
            f"It is {seen if seen != 'delimited' else 'plain text'}, where {wanted} is agreed.",
            f"Send it as {wanted}, or change `format` in the mapping.",
        )
    return wanted


def read_request(request: Request) -> ReadResult:
    """Read a file by the module of its format.

    Raises:
        UnreadableFileError: the file is refused as a whole.
    """
    size = request.path.stat().st_size
    if size == 0:
        raise UnreadableFileError("empty_file", "The file is empty.", "Send the file again.")
    if size > request.limits.max_bytes:
        raise UnreadableFileError(
            "too_large", "The file is larger than allowed.", "Split it, or raise the limit."
        )
    with _plainly_named(request) as plain:
        return _module(plain).read(plain)


def list_tables(request: Request) -> list[Member]:
    """The parts of a file that are tables by themselves; empty for a file that is one table.

    Raises:
        UnreadableFileError: the file is refused as a whole.
    """
    if request.path.stat().st_size == 0:
        return []
    with _plainly_named(request) as plain:
        listing = getattr(_module(plain), "tables", None)
        return list(listing(plain)) if listing is not None else []


@contextmanager
def _plainly_named(request: Request) -> Iterator[Request]:
    """The request with a path that means itself to every library: no pattern, and text in UTF-8."""
    name = str(request.path)
    if name.isprintable() and not _PATTERN & set(name):
        yield request
        return
    with scratch_folder(request) as folder:
        suffix = re.sub(r"[^A-Za-z0-9.]", "", request.path.suffix)[:12]
        link = folder / f"file{suffix}"
        link.symlink_to(request.path.absolute())
        yield replace(request, path=link)


def _module(request: Request) -> _Reader:
    if request.hints.tables:
        return cast("_Reader", importlib.import_module("ingestion.readers.joined"))
    kind = format_of(request.path, request.hints)
    if kind in request.inside:
        raise UnreadableFileError(
            "nested_archive",
            f"It is packed more than once ({' in '.join([kind, *reversed(request.inside)])}).",
            "Send the files packed once.",
        )
    return cast("_Reader", importlib.import_module(f"ingestion.readers.{MODULES[kind]}"))
