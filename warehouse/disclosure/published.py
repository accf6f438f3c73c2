"""The rate table as systems of cells and relations, one block an indicator and cohort year.

What belongs here: what any reader knows of how the rows of the published rate table hang together. What does not:
which of them are withheld, or what follows from that (`reach`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

_ALL = "all"
_HISPANIC = "hispanic_or_latino"
# Who is of one race alone, and not Hispanic, is in the same group under both federal standards.
_SAME = frozenset(
    {"american_indian_or_alaska_native", "asian", "black_or_african_american",
     "native_hawaiian_or_other_pacific_islander"}
)  # fmt: skip
_ANY, _NEW = "any:", "2024:"


@dataclass(frozen=True)
class Block:
    """Cells of one block and what is known of them: for each relation, the sum of factor times cell is nought, or nought or more.

    Several rows may be one cell: the same people under two race schemes.

    Attributes:
        cell: for each row of the table the cell that it prints, shape (rows,).
        cells: number of cells.
        relation: relation of each entry, shape (entries,).
        entry: cell of each entry, shape (entries,).
        factor: factor of each entry, shape (entries,).
        equal: whether the sum is nought, else nought or more, shape (relations,).
        kind: 0 for what holds by definition; relations of another kind may leave people out (who live nowhere, or go
            to no school), and whoever knows that nobody is left out reads them as equations, shape (relations,).
    """

    cell: np.ndarray
    cells: int
    relation: np.ndarray
    entry: np.ndarray
    factor: np.ndarray
    equal: np.ndarray
    kind: np.ndarray

    def matrix(self) -> sparse.csr_matrix:
        """Relations by cells, shape (relations, cells)."""
        return sparse.csr_matrix(
            (self.factor, (self.relation, self.entry)), shape=(len(self.equal), self.cells)
        )


def race_of(scheme: pd.Series, group: pd.Series) -> np.ndarray:
    """One name for a race group over all schemes: equal names are the same people, shape (rows,)."""
    any_race = (scheme == "alone_or_in_combination") & (group != _ALL)
    new = (scheme == "spd15_2024") & (group != _ALL) & ~group.isin(_SAME)
    named = group.where(~(any_race & (group != _HISPANIC)), _ANY + group)
    return named.where(~new, _NEW + group).to_numpy(dtype=str)


def merged_places(
    organization: np.ndarray,
    geography: np.ndarray,
    hidden: np.ndarray,
    parents: Mapping[str, str],
    community: str,
) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Read places of one block of which nothing is shown, under one and the same place, as one.

    Nothing is lost by that: whoever knows only their sum can give all of it to any of them. So whatever the sum can
    be, each can be, and each of several can be nought.

    Args:
        organization: of each row, shape (rows,).
        geography: of each row, shape (rows,).
        hidden: whether the row is withheld, shape (rows,).
        parents: organization -> the organization that it is part of.
        community: the geography whose rows are totals.

    Returns:
        Both with the names of merged places, and the parents of these too.
    """
    names, at = np.unique(organization, return_inverse=True)
    shown = np.bincount(at, weights=~hidden, minlength=len(names)) > 0
    dark = {str(name) for name, seen in zip(names, shown, strict=True) if not seen and name != _ALL}
    while True:
        lit = {
            parents[str(name)] for name in names if str(name) not in dark and parents.get(str(name)) in dark
        }
        if not lit:
            break
        dark -= lit
    known = dict(parents)

    def named(name: str) -> str:
        if name not in dark:
            return name
        above = parents.get(name) or ""
        merged = f"{named(above)}/~"
        known[merged] = named(above) if above else ""
        return merged

    one = np.array([named(str(name)) for name in names])
    places, at_place = np.unique(geography, return_inverse=True)
    seen = np.bincount(at_place, weights=~hidden, minlength=len(places)) > 0
    zips = np.where(seen | (places == community), places, "~")
    return one[at], zips[at_place], known


class _Index:
    """Finds cells by their keys, many at once."""

    def __init__(self, keys: Sequence[np.ndarray]) -> None:
        self._names: list[dict[str, int]] = []
        self._codes: list[np.ndarray] = []
        for values in keys:
            names, codes = np.unique(values, return_inverse=True)
            self._names.append({str(name): code for code, name in enumerate(names)})
            self._codes.append(codes)
        joined = self._joined(self._codes)
        self.unique, self.first, self.cell = np.unique(joined, return_index=True, return_inverse=True)

    def _joined(self, codes: list[np.ndarray]) -> np.ndarray:
        joined = np.zeros(len(codes[0]), dtype=np.int64)
        for names, code in zip(self._names, codes, strict=True):
            joined = joined * len(names) + code
        return joined

    def find(self, cells: np.ndarray, changes: Mapping[int, np.ndarray | str]) -> np.ndarray:
        """For each of the cells, the cell with some keys changed; -1 where there is none."""
        codes = [code[self.first[cells]] for code in self._codes]
        bad = np.zeros(len(cells), dtype=bool)
        for at, value in changes.items():
            wanted = np.full(len(cells), value) if isinstance(value, str) else value
            code = np.array([self._names[at].get(str(name), -1) for name in wanted], dtype=np.int64)
            bad |= code < 0
            codes[at] = np.where(code < 0, 0, code)
        joined = self._joined(codes)
        place = np.minimum(np.searchsorted(self.unique, joined), len(self.unique) - 1)
        return np.where(bad | (self.unique[place] != joined), -1, place)


class _Relations:
    """Entries of relations while they are gathered."""

    def __init__(self) -> None:
        self.relation: list[np.ndarray] = []
        self.entry: list[np.ndarray] = []
        self.factor: list[np.ndarray] = []
        self.equal: list[np.ndarray] = []
        self.kind: list[np.ndarray] = []
        self.count = 0

    def total(self, whole: np.ndarray, part: np.ndarray, kind: int = 0) -> None:
        """Parts make up their wholes (given pairwise); of another kind than 0, or are no more than them."""
        used, number = np.unique(whole, return_inverse=True)
        self._add(np.arange(len(used)), used, 1.0)
        self._add(number, part, -1.0)
        self._close(len(used), kind == 0, kind)

    def at_least(self, *terms: tuple[np.ndarray, float]) -> None:
        """A sum over cells that is nought or more; a cell of -1 is empty."""
        size = len(terms[0][0])
        for cells, factor in terms:
            there = cells >= 0
            self._add(np.flatnonzero(there), cells[there], factor)
        self._close(size, False, 0)

    def _add(self, relation: np.ndarray, entry: np.ndarray, factor: float) -> None:
        self.relation.append(relation + self.count)
        self.entry.append(entry)
        self.factor.append(np.full(len(entry), factor))

    def _close(self, count: int, equal: bool, kind: int) -> None:
        self.equal.append(np.full(count, equal))
        self.kind.append(np.full(count, kind))
        self.count += count


def make_block(keys: Sequence[np.ndarray], parents: Mapping[str, str], community: str) -> Block:
    """The cells and relations of one block.

    Args:
        keys: geography, organization, race (see `race_of`), gender and economic group, each of shape (rows,).
        parents: organization -> the organization that it is part of.
        community: geography whose rows are the totals of the geographies within it.
    """
    index = _Index(keys)
    count = len(index.unique)
    place, org, race, gender, economic = (values[index.first] for values in keys)
    found = _Relations()
    every = np.arange(count)

    def sums(members: np.ndarray, changes: Mapping[int, np.ndarray | str], kind: int = 0) -> None:
        part = every[members]
        whole = index.find(part, {at: v if isinstance(v, str) else v[members] for at, v in changes.items()})
        there = whole >= 0
        if there.any():
            found.total(whole[there], part[there], kind)

    old = np.array([not name.startswith((_ANY, _NEW)) for name in race])
    new = np.array([name.startswith(_NEW) or name in _SAME for name in race])
    sums(old & (race != _ALL), {2: _ALL})
    if np.char.startswith(race, _NEW).any():
        sums(new & (race != _ALL), {2: _ALL})
    sums(gender != _ALL, {3: _ALL})
    sums(economic != _ALL, {4: _ALL})
    sums((place != community) & (org == _ALL), {0: community}, kind=1)
    above = np.array([parents.get(name) or "" for name in org])
    sums((org != _ALL) & (above != ""), {1: above}, kind=2)
    sums((org != _ALL) & (above == ""), {1: _ALL}, kind=3)
    _overlaps(found, index, every, race)
    return Block(
        index.cell, count, np.concatenate(found.relation), np.concatenate(found.entry),
        np.concatenate(found.factor), np.concatenate(found.equal), np.concatenate(found.kind),
    )  # fmt: skip


def _overlaps(found: _Relations, index: _Index, every: np.ndarray, race: np.ndarray) -> None:
    """Alone or in combination: no fewer than alone, and no more than these, the several races and the Hispanics."""
    part = every[np.char.startswith(race, _ANY)]
    if not len(part):
        return
    single = np.array([name.removeprefix(_ANY) for name in race[part]])
    alone = np.where(single == "white", "", single)
    own = index.find(part, {2: alone})
    several, hispanic = index.find(part, {2: "two_or_more"}), index.find(part, {2: _HISPANIC})
    found.at_least((part, 1.0), (own, -1.0))
    home = np.where(single == "middle_eastern_or_north_african", "white", single)
    found.at_least((index.find(part, {2: home}), 1.0), (several, 1.0), (hispanic, 1.0), (part, -1.0))
    new = index.find(part, {2: np.array([_NEW + name for name in single])})
    if (new >= 0).any():
        found.at_least((part, 1.0), (new, -1.0))
