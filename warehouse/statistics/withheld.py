"""What publishers write in place of a small or complementary figure, and ranges in place of a rate.

What belongs here: telling marks from figures. What does not: what figures mean (`outcome`).
"""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from warehouse.statistics.source import Question, by_value

_WITHHELD = re.compile(
    r"\*+|-{1,2}|–|—|s|ps|ds|dna|suppressed|withheld|masked|redacted|n/?r|not reported|none|x"
    r"|\(?n?\s*[<≤]\s*=?\s*\d+\)?|too few.*|fewer than.*",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*%?\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)\s*%?", re.IGNORECASE)
_BOUND = re.compile(r"(GE|GT|LE|LT|>=|≥|>|<=|≤|<)\s*(\d+(?:\.\d+)?)\s*%?", re.IGNORECASE)


def without_withheld(text: pd.Series, question: Question) -> tuple[pd.Series, pd.Series]:
    """The text without what a publisher withheld, and where that is; ranges by their middle, if asked for.

    Words that the question itself names, or that fill a column of words, are no marks.
    """
    named = {value.casefold() for value in (*question.met, *question.levels)}
    if question.ranges:
        text = by_value(text, _middle)
    marks = withheld(text, named)
    return text.where(~marks, None), marks


def withheld(text: pd.Series, named: Collection[str] = ()) -> pd.Series:
    """Where a publisher's mark stands in place of a figure."""

    def is_mark(value: str) -> bool:
        told = _WITHHELD.fullmatch(value) or _RANGE.fullmatch(value) or _BOUND.fullmatch(value)
        return told is not None and value.casefold() not in named

    return by_value(text, is_mark, False).astype(bool)


def _middle(value: str) -> str:
    """The middle of a range or bounded per cent as text; other text as it is."""
    found = _RANGE.fullmatch(value)
    if found:
        return f"{(float(found[1]) + float(found[2])) / 2:g}%"
    found = _BOUND.fullmatch(value)
    if found:
        low = found[1].upper() in ("LE", "LT", "<=", "≤", "<")
        return f"{(float(found[2]) + (0 if low else 100)) / 2:g}%"
    return value
