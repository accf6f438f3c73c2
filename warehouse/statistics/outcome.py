"""What the values of an outcome column mean: yes or no, a count, a rate, a score or a level.

What belongs here: telling them apart, and turning them into numbers. What does not: reading files (`source`).
"""

from __future__ import annotations

import re

import pandas as pd

from warehouse.statistics.source import (
    AnalysisInputError,
    Kind,
    Question,
    Reading,
    Records,
    clean,
    grouped,
    numbers_of,
    plain_numbers,
    refuse_rows,
    resolved,
    to_numbers,
    totals_note,
    values_of,
)
from warehouse.statistics.withheld import withheld, without_withheld

_MET = {
    "1", "1.0", "y", "yes", "t", "true", "met", "pass", "passed", "p", "success", "successful", "proficient",
    "admitted", "graduated", "enrolled", "completed",
}  # fmt: skip
_NOT_MET = {
    "0", "0.0", "n", "no", "f", "false", "not met", "not_met", "notmet", "did not meet", "unmet", "fail", "failed",
    "failure", "unsuccessful", "not proficient", "not_proficient", "rejected", "not graduated", "not enrolled",
    "not completed",
}  # fmt: skip
_RATE_NAME = re.compile(
    r"(^|[^a-z])(pct|percent|percentage|rate|share|prop|proportion)([^a-z]|$)|%", re.IGNORECASE
)


def understand(frame: pd.DataFrame, question: Question, name: str) -> Records:
    """Put a table into records.

    Args:
        frame: the table as text.
        question: what is asked.
        name: name of the file, for messages.

    Raises:
        AnalysisInputError: a column is missing, or values contradict the way they must be read.
    """
    question = resolved(frame, question, name)
    table = grouped(frame, question)
    notes = totals_note(table, question)
    count_column = question.denominator or question.weight
    hidden = pd.Series(False, index=frame.index)
    table["n"] = 1.0
    if count_column:
        people = clean(frame[count_column], question.missing)
        hidden = withheld(people)
        table["n"] = plain_numbers(people.where(~hidden, None), count_column, name)
    text, unsaid = without_withheld(clean(frame[question.outcome], question.missing), question)
    table["x"], kind, reading = _outcome(text, table["n"], question, name)
    for role in ("spread", "error"):
        column = getattr(question, role)
        if column is not None:
            numbers = numbers_of(frame, column, name, question.missing)
            table["sd" if role == "spread" else role] = numbers
    if question.error is not None:
        scale = 100.0 if bool(text.str.endswith("%", na=False).any()) else 1.0
        table["error"] /= question.error_factor * scale
    reading = _weighted(table, question, reading, notes)
    notes += _summary_note(table, question, reading)
    return _kept(table, (unsaid, hidden), kind, reading, notes, question, name)


def _weighted(table: pd.DataFrame, question: Question, reading: str, notes: list[str]) -> str:
    """Add the squares of the weights of a sample, and say so."""
    fractions = bool((table["n"].dropna() % 1 != 0).any())
    a_row_a_person = (
        question.weight is not None
        and not question.denominator
        and ("counted as often" in reading or reading.startswith(("a score", "ordered levels")))
    )
    if question.weights == "sample" and not a_row_a_person:
        raise AnalysisInputError(
            f"column '{question.outcome}' was read as {reading}: survey weights need a row a person; "
            "leave --weights-are away, or say --outcome-is"
        )
    sampled = question.weights == "sample" or (question.weights is None and fractions and a_row_a_person)
    table["squares"] = table["n"] ** 2 if sampled else table["n"]
    if not sampled and fractions:
        notes.append(
            f"'{question.denominator or question.weight}' is not whole: intervals take it for numbers of people"
        )
    if "people that a row stands for" in reading and not (question.weight or question.denominator):
        notes.append(
            "no column of people is named (--weight): each row counts as one, so intervals mean little"
        )
    if sampled:
        return f"{reading}; survey weights, so intervals and tests go by Kish's effective number of people"
    return reading


def _summary_note(table: pd.DataFrame, question: Question, reading: str) -> list[str]:
    """A word on a table with one row a group whose outcome was read as one of persons."""
    cells = [*question.groups, "cohort", "within"]
    if question.weight is None or not (table["n"] > 1).any() or table.duplicated(cells).any():
        return []
    if reading.startswith("yes or no"):
        return [
            f"every group has one row: if '{question.outcome}' counts people, say --denominator {question.weight} "
            "instead of --weight"
        ]
    if reading.startswith("a score"):
        return [
            "every group has one row, its mean: name the column of standard deviations (--sd) for intervals"
        ]
    return []


def _kept(
    table: pd.DataFrame, marks: tuple[pd.Series, pd.Series], kind: Kind, reading: str, notes: list[str],
    question: Question, name: str,
) -> Records:  # fmt: skip
    """The rows that count, and how many do not and why: what a publisher withheld of the outcome or of the people."""
    count_column = question.denominator or question.weight
    unsaid, hidden = marks
    nobody = table["n"].isna() | (table["n"] == 0)
    left_out = {
        f"withheld {question.outcome}": int((unsaid & ~nobody).sum()),
        f"no {question.outcome}": int((table["x"].isna() & ~unsaid & ~nobody).sum()),
        f"withheld {count_column}": int(hidden.sum()),
        f"no people in {count_column}": int((nobody & ~hidden).sum()),
    }
    kept = table[~nobody].reset_index(drop=True)
    if not kept["x"].notna().any():
        raise AnalysisInputError(f"{name}: no row has both a value of '{question.outcome}' and people")
    kept["missing"] = kept["n"].where(kept["x"].isna(), 0.0)
    return Records(
        kept, kind, question.groups, reading, {reason: count for reason, count in left_out.items() if count},
        question.outcome, bool(question.levels), notes, question.total,
    )  # fmt: skip


def _outcome(text: pd.Series, n: pd.Series, question: Question, name: str) -> tuple[pd.Series, Kind, str]:
    folded = text.str.casefold()
    often = ", each row counted as often as it stands for" if question.weight else ""
    if question.levels:
        return _levels(folded, text, question, name)
    if question.met:
        hit = folded.isin([value.strip().casefold() for value in question.met])
        if not hit.any():
            raise AnalysisInputError(
                f"{name}: column '{question.outcome}' never holds {values_of(pd.Series(question.met))}. "
                f"Values: {values_of(text)}"
            )
        listed = values_of(pd.Series(question.met))
        return hit.astype(float).where(text.notna()) * n, "rate", f"{listed} is met, all else is not{often}"
    if question.error is not None:
        numbers = _plain_numbers(text, question, name)
        scale = 100.0 if bool(text.str.endswith("%", na=False).any()) else 1.0
        return numbers / scale, "estimate", "estimates, each with its own error"
    digits = bool(folded.dropna().isin({"0", "1", "0.0", "1.0"}).all())
    counts = digits and (question.denominator is not None or question.spread is not None)
    if (
        question.outcome_is in (None, "indicator")
        and not counts
        and folded.dropna().isin(_MET | _NOT_MET).all()
    ):
        return folded.isin(_MET).astype(float).where(text.notna()) * n, "rate", f"yes or no{often}"
    return _numeric(text, _plain_numbers(text, question, name), n, question, name)


def _plain_numbers(text: pd.Series, question: Question, name: str) -> pd.Series:
    numbers = to_numbers(text)
    wrong = text.notna() & numbers.isna()
    fix = f"such values are {values_of(text[wrong])}; say which are met with --met, or their order with --levels"
    refuse_rows(wrong, question.outcome, name, "is neither a number nor yes or no", fix)
    return numbers


def _levels(folded: pd.Series, text: pd.Series, question: Question, name: str) -> tuple[pd.Series, Kind, str]:
    order = {level.strip().casefold(): float(at) for at, level in enumerate(question.levels, 1)}
    known = folded.map(order)
    fix = f"values are {values_of(text)}; list every level, lowest first, with --levels"
    refuse_rows(text.notna() & known.isna(), question.outcome, name, "is none of the levels", fix)
    return known, "score", "ordered levels, numbered from 1; V compares them, whatever their distance"


def _numeric(
    text: pd.Series, numbers: pd.Series, n: pd.Series, question: Question, name: str
) -> tuple[pd.Series, Kind, str]:
    percent = bool(text.str.endswith("%", na=False).any())
    counted = question.weight is not None or question.denominator is not None
    kind = question.outcome_is or _kind(text, numbers, n, percent, question)
    if kind == "score":
        of = (
            "a mean of the people that a row stands for" if question.spread else "a score; means are compared"
        )
        return numbers, "score", of
    if kind == "rate":
        return _as_rate(text, numbers, n, percent, question, name)
    if kind == "indicator":
        fix = f"values are {values_of(text)}; say which are met with --met"
        refuse_rows(text.notna() & ~numbers.isin([0, 1]), question.outcome, name, "is neither 0 nor 1", fix)
        return numbers * n, "rate", "yes or no"
    if not counted:
        raise AnalysisInputError(
            f"{name}: column '{question.outcome}' holds counts; name the column of people with --weight"
        )
    wrong = (numbers > n) | (numbers < 0)
    fix = "correct one of the two counts, or say --outcome-is rate or score"
    refuse_rows(wrong, question.outcome, name, "exceeds the people of its row or is below nought", fix)
    return numbers, "rate", "a count of the people that a row stands for"


def _kind(text: pd.Series, numbers: pd.Series, n: pd.Series, percent: bool, question: Question) -> Reading:
    """What numbers are, where nobody said so."""
    if question.spread is not None:
        return "score"
    counted = question.weight is not None or question.denominator is not None
    if not counted:
        return "rate" if percent else "score"
    values = numbers.dropna()
    named_rate = bool(_RATE_NAME.search(question.outcome))
    digits = not percent and not named_rate and bool(text.dropna().str.fullmatch(r"\d+").all())
    if question.denominator and digits and bool((n > 1).any()):
        return "count"
    if percent or bool(values.between(0, 1).all()) or (named_rate and bool(values.between(0, 100).all())):
        return "rate"
    both = numbers.notna() & n.notna()
    whole = bool((values % 1 == 0).all()) and bool((n.dropna() % 1 == 0).all())
    return "count" if question.denominator or (whole and bool((numbers <= n)[both].all())) else "score"


def _as_rate(
    text: pd.Series, numbers: pd.Series, n: pd.Series, percent: bool, question: Question, name: str
) -> tuple[pd.Series, Kind, str]:
    """People who met it, from a fraction or a per cent of those of the row."""
    hundredths = percent or bool((numbers > 1).any())
    limit = 100 if hundredths else 1
    refuse_rows(
        (numbers < 0) | (numbers > limit), question.outcome, name, f"is no rate from 0 to {limit}",
        "correct it, or say --outcome-is score",
    )  # fmt: skip
    met = numbers / limit * n
    # A count that is whole but for the rounding of its rate is that count, where only one can be.
    decimals = text.str.extract(r"\.(\d+)", expand=False).str.len().fillna(0).max()
    rounding = 0.5 * 10.0 ** -float(decimals) / limit * n
    near = met.round()
    met = near.where(((met - near).abs() <= rounding + 1e-9) & (rounding < 0.5) & (n % 1 == 0), met)
    unit = "per cent" if hundredths else "a fraction"
    return met, "rate", f"a rate ({unit}) of the people that a row stands for"
