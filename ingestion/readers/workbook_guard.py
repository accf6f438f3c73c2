"""A look into a workbook's package before it is opened: bombs refused, and hidden things told.

What belongs here: what can be known of the XML inside without loading a sheet. What does not: cells (`workbook`).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lxml import etree

from ingestion.readers.model import Limits, UnreadableFileError
from ingestion.readers.sheet_reach import Reach

# So small that what is looked for in a block finds it in the processor's cache.
_BLOCK = 1 << 20
_OVERLAP = 1 << 12
_HARMLESS = 16_000_000
_TEXT_BYTES = 4_000_000_000
_HIDDEN_ROW = re.compile(rb'<row [^>]*?\bhidden="(?:1|true)"')
_DOCUMENT_TYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_PROLOGUE = 1 << 12
_CELLS = (b"<c ", b"<c>", b":c ", b":c>", b"<c\n")
_ERROR = re.compile(rb'<c [^>]*?t="e"')
_NO_VALUE = re.compile(rb"(?:</f>|<f [^>]*/>)(?:<v></v>|<v/>)?</c>")
_SHARED = re.compile(rb'<c [^>]*?t="s"[^>]*><v>(\d+)')
_ODF = {"table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0"}


@dataclass
class SheetPart:
    """What the XML of one sheet shows.

    Attributes:
        cells: whether it has any.
        hidden_rows: rows that are hidden.
        error_cells: cells that show an error instead of a value.
        unvalued: formulas of which no value was stored.
    """

    cells: bool = False
    rows: int = 0
    columns: int = 26
    texts: int = 0
    hidden_rows: int = 0
    error_cells: int = 0
    unvalued: int = 0


@dataclass(frozen=True)
class PackageLook:
    """Parts by sheet name, and whether dates count from 1904."""

    parts: dict[str, SheetPart]
    from_1904: bool = False


def look_into(path: Path, kind: str, limits: Limits) -> PackageLook:
    """Hold an XLSX or ODS package against the limits.

    Raises:
        UnreadableFileError: it would unpack to too much, or to too many cells.
    """
    with zipfile.ZipFile(path) as package:
        infos = package.infolist()
        total, packed = sum(info.file_size for info in infos), path.stat().st_size
        if total > limits.max_workbook_bytes or (total > _HARMLESS and total > limits.max_zip_ratio * packed):
            raise UnreadableFileError(
                "workbook_bomb",
                f"It would unpack to {total:,} bytes, {total / max(packed, 1):,.0f} times its size.",
                "Export the table as CSV, or raise the limit.",
            )
        _refuse_document_types(package, infos)
        if kind == "ods":
            return PackageLook(_ods_parts(package, limits))
        return _xlsx_look(package, limits)


def _refuse_document_types(package: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """No spreadsheet program writes one; it could define entities or point to other files."""
    for info in infos:
        if info.filename.endswith((".xml", ".rels")):
            with package.open(info) as part:
                head = part.read(_PROLOGUE).replace(b"\0", b"")
            if _DOCUMENT_TYPE.search(head):
                raise UnreadableFileError(
                    "document_type",
                    "A part of it has a document type definition, which could define entities or point to other files.",
                    "Save it again with a spreadsheet program.",
                )


def _xlsx_look(package: zipfile.ZipFile, limits: Limits) -> PackageLook:
    names, workbook = set(package.namelist()), _tree(package, "xl/workbook.xml")
    rels = _tree(package, "xl/_rels/workbook.xml.rels")
    targets = {rel.get("Id"): rel.get("Target") for rel in rels}
    longest = _longest_text(package) if "xl/sharedStrings.xml" in names else 0
    parts = {}
    for sheet in workbook.iter("{*}sheet"):
        reference = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), None)
        target = str(targets.get(reference) or "")
        file = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
        if file in names:
            part = _sheet_part(package, file, bool(longest))
            _check_area(part.rows, part.columns, limits)
            if part.texts * longest > _TEXT_BYTES:
                _refuse_texts(package, file)
            parts[str(sheet.get("name"))] = part
    options = next(iter(workbook.iter("{*}workbookPr")), None)
    return PackageLook(parts, options is not None and options.get("date1904") in ("1", "true"))


def _sheet_part(package: zipfile.ZipFile, file: str, has_shared: bool) -> SheetPart:
    part, reach = SheetPart(), Reach()
    for block in _blocks(package, file):
        part.cells = part.cells or any(cell in block for cell in _CELLS)
        reach.add(block)
        part.texts += block.count(b't="s"') if has_shared else 0
        # Most sheets hold nothing of the kind, and a plain search is many times as fast as a pattern.
        part.hidden_rows += len(_HIDDEN_ROW.findall(block)) if b"hidden=" in block else 0
        part.error_cells += len(_ERROR.findall(block)) if b't="e"' in block else 0
        part.unvalued += len(_NO_VALUE.findall(block)) if b"<f" in block else 0
    part.rows, part.columns = reach.rows, max(part.columns, reach.columns)
    return part


def _blocks(package: zipfile.ZipFile, file: str) -> Iterator[bytes]:
    """Blocks that end between two cells, so that nothing is cut or seen twice."""
    carry = b""
    with package.open(file) as stream:
        while block := stream.read(_BLOCK):
            block = carry + block
            at = max(block.rfind(b"</c>") + 4, block.rfind(b"<row") if b"</c>" not in block else 0)
            if at <= 4 or len(block) - at > _BLOCK:
                at = len(block)
            carry = block[at:]
            yield block[:at]
    yield carry


def _check_area(rows: int, columns: int, limits: Limits) -> None:
    if rows * columns > limits.max_cells:
        raise UnreadableFileError(
            "workbook_bomb",
            f"A sheet spans {rows:,} rows and {columns:,} columns, blanks included; "
            f"the limit is {limits.max_cells:,} cells.",
            "Delete what stands far from the table, or export it as CSV.",
        )


def _longest_text(package: zipfile.ZipFile) -> int:
    longest = size = 0
    with package.open("xl/sharedStrings.xml") as stream:
        while block := stream.read(_BLOCK):
            pieces = block.split(b"<si")
            longest = max(longest, size + len(pieces[0]), *(len(piece) for piece in pieces[1:]), 0)
            size = len(pieces[-1]) if len(pieces) > 1 else size + len(block)
    return longest


def _refuse_texts(package: zipfile.ZipFile, file: str) -> None:
    """Add up the texts that the cells of a sheet share, and refuse what no table holds."""
    with package.open("xl/sharedStrings.xml") as stream:
        lengths = [len(piece) for piece in stream.read().split(b"<si")[1:]]
    total = 0
    for block in _blocks(package, file):
        total += sum(lengths[n] for n in map(int, _SHARED.findall(block)) if n < len(lengths))
    if total > _TEXT_BYTES:
        raise UnreadableFileError(
            "workbook_bomb",
            f"Its cells would hold {total:,} characters.",
            "Export the table as CSV.",
        )


def _tree(package: zipfile.ZipFile, file: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    with package.open(file) as stream:
        return etree.parse(stream, parser).getroot()


def _ods_parts(package: zipfile.ZipFile, limits: Limits) -> dict[str, SheetPart]:
    """Cells and rows of an ODS may stand for many: what they span is added up before it is unfolded."""
    space = f"{{{_ODF['table']}}}"
    parts: dict[str, SheetPart] = {}
    part, row_width, row_filled, seen = SheetPart(), 0, 0, 0
    with package.open("content.xml") as stream:
        for _, element in etree.iterparse(
            stream, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            tag=(f"{space}table-cell", f"{space}covered-table-cell", f"{space}table-row", f"{space}table"),
        ):  # fmt: skip
            name = etree.QName(element).localname
            if name.endswith("table-cell"):
                row_width += _count(element.get(f"{space}number-columns-repeated"))
                if len(element) or any(key.endswith("}value-type") for key in element.attrib):
                    row_filled = row_width
            elif name == "table-row":
                seen += _count(element.get(f"{space}number-rows-repeated"))
                if row_filled:
                    part.cells, part.rows, part.columns = True, seen, max(part.columns, row_filled)
                    _check_area(part.rows, part.columns, limits)
                if element.get(f"{space}visibility") in ("collapse", "filter"):
                    part.hidden_rows += 1
                row_width = row_filled = 0
            else:
                parts[str(element.get(f"{space}name"))] = part
                part, seen = SheetPart(), 0
            element.clear()
    return parts


def _count(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1
