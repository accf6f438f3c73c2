"""From bytes to physical lines: which encoding, which line ends, and nothing lost where they are mixed.

What belongs here: encodings, NUL bytes, byte order marks, line ends. What does not: cells.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingestion.readers.model import Limits, UnreadableFileError

MIXED = "utf-8 with cp1252"
_BLOCK = 1 << 22
_PROBE = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1b\x7f]")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are no UTF-8 as Windows text; those it leaves undefined as Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    raw = error.object[error.start : error.end]
    text = "".join(bytes((b,)).decode("cp1252", errors="ignore") or chr(b) for b in raw)
    return text, error.end


codecs.register_error("cp1252_fallback", _as_cp1252)


@dataclass(frozen=True)
class TextForm:
    """How a file's bytes become lines.

    Attributes:
        encoding: what is reported: a Python codec, or `MIXED`.
        codec: the codec that decodes.
        mark: the file starts with a byte order mark.
        line_end: the line end most lines have.
        mixed_ends: it has others too.
        nul: it holds NUL bytes, which are dropped.
    """

    encoding: str
    codec: str
    mark: bool = False
    line_end: str = "\n"
    mixed_ends: bool = False
    nul: bool = False

    @property
    def plain(self) -> bool:
        """Whether DuckDB reads the bytes as they are."""
        return self.encoding in ("utf-8", "ascii") and not self.nul


def detect_form(path: Path, hint: str | None = None, line_end: str | None = None) -> TextForm:
    """Find encoding and line ends from a whole pass over the file's bytes; what is given is not sought.

    Raises:
        UnreadableFileError: the hinted encoding is not known, or the bytes are no text.
    """
    with path.open("rb") as stream:
        head = stream.read(_PROBE)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if hint:
        encoding = codec = _known(hint)
        if marked and encoding.replace("_", "-").startswith(("utf-16", "utf-32")):
            codec = marked
    elif marked and marked != "utf-8":
        encoding = codec = marked
    elif wide := _unmarked_utf16(head):
        encoding = codec = wide
    else:
        encoding, codec = _single_or_multi_byte(path), "utf-8"
    nul = False
    if not codec.startswith(("utf-16", "utf-32")):
        nul = any(b"\0" in block for block in _raw_blocks(path))
    form = TextForm(encoding, codec, marked is not None, nul=nul)
    sample = next(text_blocks(path, form), "")[: 1 << 20]
    _refuse_binary(sample)
    end, mixed = (line_end, False) if line_end else _line_end(sample)
    return TextForm(encoding, codec, form.mark, end, mixed, nul)


def text_blocks(path: Path, form: TextForm) -> Iterator[str]:
    """The decoded text in blocks, without byte order mark and NUL bytes; undecodable bytes are kept as cp1252."""
    errors = "cp1252_fallback" if form.codec == "utf-8" else "replace"
    decoder = codecs.getincrementaldecoder(form.codec)(errors=errors)
    first = True
    for raw in _raw_blocks(path):
        text = decoder.decode(raw)
        if first and text:
            text, first = text.lstrip("\ufeff"), False
        yield text.replace("\0", "") if "\0" in text else text
    yield decoder.decode(b"", final=True).replace("\0", "")


def physical_lines(path: Path, form: TextForm, limits: Limits) -> Iterator[list[str]]:
    """Physical lines without their line feed, in lists, in order; a carriage return before it is kept.

    Raises:
        UnreadableFileError: a line is longer than the limit.
    """
    carry = ""
    end = "\n" if form.line_end == "\r\n" else form.line_end
    for block in text_blocks(path, form):
        lines = (carry + block).split(end)
        carry = lines.pop()
        if len(carry) > limits.max_record_bytes:
            raise UnreadableFileError(
                "line_too_long",
                f"A line is longer than {limits.max_record_bytes:,} characters.",
                "Check the line ends, or raise the limit.",
            )
        if lines:
            yield lines
    if carry:
        yield [carry]


def _raw_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def _known(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise UnreadableFileError(
            "unknown_encoding",
            "The configured encoding is not known.",
            "Name one like utf-8, utf-16, cp1252 or latin-1.",
        ) from None


def _unmarked_utf16(head: bytes) -> str | None:
    sample = head[: 4096 - 4096 % 2] if len(head) >= 4096 else head[: len(head) // 2 * 2]
    if len(sample) < 4:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _single_or_multi_byte(path: Path) -> str:
    """utf-8, cp1252, or a mix: by whether other bytes occur, and whether any characters are UTF-8 beyond them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _raw_blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    for block in _raw_blocks(path):
        for found in _MULTIBYTE.finditer(block):
            piece = block[found.start() : found.start() + 4]
            for size in (2, 3, 4):
                try:
                    piece[:size].decode("utf-8")
                except UnicodeDecodeError:
                    continue
                return MIXED
    return "cp1252"


def _refuse_binary(sample: str) -> None:
    controls = len(_CONTROL.findall(sample[:65536]))
    if controls > 8 and controls > 0.05 * len(sample[:65536]):
        raise UnreadableFileError(
            "not_text",
            "It is no text and none of the supported formats.",
            "Export it as CSV, or as one of the supported formats.",
        )


def _line_end(sample: str) -> tuple[str, bool]:
    """The line end that most lines of a sample have, and whether there are others."""
    both = sample.count("\r\n")
    feeds, returns = sample.count("\n") - both, sample.count("\r") - both
    counts = {"\r\n": both, "\n": feeds, "\r": returns}
    # A file cut between the two characters of its last line end is not a mixed one.
    if both and returns == 1 and sample.endswith("\r"):
        counts["\r"] = 0
    best = max(counts, key=lambda end: counts[end])
    if counts[best]:
        if best == "\r" and both + feeds > 0.2 * returns:
            best = "\r\n" if both >= feeds else "\n"
        return best, sum(1 for count in counts.values() if count) > 1
    for odd in ("\x1e", "\x85", "\u2028", "\x0b", "\x0c"):
        if sample.count(odd) > 1:
            return odd, False
    return "\n", False
