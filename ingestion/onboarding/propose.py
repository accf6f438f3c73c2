"""Guessing which feed an unseen file fills, and which of its columns is which.

What belongs here: similarity of headers and fit of content, and the assignment that follows. What does not:
reading files (`ingestion.readers`) and writing the mapping (`write`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import linear_sum_assignment

from ingestion.contracts import Column, FeedContract, load_contracts, load_option_sets
from ingestion.onboarding.profile import ColumnProfile

_HERE = Path(__file__).parent
_HEADER_WEIGHT = 0.65
_LEAST = 0.45
CERTAIN = 0.75
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
    return yaml.safe_load((_HERE / name).read_text(encoding="utf-8"))


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
        best = max(best, 0.9 * overlap)
        alike = SequenceMatcher(None, folded, name)
        # Both are upper bounds of the ratio, and cheap.
        if 0.85 * alike.real_quick_ratio() > best and 0.85 * alike.quick_ratio() > best:
            best = max(best, 0.85 * alike.ratio())
    return best


def content_fit(profile: ColumnProfile, column: Column) -> float:
    """How well a column's values fit a canonical column's type, 0 to 1; one half where nothing is known."""
    if profile.filled == 0:
        return 0.3
    if column.type == "date":
        return max(profile.dates.values(), default=0.0)
    if column.type in ("integer", "decimal"):
        if not _within(profile.mean, column):
            return 0.0
        return profile.numeric if column.name != "school_year" else max(profile.numeric, 0.7)
    if column.type in ("option", "option_list"):
        return _known_share(profile, str(column.options))
    if column.name == "person_id":
        return 0.4 + 0.6 * profile.distinct if max(profile.dates.values(), default=0.0) < 0.9 else 0.1
    if column.name.endswith("_name"):
        return 0.8 * (1 - profile.numeric)
    return 0.5


def _within(mean: float | None, column: Column) -> bool:
    """Whether numbers lie within a column's bounds as a whole, where both are known; a year can stand as 2023-24."""
    if mean is None or column.name == "school_year":
        return True
    return (column.min is None or mean >= column.min) and (column.max is None or mean <= column.max)


def _known_share(profile: ColumnProfile, option_set: str) -> float:
    if not profile.codes:
        return 0.1
    known = {str(code).upper() for code in _data("common_codes.yml").get(option_set, {})}
    known |= {str(code).upper() for code in load_option_sets()[option_set]}
    return len(profile.codes & known) / len(profile.codes)


def propose(
    profiles: Sequence[ColumnProfile], feeds: Mapping[str, FeedContract] | None = None
) -> list[Proposal]:
    """Rank the feeds that a file may fill, best first."""
    contracts = feeds or load_contracts()
    ranked = [_fit(profiles, contract) for contract in contracts.values()]
    return sorted(ranked, key=lambda proposal: (-proposal.confidence, proposal.feed))


def _fit(profiles: Sequence[ColumnProfile], contract: FeedContract) -> Proposal:
    columns = list(contract.columns)
    score = np.zeros((len(profiles), len(columns)))
    for i, profile in enumerate(profiles):
        for j, column in enumerate(columns):
            header = header_similarity(profile.name, column.name)
            score[i, j] = _HEADER_WEIGHT * header + (1 - _HEADER_WEIGHT) * content_fit(profile, column)
            if header < 0.35:
                score[i, j] = 0.0
    rows, chosen = linear_sum_assignment(score, maximize=True)
    found: dict[str, ColumnGuess] = {}
    for i, j in zip(rows, chosen, strict=True):
        if score[i, j] >= _LEAST:
            found[columns[j].name] = _guess(profiles[i], columns[j], float(score[i, j]))
    required = [column.name for column in columns if column.required]
    missing = tuple(name for name in required if name not in found)
    met = sum(found[name].confidence for name in required if name in found) / max(len(required), 1)
    used = {guess.source for guess in found.values()}
    explained = len(used) / max(len(profiles), 1)
    return Proposal(
        contract.feed,
        round(0.8 * met + 0.2 * explained, 3),
        tuple(found[column.name] for column in columns if column.name in found),
        missing,
        tuple(profile.name for profile in profiles if profile.name not in used),
    )


def _guess(profile: ColumnProfile, column: Column, confidence: float) -> ColumnGuess:
    dates: tuple[str, ...] = ()
    codes: tuple[tuple[str, str | None], ...] = ()
    separator = ";"
    if column.type == "date":
        dates = tuple(profile.best_dates[:2])
    elif column.type in ("option", "option_list"):
        known = {str(k).upper(): str(v) for k, v in _data("common_codes.yml").get(column.options, {}).items()}
        known |= {str(code).upper(): str(code) for code in load_option_sets()[str(column.options)]}
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
