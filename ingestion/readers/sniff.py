"""Which format a file has, by its first bytes; its name counts only where the content does not say.

What belongs here: telling formats apart. What does not: reading them.
"""

from __future__ import annotations

import json
import lzma
import re
import struct
import zipfile
import zlib
from pathlib import Path

from ingestion.readers.model import UnreadableFileError

_HEAD = 1 << 16
# What the library raises on an archive that is damaged somewhere.
ZIP_BREAKS = (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError, LookupError,
              OverflowError, AttributeError, struct.error, zlib.error, lzma.LZMAError)  # fmt: skip
_MARKS = (("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"))
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_UNSUPPORTED = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"SQLite format 3": "a SQLite database",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
}


def format_by_content(path: Path) -> str:
    """Name of a format or container, `delimited` where nothing else is seen.

    Raises:
        UnreadableFileError: it is of a kind that is not supported.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    for mark, kind in _UNSUPPORTED.items():
        if head.startswith(mark):
            raise _unsupported(kind)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip_kind(path)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(_OLE):
        return "xls"
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if _is_pgp(head):
        return "pgp"
    return _text_kind(_decoded(head), path)


def _zip_kind(path: Path) -> str:
    """A workbook is a zip too; what cannot be opened is left to the zip's reader to refuse."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names:
                with archive.open("mimetype") as stream:
                    if b"opendocument.spreadsheet" in stream.read(200):
                        return "ods"
    except ZIP_BREAKS:
        return "xlsx" if path.suffix.lower() in (".xlsx", ".xlsm") else "zip"
    if "xl/workbook.bin" in names:
        raise _unsupported("a binary workbook")
    return "xlsx" if "[Content_Types].xml" in names and any(n.startswith("xl/") for n in names) else "zip"


def _is_pgp(head: bytes) -> bool:
    """An armored message, or a binary packet of an encrypted session key."""
    if head.lstrip().startswith(b"-----BEGIN PGP MESSAGE"):
        return True
    # RFC 9580: packet tag 1 (old format 0x84..0x86, new 0xc1) version 3 or 6, tag 3 (0x8c, 0xc3) version 4 to 6.
    if len(head) < 4:
        return False
    tag = head[0]
    version = head[2] if tag in (0x84, 0x8C, 0xC1, 0xC3) else head[3] if tag in (0x85, 0x8D) else -1
    if tag in (0xC1, 0xC3) and 192 <= head[1] < 224:
        version = head[3]
    return version in ((3, 6) if tag in (0x84, 0x85, 0xC1) else (4, 5, 6))


def _decoded(head: bytes) -> str:
    encoding = next((name for name, mark in _MARKS if head.startswith(mark)), None)
    if encoding is None and len(head) > 3 and 0 in (head[0], head[1]) and head[0] != head[1]:
        encoding = "utf-16-be" if head[0] == 0 else "utf-16-le"
    return head.decode(encoding or "utf-8", errors="replace").lstrip("\ufeff \t\r\n")


def _text_kind(text: str, path: Path) -> str:
    if text.startswith("<?xml"):
        return "xml"
    if re.match(r"(?i)<(!doctype\s+)?html\b|<table\b", text):
        raise _unsupported("a web page, whatever its name says")
    if re.match(r"<!|<[A-Za-z_][\w.:-]*[\s/>]", text):
        return "xml"
    if re.match(r"\{\s*[\"}]", text) or re.match(r"\[\s*[\[\{\"\]]", text):
        return _json_kind(text, path)
    return "delimited"


def _json_kind(text: str, path: Path) -> str:
    """JSON Lines when the first line is a whole value and another follows."""
    first, _, rest = text.partition("\n")
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return "jsonl"
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return "json"
    return "jsonl" if rest.lstrip()[:1] in ("{", "[") and rest.strip() else "json"


def _unsupported(kind: str) -> UnreadableFileError:
    return UnreadableFileError(
        "unsupported_format",
        f"It is {kind}, and none of the formats that are read.",
        "Export it as CSV, XLSX, JSON, XML or Parquet.",
    )
