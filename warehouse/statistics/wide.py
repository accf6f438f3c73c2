"""Wide tables, a column a group, turned into a row a group by a pattern of their column names.

What belongs here: patterns such as `enrolled_{race}_{sex}`. What does not: what the values mean (`outcome`).
"""

from __future__ import annotations

import re

import pandas as pd

from warehouse.statistics.source import AnalysisInputError, Question

_PLACE = re.compile(r"\{([^{}]+)\}")
_ROW = "row of the file"


def lengthened(frame: pd.DataFrame, question: Question, name: str) -> tuple[pd.DataFrame, Question]:
    """A table with a row a group, and the question in its columns; unchanged where nothing is a pattern.

    `--outcome 'passed_{race}' --weight 'enrolled_{race}' --group race` reads the columns passed_White, enrolled_White
    and so on; what stands in the place of `{race}` is the group.

    Raises:
        AnalysisInputError: no column fits a pattern, or a pattern has places that no option names.
    """
    asked = {
        "outcome": question.outcome, "weight": question.weight, "denominator": question.denominator,
        "spread": question.spread, "error": question.error,
    }  # fmt: skip
    patterns = {
        role: text for role, text in asked.items() if text and _PLACE.search(text) and text not in frame
    }
    if not patterns:
        return frame, question
    parts = (*question.groups, *question.within, *([question.cohort] if question.cohort else []))
    places = list(dict.fromkeys(place for text in patterns.values() for place in _PLACE.findall(text)))
    unknown = [place for place in places if place not in parts]
    if unknown:
        raise AnalysisInputError(
            f"{name}: '{{{unknown[0]}}}' in a column pattern is named by no option; add --group '{unknown[0]}'"
        )
    clash = next((place for place in places if place in frame.columns), None)
    if clash is not None:
        raise AnalysisInputError(
            f"{name}: '{clash}' is a column and a place in a pattern; give the place another name"
        )
    long: pd.DataFrame | None = None
    for role, text in patterns.items():
        column = _unpivoted(frame, text, role, name)
        keys = [_ROW, *places]
        # A column without one of the places, such as the people of all groups, holds for every value of it.
        shared = [key for key in keys if long is None or (key in long and key in column)]
        long = column if long is None else long.merge(column, on=shared, how="left", validate="many_to_one")
    assert long is not None  # noqa: S101 - there is a pattern, see above
    kept = frame.drop(columns=[c for text in patterns.values() for c in _fitting(frame, text)])
    kept = kept.assign(**{_ROW: range(len(kept))})
    table = long.merge(kept, on=_ROW, how="left").sort_values([_ROW, *places], kind="stable")
    # The index stays that of the file, so that messages can name its rows.
    table.index = frame.index[table[_ROW].to_numpy()]
    return table.drop(columns=_ROW), question


def _fitting(frame: pd.DataFrame, pattern: str) -> dict[str, dict[str, str]]:
    """Columns that fit a pattern, with what stands in its places; a place holds no more than it must."""
    pieces = _PLACE.split(pattern)
    text = "".join(
        re.escape(piece) if at % 2 == 0 else f"(?P<place{at}>.+?)" for at, piece in enumerate(pieces)
    )
    fits = {column: re.fullmatch(text, column, re.IGNORECASE) for column in frame.columns}
    return {
        column: {pieces[at]: found[f"place{at}"] for at in range(1, len(pieces), 2)}
        for column, found in fits.items()
        if found
    }


def _unpivoted(frame: pd.DataFrame, pattern: str, role: str, name: str) -> pd.DataFrame:
    fits = _fitting(frame, pattern)
    if not fits:
        listed = ", ".join(f"'{present}'" for present in frame.columns)
        raise AnalysisInputError(f"{name}: no column fits the {role} '{pattern}'. Columns: {listed}")
    parts = [
        pd.DataFrame({_ROW: range(len(frame)), **places, pattern: frame[column]})
        for column, places in fits.items()
    ]
    return pd.concat(parts, ignore_index=True)
