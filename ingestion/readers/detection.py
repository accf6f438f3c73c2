"""Finding the dialect of delimited text from its content alone.

What belongs here: candidates and their scores. What does not: cutting records, or finding headers.

A dialect is scored, in the spirit of van den Burg, Nazábal and Sutton (2019, "Wrangling messy CSV files by detecting
row and type patterns"), by how regular its records are and how many of its cells look like something; here regularity
is the chance that two records have the same width, so that a few ragged records do not decide.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

from ingestion.readers.celltypes import TYPED, is_typed, kind_of
from ingestion.readers.dialect import Dialect, is_quoted, split_raw, unquote
from ingestion.readers.model import fold_name
from ingestion.readers.records import Record, records

_SAMPLE_LINES = 400
_SAMPLE_CHARS = 200_000
_COMMON = {",": 1.0, "\t": 1.0, ";": 1.0, "|": 1.0, " ": 0.75, ":": 0.55, "~": 0.9, "^": 0.9}
_RARE = 0.6
_HEADER_LINES = 50
# Where fewer records than this share agree on a number of cells, and almost all have as many as the header, it rules.
_FEW_RECORDS = 5
_MIXED = 0.6
_ALMOST_ALL = 0.9
_NEVER = set("-_./\\'\"`()[]{}+")
_DOUBLE_DELIMITERS = ("||", "::", "~~", "^^", "|~|", "~|~", "<>", "##", "@@", ";;")
_SEP_LINE = re.compile(r"^\ufeff?\"?sep=(.{1,2}?)\"?\r?$", re.IGNORECASE)


@dataclass(frozen=True)
class Detected:
    """A dialect, the records of the sample cut by it, the width most have, and how sure the choice is (0 to 1)."""

    dialect: Dialect
    sample: list[Record]
    width: int
    score: float


def sep_line(line: str) -> str | None:
    """The delimiter that a first line like `sep=;` declares to spreadsheet programs."""
    found = _SEP_LINE.match(line)
    return found[1] if found else None


def delimiter_by_header(lines: list[str], expected: frozenset[str]) -> str | None:
    """The delimiter that cuts one of the first lines into known names of columns; None when none does."""
    best, found = 1, None
    for line in lines[:_HEADER_LINES]:
        for delimiter in _COMMON:
            if delimiter == " " or delimiter not in line:
                continue
            dialect = Dialect(delimiter)
            cells = [unquote(raw, dialect) for raw in split_raw(line.strip("\r"), dialect)[0]]
            hits = len({fold_name(cell) for cell in cells} & expected)
            if hits > best:
                best, found = hits, delimiter
    return found


def detect_dialect(
    lines: list[str], delimiter: str | None, quote: str | None, escape: str | None, most_bytes: int
) -> Detected:
    """Find the dialect of a sample of physical lines; what is given is not sought.

    Args:
        lines: the first physical lines.
        delimiter: known delimiter, None when not known.
        quote: known quote, empty for none, None when not known.
        escape: known escape character.
        most_bytes: longest record.
    """
    sample = _sample(lines)
    text = "\n".join(sample)
    best: Detected | None = None
    for candidate in _delimiters(sample) if delimiter is None else [delimiter]:
        for mark in _quotes(text, candidate) if quote is None else [quote]:
            for dialect in _escapes(text, candidate, mark, escape):
                found = _scored(sample, dialect, most_bytes)
                if best is None or found.score > best.score + 1e-9:
                    best = found
    assert best is not None  # noqa: S101 - there is a candidate always
    if delimiter is None and (not best.dialect.delimiter or _is_single_column(sample, best)):
        single = Dialect("", best.dialect.quote, best.dialect.escape)
        return replace(_scored(sample, single, most_bytes), score=best.score)
    # Cut again now that the width is known: damaged records are then read by what the others are like.
    width = _header_width(best.sample) or best.width
    recut = list(records([sample], best.dialect, width, most_bytes))
    return replace(best, sample=recut, width=width if width != best.width else modal_width(recut))


def _header_width(found: list[Record]) -> int | None:
    """The first record's number of cells, where it looks like a header and delimiters inside of texts widen others."""
    filled = [record for record in found if any(cell.strip() for cell in record.cells)]
    if len(filled) < _FEW_RECORDS or any(is_typed(cell) for cell in filled[0].cells):
        return None
    width = len(filled[0].cells)
    same = sum(len(record.cells) == width for record in filled)
    most = max(Counter(len(record.cells) for record in filled).values())
    wider = sum(len(record.cells) >= width for record in filled)
    is_header = width > 2 and same >= _FEW_RECORDS and most < _MIXED * len(filled)
    return width if is_header and wider >= _ALMOST_ALL * len(filled) else None


def modal_width(found: list[Record]) -> int:
    """The number of cells most records have; records of one cell count only where there are no others."""
    widths = Counter(len(record.cells) for record in found if len(record.cells) > 1)
    if not widths:
        return 1
    return max(widths, key=lambda width: (widths[width] * (width - 1) / width, width))


def _sample(lines: list[str]) -> list[str]:
    kept, size = [], 0
    for line in lines[:_SAMPLE_LINES]:
        kept.append(line)
        size += len(line)
        if size > _SAMPLE_CHARS:
            break
    return kept


def _delimiters(lines: list[str]) -> list[str]:
    """Characters that could delimit, commonest first; none at all is a candidate too."""
    filled = [line for line in lines if line.strip()]
    counts: Counter[str] = Counter()
    for line in filled:
        counts.update({c for c in line if not c.isalnum() and c not in _NEVER and c not in "\r\n\x00"})
    least = max(1, 0.15 * len(filled))
    found = [c for c in _COMMON if counts[c] >= least]
    found += sorted(c for c in counts if c not in _COMMON and counts[c] >= max(1, 0.6 * len(filled)))
    wide = []
    joined = "\n".join(filled)
    for mark in found:
        if mark not in " \t" and joined.count(mark + " ") >= 0.5 * joined.count(mark):
            wide.append(mark + " ")
    wide += [mark for mark in _DOUBLE_DELIMITERS if sum(mark in line for line in filled) >= 0.6 * len(filled)]
    return [*found, *wide] or [","]


def _quotes(text: str, delimiter: str) -> list[str]:
    """Quotes that stand beside a delimiter or a line's edge, and none; the usual one first."""
    edge = re.escape(delimiter) if delimiter else "(?!)"
    found = []
    for mark in ('"', "'", "`"):
        if mark in text and re.search(rf"(^|{edge})\s*{mark}|{mark}\s*({edge}|\r?$)", text, re.MULTILINE):
            found.append(mark)
    return [*found, ""] if found else ['"']


def _escapes(text: str, delimiter: str, mark: str, escape: str | None) -> list[Dialect]:
    if not mark:
        return [Dialect(delimiter, "", "")]
    spaced = delimiter not in ("", " ") and bool(
        re.search(rf"{re.escape(delimiter)} +{mark}", text) and not text.count(delimiter + mark)
    )
    if escape is not None:
        return [Dialect(delimiter, mark, escape or mark, spaced)]
    found = [Dialect(delimiter, mark, mark, spaced)]
    inside = re.findall(rf"([^\w\s{mark}{re.escape(delimiter)}]){mark}(?=[^\s{re.escape(delimiter)}])", text)
    for other, count in Counter(inside).most_common(2):
        if other == "\\" or (count > 2 and other not in ",;|:()[]{}<>=-./#&"):
            found.append(Dialect(delimiter, mark, other, spaced))
    return found


def _scored(lines: list[str], dialect: Dialect, most_bytes: int) -> Detected:
    found = list(records([lines], dialect, 0, most_bytes))
    filled = [record for record in found if any(cell.strip() for cell in record.cells)]
    if not filled:
        return Detected(dialect, found, 1, 0.0)
    width = modal_width(filled)
    # Damaged records are cut again by the width of the others, so that they do not speak against the dialect.
    widths = Counter(len(record.cells) for record in filled)
    regular = sum((n / len(filled)) ** 2 * (w - 1) / w for w, n in widths.items())
    typed = _recognized(lines, dialect, filled)
    prior = _prior(dialect, lines)
    return Detected(dialect, found, width, (regular + 1e-3) * typed**2 * prior)


def _recognized(lines: list[str], dialect: Dialect, found: list[Record]) -> float:
    """The share of cells that look like something; a whole quoted cell does, a quote left over does not."""
    known = total = 0.0
    for record in found:
        if record.lines == 1 and not record.repair and 0 < record.line <= len(lines):
            raws = split_raw(lines[record.line - 1].strip("\r"), dialect)[0]
        else:
            raws = record.cells
        for raw in raws:
            total += 1
            if is_quoted(raw, dialect.quote):
                inner = unquote(raw, dialect)
                known += 1.0 if not _left_over(inner, dialect) else 0.7
            elif dialect.quote and dialect.quote in raw:
                known += 0.3
            else:
                kind = kind_of(raw)
                known += 0.0 if kind == "odd" else 0.9 if kind == "text" else 1.0
    return known / total if total else 0.0


def _left_over(inner: str, dialect: Dialect) -> bool:
    """Whether an unquoted cell shows an escape that the dialect did not take for one."""
    return bool(dialect.quote) and ("\\" + dialect.quote in inner)


def _prior(dialect: Dialect, lines: list[str]) -> float:
    delimiter = dialect.delimiter
    prior = _COMMON.get(delimiter, _COMMON.get(delimiter[:1], _RARE) if delimiter else 0.5)
    if len(delimiter) == 2 and delimiter[1] == " ":
        text = "\n".join(lines)
        plain = text.count(delimiter[0])
        # A delimiter with a blank is one only when (almost) every delimiter has it.
        prior *= 1.02 if text.count(delimiter) >= 0.97 * plain else 0.5
    elif len(delimiter) > 1:
        prior = 1.02
    if dialect.quote == "'":
        prior *= 0.98
    if dialect.quote == "`":
        prior *= 0.9
    if not dialect.quote:
        prior *= 0.97
    if dialect.quote and dialect.escape != dialect.quote:
        prior *= 0.995
    return prior


def _is_single_column(lines: list[str], best: Detected) -> bool:
    """Whether the lines are one column whose values merely hold the delimiter found."""
    filled = [line.strip().strip('"') for line in lines if line.strip()]
    if best.score < 0.05:
        return True
    if len(filled) < 2:
        return False
    body = filled[1:]
    typed = sum(kind_of(line) in TYPED for line in body)
    holds = best.dialect.delimiter in filled[0]
    return typed >= 0.9 * len(body) and not holds
