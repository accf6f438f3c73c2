"""What a cell's text looks like: number, date, code, word; knowledge that finds dialects and headers.

What belongs here: recognizing kinds of text. What does not: converting any of it.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBER = re.compile(
    r"""[+-]?[$€£¥]?\s?[+-]?(
        \d+([.,]\d+)?([eE][+-]?\d+)?       # 12, 12.5, 1e5
        |\d{1,3}([,'\u00a0 ]\d{3})+(\.\d+)?  # 1,234.5
        |\d{1,3}(\.\d{3})+(,\d+)?          # 1.234,5
        |[.,]\d+
    )\s?[%€$£]?|\(\$?[\d,.]+\)""",
    re.VERBOSE,
)
_DATE = re.compile(
    r"""(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})
        |\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}|[A-Za-z]{3,9}\.?\ \d{1,2},?\ \d{4})
        ([T ]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s?([AaPp]\.?[Mm]\.?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?""",
    re.VERBOSE,
)
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s?[AaPp]\.?[Mm]\.?)?(Z|[+-]\d{2}:?\d{2})?")
_ADDRESS = re.compile(
    r"(https?|ftp|mailto|file)://\S+|www\.\S+|[\w.+-]+@[\w-]+(\.[\w-]+)+|/?[\w.-]+(/[\w.-]+){2,}"
)
_HIDDEN = re.compile(
    r"\*+|[-–—]+|\.|<=?\s?\d+|>=?\s?\d+|[≤≥]\s?\d+%?|N<\d+|(LT|LE|GE|GT)\d+|n/?a|N/?A|NULL|null|NaN|PS|LNE|#\S+!|#N/A|\(X\)|\?+"
)
_WORD = re.compile(r"[^\W_]+([-_.][^\W_]+)*", re.UNICODE)
_TEXT = re.compile(r"[\w(\[#¿¡@&+*<>=$%°.“‘-][\w\s.\-/&()'’“”‘#:!?+%°*@$€£§\[\]<>=–—…®©™½!]*", re.UNICODE)

TYPED = frozenset({"number", "date", "time", "address"})


@lru_cache(maxsize=100_000)
def kind_of(cell: str) -> str:
    """The kind of a cell: empty, number, date, time, address, hidden (a code for no value), word, text, odd.

    "odd" is text that a right reading seldom leaves: it holds a quote, a delimiter or a control character.
    """
    text = cell.strip()
    if not text:
        return "empty"
    if len(text) > 2000:
        return "text"
    for kind, pattern in (
        ("number", _NUMBER),
        ("date", _DATE),
        ("time", _TIME),
        ("address", _ADDRESS),
        ("hidden", _HIDDEN),
        ("word", _WORD),
    ):
        if pattern.fullmatch(text):
            return kind
    if _TEXT.fullmatch(text) and not (text[0] in "'`" and text[-1] == text[0]):
        return "text"
    return "odd"


def is_typed(cell: str) -> bool:
    """Whether the cell is a value that a column's name would not be: a number, date, time or address."""
    return kind_of(cell) in TYPED
