"""A student-level or summarized table, read and put into one shape: one row a record with its group, count and outcome.

What belongs here: reading and understanding columns. What does not: measures (`tables`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb
import numpy as np
import pandas as pd

Kind = Literal["rate", "score"]
UNKNOWN = "unknown"
_MET = {
    "1",
    "1.0",
    "y",
    "yes",
    "t",
    "true",
    "met",
    "pass",
    "passed",
    "p",
    "success",
    "proficient",
    "admitted",
}
_NOT_MET = {
    "0", "0.0", "n", "no", "f", "false", "not met", "not_met", "fail", "failed", "failure", "not proficient",
    "rejected",
}  # fmt: skip
_MISSING = {"", "na", "n/a", "nan", "null", "none", ".", "<na>"}
_LISTED = 5


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
        met: value of the outcome that is the good one, where it is text.
        outcome_is: how the outcome column is to be read, instead of what its values say.
    """

    outcome: str
    groups: tuple[str, ...]
    weight: str | None = None
    cohort: str | None = None
    denominator: str | None = None
    met: str | None = None
    outcome_is: Literal["indicator", "count", "rate", "score"] | None = None


@dataclass(frozen=True)
class Records:
    """Records to measure.

    Attributes:
        frame: columns of the groups, `cohort`, `n` (people), `x` (those who met it, or the score).
        kind: rate or score.
        reading: how the outcome was read, in words.
        left_out: records without outcome or count, by reason.
    """

    frame: pd.DataFrame
    kind: Kind
    reading: str
    left_out: dict[str, int]


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV or Parquet file as text, row order kept.

    Raises:
        AnalysisInputError: the file is missing, or is neither.
    """
    if not path.is_file():
        raise AnalysisInputError(f"{path}: no such file")
    how = (
        "read_parquet($file)" if path.suffix.lower() == ".parquet" else "read_csv($file, all_varchar = true)"
    )
    try:
        with duckdb.connect() as con:
            frame = con.execute(f"select columns(*)::varchar from {how}", {"file": str(path)}).df()
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise AnalysisInputError(f"{path}: cannot be read as CSV or Parquet ({reason})") from None
    if frame.empty:
        raise AnalysisInputError(f"{path}: has no rows")
    return frame


def understand(frame: pd.DataFrame, question: Question, name: str) -> Records:
    """Put a table into records.

    Args:
        frame: the table as text.
        question: what is asked.
        name: name of the file, for messages.

    Raises:
        AnalysisInputError: a column is missing, or values contradict the way they must be read.
    """
    _require(frame, question, name)
    table = pd.DataFrame({group: _clean(frame[group]).fillna(UNKNOWN) for group in question.groups})
    table["cohort"] = _clean(frame[question.cohort]).fillna(UNKNOWN) if question.cohort else "all"
    count_column = question.denominator or question.weight
    table["n"] = _numbers(frame, count_column, name, least=0) if count_column else 1.0
    outcome = _clean(frame[question.outcome])
    table["x"], kind, reading = _outcome(outcome, table["n"], question, name)
    left_out = {
        f"no {question.outcome}": int(table["x"].isna().sum()),
        f"no {count_column}": int(table["n"].isna().sum()),
    }
    kept = table[table["x"].notna() & table["n"].notna() & (table["n"] > 0)].reset_index(drop=True)
    if kept.empty:
        raise AnalysisInputError(f"{name}: no row has both an outcome and a count")
    return Records(kept, kind, reading, {reason: count for reason, count in left_out.items() if count})


def _require(frame: pd.DataFrame, question: Question, name: str) -> None:
    wanted = [*question.groups, question.outcome, question.weight, question.cohort, question.denominator]
    for column in wanted:
        if column is not None and column not in frame.columns:
            listed = ", ".join(f"'{present}'" for present in frame.columns)
            raise AnalysisInputError(f"{name}: no column '{column}'. Columns: {listed}")
    if question.outcome in question.groups:
        raise AnalysisInputError(f"{name}: column '{question.outcome}' cannot be both outcome and group")


def _clean(values: pd.Series) -> pd.Series:
    """Text without spaces around it; what says that there is nothing becomes missing."""
    return values.astype("object").map(
        lambda value: (
            value.strip() if isinstance(value, str) and value.strip().lower() not in _MISSING else None
        )
    )


def _numbers(frame: pd.DataFrame, column: str, name: str, least: float | None = None) -> pd.Series:
    text = _clean(frame[column])
    numbers = pd.to_numeric(text.str.replace(",", "", regex=False), errors="coerce")
    wrong = text.notna() & numbers.isna()
    if least is not None:
        wrong |= numbers < least
    _refuse_rows(wrong, column, name, "is no count", "send whole numbers, or leave the cell empty")
    return numbers


def _refuse_rows(wrong: pd.Series, column: str, name: str, rule: str, fix: str) -> None:
    if wrong.any():
        rows = ", ".join(str(position + 1) for position in np.flatnonzero(wrong.to_numpy())[:_LISTED])
        raise AnalysisInputError(
            f"{name}: column '{column}', {int(wrong.sum())} rows (first: {rows}): the value {rule}; {fix}"
        )


def _outcome(text: pd.Series, n: pd.Series, question: Question, name: str) -> tuple[pd.Series, Kind, str]:
    if question.met is not None:
        hit = text.str.casefold() == question.met.strip().casefold()
        if not hit.any():
            raise AnalysisInputError(
                f"{name}: column '{question.outcome}' never holds '{question.met}'. Values: {_values(text)}"
            )
        return hit.astype(float).where(text.notna()) * n, "rate", f"'{question.met}' is met, all else is not"
    words = text.dropna().str.casefold()
    numbers = pd.to_numeric(
        text.str.replace("%", "", regex=False).str.replace(",", "", regex=False), errors="coerce"
    )
    if question.outcome_is in (None, "indicator") and words.isin(_MET | _NOT_MET).all():
        return (
            text.str.casefold().isin(_MET).astype(float).where(text.notna()) * n,
            "rate",
            "yes or no" + (", each row counted as often as it stands for" if question.weight else ""),
        )
    wrong = text.notna() & numbers.isna()
    fix = f"values are {_values(text)}; say which one is met with --met"
    _refuse_rows(wrong, question.outcome, name, "is neither a number nor yes or no", fix)
    return _numeric_outcome(text, numbers, n, question, name)


def _numeric_outcome(
    text: pd.Series, numbers: pd.Series, n: pd.Series, question: Question, name: str
) -> tuple[pd.Series, Kind, str]:
    percent = bool(text.str.endswith("%").any())
    kind = question.outcome_is
    counted = question.weight is not None or question.denominator is not None
    if kind is None:
        whole = bool((numbers.dropna() % 1 == 0).all())
        if counted and not percent and whole and bool((numbers <= n)[numbers.notna() & n.notna()].all()):
            kind = "count"
        elif counted and (percent or bool(numbers.dropna().between(0, 1).all())):
            kind = "rate"
        elif question.denominator is not None:
            kind = "count"
        else:
            kind = "score"
    if kind == "score":
        return numbers, "score", "a score; means are compared"
    if kind == "rate":
        return numbers / (100 if percent else 1) * n, "rate", "a rate of the people that a row stands for"
    if kind == "indicator":
        fix = f"values are {_values(text)}; say which one is met with --met"
        _refuse_rows(text.notna() & ~numbers.isin([0, 1]), question.outcome, name, "is neither 0 nor 1", fix)
        return numbers * n, "rate", "yes or no"
    if not counted:
        raise AnalysisInputError(
            f"{name}: column '{question.outcome}' holds counts; name the column of people with --weight"
        )
    too_many = numbers > n
    _refuse_rows(
        too_many, question.outcome, name, "exceeds the people of its row", "correct one of the two counts"
    )
    return numbers, "rate", "a count of the people that a row stands for"


def _values(text: pd.Series) -> str:
    return ", ".join(f"'{value}'" for value in sorted(text.dropna().unique())[:_LISTED])
