"""What is fuzzed: each reader with seeds made on the spot, bare and behind what it is packed in.

What belongs here: targets, and what must hold of any input. What does not: the fuzzer (`__main__`).
"""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from ingestion import readers
from ingestion.readers import Keys, Limits, ReadHints, UnreadableFileError
from tests.ingestion.readers import made

_ROWS = [(f"p{n}", f'school {n % 3}, "{n}"\nof two lines', f"{n}.5") for n in range(8)]
# Small, so that what only costs time ends soon, and each limit is met.
_LIMITS = Limits(
    max_bytes=1_000_000, max_columns=500, max_field_bytes=20_000, max_record_bytes=100_000, max_records=20_000,
    max_zip_total=1_000_000, max_workbook_bytes=1_000_000, max_cells=200_000, max_document_bytes=200_000,
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """One thing to fuzz.

    Attributes:
        suffix: of the file that is read.
        seeds: contents to start from.
        pack: what the fuzzer's bytes are put into before they are read.
        hints: form as a mapping would pin it; detection is fuzzed too.
        keys: what opens it.
    """

    suffix: str
    seeds: tuple[bytes, ...]
    pack: Callable[[bytes], bytes] = bytes
    hints: dict[str, Any] | None = None
    keys: Keys = field(default_factory=Keys)


def targets() -> dict[str, Target]:
    """Every reader by its module's name, and the inner parts of what is packed."""
    found = {}
    for module, makers in made.MAKERS.items():
        for maker in makers:
            name = module if len(makers) == 1 else f"{module}_{maker.__name__}"
            found[name] = _written(maker)
    book, sheet = found["workbook_xlsx"].seeds[0], found["workbook_ods"].seeds[0]
    text = found["delimited"].seeds[0]
    found["workbook_sheet_xml"] = _part(book, "xl/worksheets/sheet1.xml", ".xlsx")
    found["workbook_book_xml"] = _part(book, "xl/workbook.xml", ".xlsx")
    found["workbook_content_xml"] = _part(sheet, "content.xml", ".ods")
    found["zipped_member"] = Target(".zip", (text, found["parquet"].seeds[0]), partial(_zip, "member.csv"))
    found["gzipped_content"] = Target(".gz", (text,), partial(gzip.compress, mtime=0))
    return found


def check(target: Target, data: bytes, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Read the bytes as a drop; anything but an account of every record or a named refusal is a fault.

    Raises:
        AssertionError: records are missing, counted twice, or refused without why and fix.
        Exception: whatever else a reader must not raise.
    """
    file = folder / f"drop{target.suffix}"
    file.write_bytes(target.pack(data))
    for hints in (ReadHints.model_validate(target.hints or {}), ReadHints()):
        try:
            result = readers.read(file, con, "t", hints, _LIMITS, target.keys)
        except UnreadableFileError as error:
            if not (error.code and error.why and error.fix):
                raise AssertionError("a refusal without code, why or fix") from error
            continue
        row = con.execute("select count(*), count(distinct _record) from t").fetchall()[0]
        if row[0] != row[1] or result.records_read != row[0] + result.refused_count:
            raise AssertionError(f"{result.records_read} records, {row} kept, {result.refused_count} refused")


def _written(maker: made.Maker) -> Target:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-seeds-"))
    whole = maker(folder, _ROWS, 0)
    seeds = [whole.path.read_bytes()]
    broken = maker(folder, _ROWS, 1)
    seeds.append(broken.path.read_bytes())
    return Target("".join(whole.path.suffixes), tuple(seeds), bytes, whole.hints, whole.keys)


def _part(package: bytes, name: str, suffix: str) -> Target:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        seed = archive.read(name)
    return Target(suffix, (seed,), partial(_replaced, package, name))


def _replaced(package: bytes, name: str, data: bytes) -> bytes:
    """The package with one part exchanged."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as before, zipfile.ZipFile(stream, "w") as after:
        for info in before.infolist():
            after.writestr(info.filename, data if info.filename == name else before.read(info))
    return stream.getvalue()


def _zip(name: str, data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, data)
    return stream.getvalue()
