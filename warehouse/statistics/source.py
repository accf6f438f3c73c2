"""A student-level or summarized table, read and put into one shape: one row a record with its group, count and outcome.

What belongs here: columns of groups and counts. What does not: opening files (`table_file`), what an outcome's values
mean (`outcome`), measures (`tables`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

Kind = Literal["rate", "score", "estimate"]
Reading = Literal["indicator", "count", "rate", "score"]
Weights = Literal["people", "sample"]
UNKNOWN = "unknown"
# Groups of people who told nothing: counted and shown as any other, but nobody's yardstick.
NOT_TOLD = {
    UNKNOWN, "not reported", "not specified", "not stated", "not provided", "declined", "declined to state",
    "decline to state", "prefer not to say", "unreported", "missing", "unknown/not reported", "race/ethnicity unknown",
    "race and ethnicity unknown", "unknown/non-respondent", "not selected race/ethnicity", "unspecified",
}  # fmt: skip
# What exports write where there is nothing. 'None' is left out: it is an answer in columns such as disability.
_MISSING = {"", "na", "n/a", "nan", "null", ".", "<na>", "#n/a"}
_TOTALS = {"all", "all students", "total", "totals", "overall", "all groups", "grand total", "all pupils"}
_LISTED = 5
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?%?")


class AnalysisInputError(ValueError):
    """A table or a choice cannot be used; the message names file, column, row, rule and fix."""


@dataclass(frozen=True)
class Question:
    """What is asked of a table.

    Attributes:
        outcome: column of the outcome.
        groups: columns of the groups.
        weight: column of how many people a row stands for.
        cohort: column of the cohort or year.
        denominator: column of people measured, where the outcome column counts those who met it.
        met: values of the outcome that are met, where they are text.
        outcome_is: how the outcome column is to be read, instead of what its values say.
        within: columns within whose every value the groups are compared.
        levels: values of the outcome in order, lowest first, where it is a level.
        spread: column of the standard deviation, where the outcome column is a mean of the people of its row.
        total: name of the rows that stand for everybody, in the columns of the groups.
        ranges: whether a range such as 40-44 or a bound such as GE95 is read by its middle.
        weights: whether weights count people, or are a sample survey's; told by their fractions where not said.
        error: column of the standard error, where the outcome column is an estimate with its own error.
        error_factor: what the column of the error is divided by to be one standard error.
        missing: values that say that nothing is known, besides blanks, such as reserve codes.
    """

    outcome: str
    groups: tuple[str, ...]
    weight: str | None = None
    cohort: str | None = None
    denominator: str | None = None
    met: tuple[str, ...] = ()
    outcome_is: Reading | None = None
    within: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    spread: str | None = None
    total: str | None = None
    ranges: bool = False
    weights: Weights | None = None
    error: str | None = None
    error_factor: float = 1.0
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Records:
    """Records to measure.

    Attributes:
        frame: columns of the groups, `cohort`, `within`, `n` (people), `squares` (of the weights of a sample; else
            people), `x` (those who met it, or the score; not a number without an outcome), `missing` (people without
            an outcome), `sd` (where rows are summaries), `error` (where they are estimates).
        kind: rate, score, or an estimate with its own error.
        groups: columns of the groups.
        reading: how the outcome was read, in words.
        left_out: records that count nowhere, by reason.
        outcome: name of the outcome.
        leveled: whether the scores are the numbers of ordered levels.
        notes: what the reader should know of the table.
        total: name of the rows that stand for everybody.
    """

    frame: pd.DataFrame
    kind: Kind
    groups: tuple[str, ...]
    reading: str
    left_out: dict[str, int]
    outcome: str = "outcome"
    leveled: bool = False
    notes: list[str] = field(default_factory=list)
    total: str | None = None


def resolved(frame: pd.DataFrame, question: Question, name: str) -> Question:
    """The question with columns as the table spells them, where it names them in other letters.

    Raises:
        AnalysisInputError: a column is not there, or is asked for two things.
    """

    def found(column: str | None) -> str | None:
        if column is None or column in frame.columns:
            return column
        alike = [present for present in frame.columns if present.casefold() == column.strip().casefold()]
        if len(alike) == 1:
            return str(alike[0])
        listed = ", ".join(f"'{present}'" for present in frame.columns)
        raise AnalysisInputError(f"{name}: no column '{column}'. Columns: {listed}")

    spelled = replace(
        question,
        outcome=found(question.outcome) or "",
        groups=tuple(found(column) or "" for column in question.groups),
        within=tuple(found(column) or "" for column in question.within),
        weight=found(question.weight),
        cohort=found(question.cohort),
        denominator=found(question.denominator),
        spread=found(question.spread),
        error=found(question.error),
    )
    _require_roles(spelled, name)
    return spelled


def _require_roles(question: Question, name: str) -> None:
    """Refuse a column that is asked for two things."""
    parts = [*question.groups, *question.within, *([question.cohort] if question.cohort else [])]
    if question.outcome in parts:
        raise AnalysisInputError(
            f"{name}: column '{question.outcome}' cannot be the outcome and part people too; choose another"
        )
    twice = next((column for column in parts if parts.count(column) > 1), None)
    if twice is not None:
        raise AnalysisInputError(
            f"{name}: column '{twice}' is named twice; name it once as group, within or cohort"
        )


def clean(values: pd.Series, missing: tuple[str, ...] = ()) -> pd.Series:
    """Text without spaces around it; what says that there is nothing becomes missing."""
    return by_value(values, lambda value: _cleaned(value, _MISSING | _folded(missing)))


def _folded(values: tuple[str, ...]) -> set[str]:
    return {value.strip().lower() for value in values}


def _cleaned(value: object, nothing: set[str]) -> str | None:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if text.lower() not in nothing else None


def by_value(values: pd.Series, function: Callable[[Any], object], nothing: object = None) -> pd.Series:
    """What a function makes of each value, asked once for each that is unlike the others; else a word for nothing."""
    codes, unlike = pd.factorize(values)
    made = np.empty(len(unlike) + 1, dtype=object)
    made[:-1] = [function(value) for value in unlike]
    made[-1] = nothing
    return pd.Series(made[codes], index=values.index, name=values.name, dtype=object)


def group_names(values: pd.Series, missing: tuple[str, ...]) -> pd.Series:
    """Names of groups, where nothing is told the one word for it."""

    def named(value: object) -> str:
        text = _cleaned(value, _MISSING | _folded(missing))
        return UNKNOWN if text is None or text.casefold() == UNKNOWN else text

    return by_value(values, named, UNKNOWN)


def joined(frame: pd.DataFrame, columns: Sequence[str], between: str) -> pd.Series:
    """Columns of text as one, row by row."""
    whole = frame[columns[0]]
    for column in columns[1:]:
        whole = whole + between + frame[column]
    return whole


def grouped(frame: pd.DataFrame, question: Question) -> pd.DataFrame:
    """Columns of the groups, the cohort and the part, unknown where the table says nothing."""
    names = {
        column: group_names(frame[column], question.missing)
        for column in (*question.groups, *question.within)
    }
    table = pd.DataFrame({group: names[group] for group in question.groups})
    table["cohort"] = group_names(frame[question.cohort], question.missing) if question.cohort else "all"
    parts = pd.DataFrame({column: f"{column}: " + names[column] for column in question.within})
    table["within"] = joined(parts, question.within, ", ") if question.within else "all"
    return table


def totals_note(table: pd.DataFrame, question: Question) -> list[str]:
    """A word on groups that look like everybody together, which would count people twice."""
    if question.total is not None:
        return []
    seen = {
        value for group in question.groups for value in table[group].unique() if value.casefold() in _TOTALS
    }
    return [
        f"group '{value}' looks like everybody together and is counted as a group; say --total '{value}' if it is"
        for value in sorted(seen)
    ]


def numbers_of(frame: pd.DataFrame, column: str, name: str, missing: tuple[str, ...] = ()) -> pd.Series:
    """A column of counts or other numbers that are not negative; missing where a cell is empty.

    Raises:
        AnalysisInputError: a value is no number, or is negative.
    """
    return plain_numbers(clean(frame[column], missing), column, name)


def plain_numbers(text: pd.Series, column: str, name: str) -> pd.Series:
    """Text of counts as numbers.

    Raises:
        AnalysisInputError: a value is no number, or is negative.
    """
    numbers = to_numbers(text)
    wrong = (text.notna() & numbers.isna()) | (numbers < 0)
    refuse_rows(
        wrong, column, name, "is no number from nought up",
        f"values are {values_of(text[wrong])}; correct them, leave cells empty, or say --missing VALUE where a code "
        "stands for nothing",
    )  # fmt: skip
    return numbers


def to_numbers(text: pd.Series) -> pd.Series:
    """Text as numbers, without commas between thousands, dollar and per cent signs; missing where it is none."""

    def plain(value: object) -> str | None:
        if not isinstance(value, str):
            return None
        bare = value.lstrip("$").strip()
        bare = bare.replace(",", "") if _THOUSANDS.fullmatch(bare) else bare
        return bare.removesuffix("%").strip()

    numbers = pd.to_numeric(by_value(text, plain), errors="coerce").astype(float)
    return numbers.replace([np.inf, -np.inf], np.nan)


def refuse_rows(wrong: pd.Series, column: str, name: str, rule: str, fix: str) -> None:
    """Say which rows break a rule.

    Raises:
        AnalysisInputError: one does.
    """
    if wrong.any():
        rows = ", ".join(str(position + 1) for position in wrong[wrong].index.unique()[:_LISTED])
        raise AnalysisInputError(
            f"{name}: column '{column}', {int(wrong.sum())} rows (first: {rows}): the value {rule}; {fix}"
        )


def values_of(text: pd.Series) -> str:
    """The first few values of a column, for a message."""
    return ", ".join(f"'{value}'" for value in sorted(text.dropna().unique())[:_LISTED])
