"""Files packed with gzip: unpacked into a private folder within the limits, then read by their own format.

What belongs here: unpacking. What does not: reading what was packed.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ingestion.readers.model import Member, ReadResult, Request, UnreadableFileError
from ingestion.readers.scratch import scratch_folder

_BLOCK = 1 << 20
_HARMLESS = 16_000_000


def tables(request: Request) -> list[Member]:
    """The parts of what was packed."""
    from ingestion.readers.formats import list_tables

    with _unpacked(request) as inner:
        return list_tables(inner)


def read(request: Request) -> ReadResult:
    """Unpack and read; see `ingestion.readers.read`."""
    from ingestion.readers.formats import read_request

    with _unpacked(request) as inner:
        return read_request(inner)


@contextmanager
def _unpacked(request: Request) -> Iterator[Request]:
    with scratch_folder(request) as folder:
        suffix = re.sub(r"[^A-Za-z0-9.]", "", Path(request.path.stem).suffix)[:12]
        target = folder / f"unpacked{suffix}"
        try:
            _unpack(request, target)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise UnreadableFileError(
                "broken_gzip",
                f"It is no whole gzip file ({type(error).__name__}).",
                "Make and send it again.",
            ) from None
        yield replace(request, path=target, inside=(*request.inside, "gzip"))


def _unpack(request: Request, target: Path) -> None:
    packed, written = request.path.stat().st_size, 0
    most = min(request.limits.max_bytes, max(_HARMLESS, int(packed * request.limits.max_zip_ratio)))
    with gzip.open(request.path) as source, target.open("wb") as sink:
        while block := source.read(_BLOCK):
            written += len(block)
            if written > most:
                raise UnreadableFileError(
                    "zip_bomb",
                    f"It unpacks to more than {most:,} bytes, as no true export does.",
                    "Send the file itself, or raise the limit.",
                )
            sink.write(block)
