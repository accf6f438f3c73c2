"""Writing a receipt as HTML and CSV; both are safe to open whatever the file's name or headers hold.

What belongs here: layout and escaping. What does not: findings.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, select_autoescape

if TYPE_CHECKING:
    from ingestion.acceptance.judge_file import Judgement

_STATUS = {
    "accepted": "The file was taken.",
    "refused": "The file was refused; what we had before stays in force.",
    "duplicate": "The same file came before; nothing was read again.",
    "unknown": "The file was not recognized and stays in the drop folder.",
}
_NEXT = {
    "daily": "tomorrow", "weekly": "in a week", "monthly": "in a month", "quarterly": "in three months",
    "termly": "next term", "yearly": "in a year",
}  # fmt: skip
_environment = Environment(
    loader=PackageLoader("ingestion.receipts", "."),
    autoescape=select_autoescape(["html", "j2"]),
    trim_blocks=True,
)


def write_receipt(
    folder: Path,
    *,
    partner: str,
    feed_title: str,
    file_name: str,
    moment: datetime,
    sequence: int,
    status: str,
    judgement: Judgement,
    cadence: str,
) -> Path:
    """Write both files of a receipt; returns the path of the HTML one."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{moment:%Y%m%d}_{sequence:05d}_{_safe(file_name)}"
    stem += "_again" if status == "duplicate" else ""
    text = _environment.get_template("receipt.html.j2").render(
        partner=partner,
        feed=feed_title,
        file_name=_printable(file_name),
        moment=f"{moment:%Y-%m-%d %H:%M} UTC",
        verdict=_STATUS.get(status, status),
        status=status,
        judgement=judgement,
        findings=judgement.findings,
        due=_NEXT.get(cadence, "as agreed"),
    )
    _write(folder / f"{stem}.csv", _csv(file_name, status, judgement))
    html = folder / f"{stem}.html"
    _write(html, text)
    return html


def _csv(file_name: str, status: str, judgement: Judgement) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(
        ["file", "status", "finding", "severity", "column", "rows_concerned", "first_rows", "why", "fix"]
    )
    counts = [
        ("rows_in_file", judgement.rows_in),
        ("rows_accepted", judgement.accepted if status == "accepted" else 0),
        ("rows_quarantined", judgement.quarantined),
        ("records_unreadable", judgement.refused),
        ("rows_out_of_scope", judgement.not_applicable),
    ]
    for name, count in counts:
        writer.writerow([_cell(file_name), status, name, "count", "", count, "", "", ""])
    for finding in judgement.findings:
        rows = " ".join(map(str, finding.rows))
        cells = [
            finding.code,
            finding.severity,
            finding.column or "",
            finding.count,
            rows,
            finding.why,
            finding.fix,
        ]
        writer.writerow([_cell(file_name), status, *(_cell(str(cell)) for cell in cells)])
    return buffer.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = _printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:300]


def _safe(file_name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", file_name).strip("._")[:80] or "file"


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
