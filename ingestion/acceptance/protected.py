"""Published numbers with marks where a number was held back: kept as bounds and reasons, never as numbers.

What belongs here: reading one cell of a public aggregate. What does not: which cells hold such text (the mapping).
"""

from __future__ import annotations

# The five columns of a contract that one protected cell fills.
PROTECTED_COLUMNS = ("estimate", "lower_bound", "upper_bound", "value_status", "annotation")
# Jam values of the Census Bureau's estimates and margins of error, in place of a number.
_JAM = (-222222222, -333333333, -555555555, -666666666, -888888888, -999999999)
_SUPPRESSED = (
    "*", "**", "***", "S", "DS", "PS", "LNE", "SUPPRESSED", "TFSD", "TSFD", "DNS", "SUPP", "SUP", "(S)", "(D)", "D",
    "REDACTED", "MASKED", "†", "‡", "X", "TS", "NP", "TOO FEW", "TOO FEW STUDENTS", "PRIVACY SUPPRESSED", "TOO FEW TO REPORT",
)  # fmt: skip
_NOT_REPORTED = (
    "N", "-", "--", "---", "–", "—", "N/A", "NA", "N.A.", "NULL", ".", "..", "NR", "ND", "NOT AVAILABLE", "NOT REPORTED",
    "NOT APPLICABLE", "NO DATA", "NONE", "NAN", "MISSING", "NOT COLLECTED",
)  # fmt: skip
_NUMBER = r"-?(?:\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\.\d+)"


def exact_number_sql(text: str) -> str:
    """SQL for the number as text where the cell is exactly a number (a per-cent sign may follow); else null."""
    bare = f"replace(replace(ltrim({text}, '$'), ',', ''), '%', '')"
    listed = ", ".join(str(value) for value in _JAM)
    shaped = f"regexp_full_match({text}, '\\$?{_NUMBER}\\s*%?')"
    return f"case when {shaped} and try_cast({bare} as double) not in ({listed}) then trim({bare}) end"


def protected_parts(text: str) -> dict[str, str]:
    """SQL by column for the estimate, its bounds, what kind of value it is, and the mark as it stood.

    `<10`, `LT50`, `≤5%`, `10 or fewer` bound from above; `>95`, `GE95`, `250,000+` from below; `21-39` from both sides;
    a trailing asterisk (`81.6*`) marks a number that is published with reservations and stays one.
    """
    value = f"rtrim({text}, '*† ')"
    exact = exact_number_sql(value)
    below = _captured(
        text,
        rf"(?i:<=?|≤|LTE?|LE|less than|fewer than|under|below|at most|up to)\s*({_NUMBER})\s*(?:%|percent)?",
    )
    above = _captured(
        text, rf"(?i:>=?|≥|GTE?|GE|more than|greater than|over|above|at least)\s*({_NUMBER})\s*(?:%|percent)?"
    )
    less = _captured(text, rf"({_NUMBER})\s*%?\s*(?i:or (?:less|fewer|below|under))")
    more = _captured(text, rf"({_NUMBER})\s*%?\s*(?i:or (?:more|greater|above|over|higher))")
    below, above = f"coalesce({below}, {less})", f"coalesce({above}, {more})"
    topped = _captured(text, rf"({_NUMBER})\s*%?\+")
    bottomed = _captured(text, rf"({_NUMBER})\s*%?-")
    span = r"(?i:between\s+)?(\d[\d,.]*)\s*%?\s*(?i:-|–|—|to|and|through)\s*(\d[\d,.]*)\s*%?"
    low, high = _captured(text, span, 1), _captured(text, span, 2)
    marks = f"upper(trim({text}))"
    # `n<10` speaks of the group's size, not of its value.
    held_back = f"({marks} in ({_listed(_SUPPRESSED)}) or regexp_full_match({marks}, 'N\\s*(<|≤)=?\\s*\\d+'))"
    listed = ", ".join(str(value) for value in _JAM)
    status = (
        f"case when {text} is null then 'not_reported' when {exact} is not null then 'exact' "
        f"when {held_back} then 'suppressed' when {marks} = '(X)' then 'not_applicable' "
        f"when {marks} in ({_listed(_NOT_REPORTED)}) or try_cast({text} as double) in ({listed}) then 'not_reported' "
        f"when {low} is not null then 'range' when {below} is not null or {bottomed} is not null then 'bottom_coded' "
        f"when {above} is not null or {topped} is not null then 'top_coded' else 'unreadable' end"
    )
    bounded = f"not {held_back} and {marks} not in ({_listed(_NOT_REPORTED)}) and {exact} is null"
    return {
        "estimate": exact,
        "lower_bound": f"case when {bounded} then coalesce({low}, {above}, {topped}) end",
        "upper_bound": f"case when {bounded} then coalesce({high}, {below}, {bottomed}) end",
        "value_status": status,
        "annotation": f"case when {exact} is null or {value} <> {text} then {text} end",
    }


def _captured(text: str, pattern: str, group: int = 1) -> str:
    return f"replace(nullif(regexp_extract({text}, '^{pattern}$', {group}), ''), ',', '')"


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
