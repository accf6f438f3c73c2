"""Writing receipts as HTML and CSV; both are safe to open whatever the file's name or headers hold.

What belongs here: layout and escaping. What does not: what a receipt says (`model`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from ingestion.receipts.model import VERDICTS, Receipt
from warehouse.ledger import Delivery

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_HEADER = (
    "file", "status", "finding", "severity", "column", "your_column", "rows_concerned", "first_rows", "why", "fix",
)  # fmt: skip


def write_receipt(folder: Path, receipt: Receipt) -> Path:
    """Write both files of a receipt; returns the path of the HTML one."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = receipt_stem(receipt)
    _write(folder / f"{stem}.csv", _table(receipt))
    page = folder / f"{stem}.html"
    text = _environment().get_template("receipt.html.j2").render(receipt=receipt, table=f"{stem}.csv")
    _write(page, text)
    return page


def write_index(
    folder: Path, partner: str, deliveries: Sequence[Delivery], held: Collection[str] = ()
) -> Path:
    """Write a partner's page with its last deliveries, latest first, each linked to its receipt; `held` by the gate."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        (delivery, Path(delivery.receipt).name if delivery.receipt else "", _state(delivery, held))
        for delivery in deliveries
    ]
    page = folder / "index.html"
    _write(
        page,
        _environment().get_template("index.html.j2").render(partner=partner, rows=rows, verdicts=VERDICTS),
    )
    return page


def _state(delivery: Delivery, held: Collection[str]) -> str:
    if delivery.delivery_id in held:
        return "held"
    return "withdrawn" if delivery.withdrawn_at else delivery.status


def receipt_stem(receipt: Receipt) -> str:
    """Name of a receipt's files without suffix: day, number of the delivery, safe form of the file's name."""
    stem = f"{receipt.moment:%Y%m%d}_{receipt.sequence:05d}_{_safe(receipt.file_name)}"
    if receipt.status == "duplicate":
        return f"{stem}_again"
    return stem


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("ingestion.receipts", "."),
        autoescape=select_autoescape(["html", "j2"], default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _table(receipt: Receipt) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(_HEADER)
    lines: list[tuple[object, ...]] = [
        (name, "count", "", "", count, "", words, "") for words, count, name in receipt.counts
    ]
    lines += [
        (
            f.code,
            f.severity,
            f.column or "",
            f.source_column or "",
            f.count,
            " ".join(map(str, f.rows)),
            f.why,
            f.fix,
        )
        for f in receipt.findings
    ]
    lines += [
        (
            "change",
            "note",
            "",
            "",
            now - before,
            "",
            f"{words}: {now} now, {before} on {receipt.compared_with}",
            "",
        )
        for words, now, before in receipt.changes
        if now != before
    ]
    lines.append(("next_due", "note", "", "", "", "", f"The next file is due on {receipt.due}.", ""))
    for line in lines:
        writer.writerow([_cell(receipt.file_name), receipt.status, *map(_cell, line)])
    return buffer.getvalue()


def _cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, int):
        return value
    text = "".join(character if character.isprintable() else " " for character in str(value))[:1000]
    return f"'{text}" if text.lstrip()[:1] in _FORMULA and text.strip() else text


def _safe(file_name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", file_name).strip("._-")[:80] or "file"
    if safe == file_name:
        return safe
    # Two names that become one when made safe must not overwrite each other's receipt.
    return f"{safe}_{hashlib.sha256(file_name.encode('utf-8', 'replace')).hexdigest()[:6]}"


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8", newline="")
    beside.replace(path)
