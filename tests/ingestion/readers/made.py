"""One table written in every format that is read, so that what goes in is known record by record.

What belongs here: writing. What does not: what a reader must make of it (the tests beside).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook
from pydantic import SecretStr

from ingestion.readers import Keys

HEADER = ("Id", "S", "A")
PHRASE = "a phrase for tests"
_WIDTH = 60
# Pinned: where most records are broken, nothing else tells which ones are.
_FORM = {"delimiter": ",", "quote": '"', "header_row": 0, "header_rows": 1, "width": len(HEADER)}
Row = Sequence[str]


@dataclass(frozen=True)
class Made:
    """A written file, and how it is read.

    Attributes:
        records: how many records stand in it.
        broken: how many of them no reader of this format can take; they count as read and refused.
    """

    path: Path
    records: int
    hints: dict[str, Any] = field(default_factory=dict)
    keys: Keys = field(default_factory=Keys)
    broken: int = 0


def _csv(rows: Sequence[Row], broken: int) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    return (stream.getvalue() + '"long","a","1","b","2","c"\n' * broken).encode()


def _xml(rows: Sequence[Row]) -> str:
    cells = (
        "".join(f"<{name}>{escape(cell)}</{name}>" for name, cell in zip(HEADER, row, strict=True))
        for row in rows
    )
    return "<?xml version='1.0'?><all>" + "".join(f"<one>{one}</one>" for one in cells) + "</all>"


def delimited(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """Quoted throughout; a broken record has cells that no column of the header takes."""
    (folder / "att.csv").write_bytes(_csv(rows, broken))
    return Made(folder / "att.csv", len(rows) + broken, _FORM, broken=broken)


def fixed_width(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """A broken record is shorter than the others, by which one of them is told only among many."""
    least = 120 * broken
    filled = [*rows, *((f"f{n}", "Oak", "1") for n in range(least - len(rows)))]
    lines = [
        "".join(cell.replace("\n", " ")[: _WIDTH - 1].ljust(_WIDTH) for cell in row) + "." for row in filled
    ]
    (folder / "att.txt").write_text("\n".join([*lines, *["short"] * broken]) + "\n", encoding="utf-8")
    layout = [{"name": name, "start": 1 + n * _WIDTH, "width": _WIDTH} for n, name in enumerate(HEADER)]
    return Made(folder / "att.txt", len(filled) + broken, {"layout": layout}, broken=broken)


def json_lines(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """A broken record is half an object."""
    lines = [json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows]
    (folder / "att.jsonl").write_text("\n".join([*lines, *['{"Id": "9", "S"'] * broken]) + "\n")
    return Made(folder / "att.jsonl", len(rows) + broken, broken=broken)


def json_document(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """A broken record is no object, or one that says a thing twice."""
    records = [json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows]
    wrong = ['{"Id": "9", "Id": "8"}' if n % 2 else "7" for n in range(broken)]
    (folder / "att.json").write_text(f"[{', '.join([*records, *wrong])}]")
    return Made(folder / "att.json", len(rows) + broken, broken=broken)


def parquet(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """Whole or not at all: there are no broken records."""
    columns = [pa.array([row[n] for row in rows], pa.string()) for n in range(len(HEADER))]
    pq.write_table(pa.table(columns, names=list(HEADER)), folder / "att.parquet")
    return Made(folder / "att.parquet", len(rows))


def xml(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """Whole or not at all."""
    (folder / "att.xml").write_text(_xml(rows), encoding="utf-8")
    return Made(folder / "att.xml", len(rows), {"record_path": "one"})


def xlsx(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """Every cell text."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("t")
    for row in [HEADER, *rows]:
        sheet.append(list(row))
    book.save(folder / "att.xlsx")
    return Made(folder / "att.xlsx", len(rows))


def ods(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """The least that is an OpenDocument spreadsheet."""
    office = "urn:oasis:names:tc:opendocument:xmlns:"
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in [HEADER, *rows]
    )
    spaces = " ".join(f'xmlns:{name}="{office}{name}:1.0"' for name in ("office", "table", "text"))
    content = (
        f"<?xml version='1.0' encoding='UTF-8'?><office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="t">{cells}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    with zipfile.ZipFile(folder / "att.ods", "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{office}manifest:1.0"/>')
    return Made(folder / "att.ods", len(rows))


def xls(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """BIFF8 of one sheet with text cells, in a compound file of one stream."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def start(what: int) -> bytes:
        return record(0x809, struct.pack("<HHHHII", 0x600, what, 0, 1997, 0, 6))

    cells = b"".join(
        record(0x204, struct.pack("<HHHHB", r, c, 0, len(cell.encode("utf-16-le")) // 2, 1) + cell.encode("utf-16-le"))
        for r, row in enumerate([HEADER, *rows])
        for c, cell in enumerate(row)
    )  # fmt: skip
    pages, end = record(0x42, struct.pack("<H", 1200)), record(0x0A, b"")
    at = len(start(5)) + len(pages) + (4 + 9) + len(end)
    sheet = record(0x85, struct.pack("<IBBBB", at, 0, 0, 1, 0) + b"t")
    book = start(5) + pages + sheet + end + start(0x10) + cells + end
    (folder / "att.xls").write_bytes(_compound("Workbook", book))
    return Made(folder / "att.xls", len(rows))


def _compound(name: str, stream: bytes) -> bytes:
    """A compound file (version 3) of one stream: header, allocation table, directory, content."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    count = len(stream) // 512
    tables = -(-(count + 1 + 2) // 127)
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    first = tables + 1
    chain = [table] * tables + [end] + [first + n + 1 for n in range(count - 1)] + [end]
    chain += [free] * (tables * 128 - len(chain))
    header = struct.pack("<8s16sHHHHH6sIIIIIIIII", bytes.fromhex("d0cf11e0a1b11ae1"), b"", 0x3E, 3, 0xFFFE, 9, 6, b"",
                         0, tables, tables, 0, 4096, end, 0, end, 0)  # fmt: skip
    header += struct.pack("<109I", *range(tables), *[free] * (109 - tables))
    entries = _entry("Root Entry", 5, child=1, begin=end, size=0) + _entry(name, 2, free, first, len(stream))
    return header + struct.pack(f"<{len(chain)}I", *chain) + (entries + bytes(256)) + stream


def _entry(name: str, kind: int, child: int, begin: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    links = struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
    head = text.ljust(64, b"\0") + struct.pack("<HBB", len(text) + 2, kind, 1) + links
    return head + bytes(36) + struct.pack("<IQ", begin, size)


def zipped(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """A delimited file in a ZIP."""
    with zipfile.ZipFile(folder / "att.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("att.csv", _csv(rows, broken))
    return Made(folder / "att.zip", len(rows) + broken, _FORM, broken=broken)


def gzipped(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """A delimited file packed with gzip."""
    (folder / "att.csv.gz").write_bytes(gzip.compress(_csv(rows, broken), mtime=0))
    return Made(folder / "att.csv.gz", len(rows) + broken, _FORM, broken=broken)


def pgp(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """A delimited file encrypted with a passphrase."""
    home = (
        Path(tempfile.gettempdir()) / f"gnupg-{os.getpid()}"
    )  # one agent for all, short enough for its socket
    home.mkdir(mode=0o700, exist_ok=True)
    command = ["gpg", "--homedir", str(home), "--batch", "--yes", "--pinentry-mode", "loopback", "--passphrase", PHRASE,
               "--s2k-count", "1024", "--output", str(folder / "att.csv.pgp"), "--symmetric"]  # fmt: skip
    subprocess.run(command, input=_csv(rows, broken), check=True, capture_output=True)
    return Made(folder / "att.csv.pgp", len(rows) + broken, _FORM, Keys(home, SecretStr(PHRASE)), broken)


def joined(folder: Path, rows: Sequence[Row], broken: int) -> Made:
    """A delimited file and the schools' names, joined out of a ZIP."""
    made = zipped(folder, rows, broken)
    with zipfile.ZipFile(made.path, "a") as archive:
        archive.writestr("kinds.csv", "kind,title,more\n1,one,\n2,two,\n")
    tables = {"a": {"member": "att.csv"}, "k": {"member": "kinds.csv"}}
    query = "select a.*, k.title from a left join k on a.A = k.kind"
    return Made(made.path, made.records, {**_FORM, "tables": tables, "query": query}, broken=broken)


Maker = Callable[[Path, Sequence[Row], int], Made]
# Module of `ingestion.readers` to the ways in which its files are written here.
MAKERS: dict[str, tuple[Maker, ...]] = {
    "delimited": (delimited,),
    "fixed_width": (fixed_width,),
    "json_records": (json_document, json_lines),
    "parquet": (parquet,),
    "workbook": (xlsx, xls, ods),
    "xml_records": (xml,),
    "zipped": (zipped,),
    "gzipped": (gzipped,),
    "pgp": (pgp,),
    "joined": (joined,),
}
