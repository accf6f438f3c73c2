"""Guessing which feed an unseen file fills, and which of its columns is which.

What belongs here: similarity of headers and fit of content, and the assignment that follows. What does not:
reading files (`ingestion.readers`) and writing the mapping (`write`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import fuzz
from scipy.optimize import linear_sum_assignment

from ingestion.contracts import Column, FeedContract, load_contracts, load_option_sets
from ingestion.onboarding.profile import ColumnProfile
from warehouse.shipped import shipped_yaml

_HERE = Path(__file__).parent
_HEADER_WEIGHT, _LEAST_HEADER = 0.65, 0.35
_ALIKE = 70  # per cent of letters; below it, any two headers of some length are as alike
# What is required is asked about even where it is a weak guess; a weak guess at the rest is noise.
_LEAST, _LEAST_OPTIONAL = 0.45, 0.6
_MARKED, _UNLIKELY = 0.25, 0.7
CERTAIN = 0.75
_OF_PEOPLE, _SURE_HEADER = ("first_name", "last_name", "birth_date"), 0.9
# A header that is another column's name is hardly this one's, however alike ("test date" is no entry date).
_NAMES_ANOTHER = 0.4
_SEVERAL = 4  # headers with another feed's words that are no coincidence
_SEPARATORS = (";", "|", ",", "/", "+", "&")


@dataclass(frozen=True)
class ColumnGuess:
    """One canonical column and the source column proposed for it; confidence from 0 to 1."""

    canonical: str
    source: str
    confidence: float
    date_formats: tuple[str, ...] = ()
    codes: tuple[tuple[str, str | None], ...] = ()
    separator: str = ";"

    @property
    def is_readable(self) -> bool:
        """Whether most of its codes are known; else its rows would be put aside until somebody gives them."""
        return sum(option is not None for _, option in self.codes) * 2 >= len(self.codes)


@dataclass(frozen=True)
class Proposal:
    """What an unseen file seems to be.

    Attributes:
        feed: the feed proposed.
        confidence: 0 to 1; the share of the required columns found, weighed by their confidence.
        columns: the columns found.
        missing: required columns for which nothing was found.
        unused: source columns that fill nothing.
    """

    feed: str
    confidence: float
    columns: tuple[ColumnGuess, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


@lru_cache(maxsize=8)
def _data(name: str) -> Any:
    return shipped_yaml(_HERE / name)


@lru_cache(maxsize=4096)
def words(text: str) -> str:
    """Fold a header to lower-case words: camel case split, accents dropped, punctuation to spaces."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", spaced.lower()).split())


@lru_cache(maxsize=1024)
def _names_of(canonical: str) -> tuple[str, ...]:
    return tuple(words(name) for name in (canonical, *_data("synonyms.yml").get(canonical, [])))


@lru_cache(maxsize=65536)
def header_similarity(header: str, canonical: str) -> float:
    """How alike a header and a canonical column's names are, 0 to 1; 1 is a known synonym."""
    folded = words(header)
    names = _names_of(canonical)
    if folded in names:
        return 1.0
    tokens = set(folded.split())
    best = 0.0
    for name in names:
        other = set(name.split())
        overlap = len(tokens & other) / len(tokens | other) if tokens | other else 0.0
        best = max(best, 0.9 * overlap, 0.0085 * fuzz.ratio(folded, name, score_cutoff=_ALIKE))
    return best * _NAMES_ANOTHER if folded in _all_names() else best


@lru_cache(maxsize=1)
def _all_names() -> frozenset[str]:
    """Every name of every canonical column, folded."""
    return frozenset(
        name
        for contract in load_contracts().values()
        for column in contract.columns
        for name in _names_of(column.name)
    )


def content_fit(profile: ColumnProfile, column: Column) -> float:
    """How well a column's values fit a canonical column's type, 0 to 1; one half where nothing is known."""
    if profile.filled == 0:
        return 0.3
    if column.type == "date":
        return max(profile.dates.values(), default=0.0)
    if column.type in ("integer", "decimal"):
        if column.name == "school_year":
            return profile.years
        return profile.numeric if _within(profile.mean, column) else 0.0
    if column.type in ("option", "option_list"):
        known = _known_share(profile, str(column.options))
        return min(known, 0.5) if column.options == "yes_no" else known  # every flag is yes or no
    if column.name == "person_id":
        return 0.4 + 0.6 * profile.distinct if max(profile.dates.values(), default=0.0) < 0.9 else 0.1
    if column.name.endswith("_name"):
        return 0.8 * (1 - profile.numeric)
    return 0.5


def _within(mean: float | None, column: Column) -> bool:
    """Whether numbers lie within a column's bounds as a whole, where both are known."""
    if mean is None:
        return True
    return (column.min is None or mean >= column.min) and (column.max is None or mean <= column.max)


def _known_share(profile: ColumnProfile, option_set: str) -> float:
    if not profile.codes:
        return 0.1
    known = _options_by_code(option_set)
    return sum(code in known for code in profile.codes) / len(profile.codes)


@lru_cache(maxsize=64)
def _options_by_code(option_set: str) -> Mapping[str, str]:
    """The options of a set by every code, upper case, that is known to mean one."""
    common = _data("common_codes.yml").get(option_set, {})
    return {str(code).upper(): str(option) for code, option in common.items()} | {
        str(option).upper(): str(option) for option in load_option_sets()[option_set]
    }


def _of_grades(profile: ColumnProfile, grades: Sequence[str]) -> float:
    """Share of a column's codes that are known as one of these grades, 0 to 1."""
    known = _options_by_code("grade_level")
    return sum(known.get(code) in grades for code in profile.codes) / max(len(profile.codes), 1)


def propose(
    profiles: Sequence[ColumnProfile], feeds: Mapping[str, FeedContract] | None = None
) -> list[Proposal]:
    """Rank the feeds that a file may fill, best first."""
    contracts = feeds or load_contracts()
    ranked = [_fit(profiles, contract) for contract in contracts.values()]
    return sorted(ranked, key=lambda proposal: (-proposal.confidence, proposal.feed))


def _fit(profiles: Sequence[ColumnProfile], contract: FeedContract) -> Proposal:
    columns = list(contract.columns)
    score = _scores(profiles, columns, _data("feeds.yml").get(contract.feed, {}).get("grades", []))
    rows, chosen = linear_sum_assignment(score, maximize=True)
    found = {
        columns[j].name: _guess(profiles[i], columns[j], float(score[i, j]))
        for i, j in zip(rows, chosen, strict=True)
        if score[i, j] > 0
    }
    used = {guess.source for guess in found.values()}
    return Proposal(
        contract.feed,
        _confidence(profiles, contract, found),
        tuple(found[column.name] for column in columns if column.name in found),
        tuple(column.name for column in columns if column.required and column.name not in found),
        tuple(profile.name for profile in profiles if profile.name not in used),
    )


def _scores(
    profiles: Sequence[ColumnProfile], columns: Sequence[Column], grades: Sequence[str]
) -> np.ndarray:
    """How well each source column (row) fits each canonical one (column), 0 to 1; 0 where it is not worth a word."""
    score = np.zeros((len(profiles), len(columns)))
    for i, profile in enumerate(profiles):
        for j, column in enumerate(columns):
            header = header_similarity(profile.name, column.name)
            if header < _LEAST_HEADER:
                continue
            if grades and column.name == "grade_level" and _of_grades(profile, grades) <= 0.5:
                continue
            fit = content_fit(profile, column)
            both = _HEADER_WEIGHT * header + (1 - _HEADER_WEIGHT) * fit
            score[i, j] = both if both >= (_LEAST if column.required else _LEAST_OPTIONAL) else 0.0
    return score


def _confidence(
    profiles: Sequence[ColumnProfile], contract: FeedContract, found: Mapping[str, ColumnGuess]
) -> float:
    """How sure the feed is, 0 to 1: required columns found, columns explained, headers with the feed's words.

    A feed that has such words and finds none is unlikely, and so is one without such words where there are several of
    another's, one of young children where no grade is theirs, and one that does not tell of people where they stand in
    the file. What may be the same in every row is often not in the file, so it counts for half.
    """
    weight = {c.name: 0.5 if _may_be_constant(c) else 1.0 for c in contract.columns if c.required}
    met = sum(weight[name] * found[name].confidence for name in weight if name in found)
    explained = len({guess.source for guess in found.values()}) / max(len(profiles), 1)
    known_by = _data("feeds.yml").get(contract.feed, {})
    marks = known_by.get("words", [])
    marked = _marked(profiles, marks) / max(len(profiles), 1)
    sure = 0.8 * met / max(sum(weight.values()), 1.0) + 0.2 * explained
    without_words = not marked if marks else _speaks_of_another(profiles)
    of_other_grades = "grades" in known_by and "grade_level" in weight and "grade_level" not in found
    people_left_out = not _tells_of_people(contract) and _holds_people(profiles)
    if without_words or of_other_grades or people_left_out:
        sure *= _UNLIKELY
    sure += _MARKED * min(1.0, 2 * marked)
    return round(min(sure, 1.0), 3)


def _marked(profiles: Sequence[ColumnProfile], marks: Sequence[str]) -> int:
    """How many headers have one of these words."""
    return sum(not set(marks).isdisjoint(words(profile.name).split()) for profile in profiles)


def _speaks_of_another(profiles: Sequence[ColumnProfile]) -> bool:
    return any(
        _marked(profiles, known_by.get("words", [])) >= _SEVERAL for known_by in _data("feeds.yml").values()
    )


def _tells_of_people(contract: FeedContract) -> bool:
    return any(column.name == "person_id" for column in contract.columns)


def _holds_people(profiles: Sequence[ColumnProfile]) -> bool:
    return any(header_similarity(p.name, name) >= _SURE_HEADER for p in profiles for name in _OF_PEOPLE)


def _may_be_constant(column: Column) -> bool:
    return column.type == "option" or column.name == "instrument_id"


def _guess(profile: ColumnProfile, column: Column, confidence: float) -> ColumnGuess:
    dates: tuple[str, ...] = ()
    codes: tuple[tuple[str, str | None], ...] = ()
    separator = ";"
    if column.type == "date":
        dates = tuple(profile.best_dates[:2])
    elif column.type in ("option", "option_list"):
        known = _options_by_code(str(column.options))
        separator = _separator(profile.codes, known) if column.type == "option_list" else ";"
        cells = {c.strip() for code in profile.codes for c in _cells(code, separator, column.type)}
        codes = tuple((code, known.get(code)) for code in sorted(cells - {""}))
    return ColumnGuess(column.name, profile.name, round(min(confidence, 1.0), 2), dates, codes, separator)


def _cells(code: str, separator: str, kind: str) -> list[str]:
    return code.split(separator) if kind == "option_list" else [code]


def _separator(codes: frozenset[str], known: Mapping[str, str]) -> str:
    """What stands between several codes in a cell: the separator by which the fewest are unknown."""

    def unknown(separator: str) -> int:
        return sum(any(c.strip() not in known for c in code.split(separator)) for code in codes)

    return min(_SEPARATORS, key=lambda separator: (unknown(separator), _SEPARATORS.index(separator)))
