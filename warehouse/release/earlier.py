"""What the releases that are public already say of the rows of tonight's rate table.

What belongs here: reading them, row by row and sum by sum. What does not: what a reader makes of that (`doubts`), or
where tonight's figures come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from warehouse.disclosure.published import Block, make_block, race_of
from warehouse.duck import sql_literal
from warehouse.release.spec import CELL_KEYS, RATE

COUNTS = ("eligible_n", "excluded_n", "not_measured_n", "denominator_n", "numerator_n")
BLOCK = ["indicator_id", "cohort_year"]
_PARTS = list(CELL_KEYS[2:])


@dataclass(frozen=True)
class Statements:
    """Sums over rows of one block that earlier releases give, and that tonight's figures keep.

    A reader who takes tonight's figures to be what they were then is right about these. The others lead him astray.

    Attributes:
        statement: of each entry, shape (entries,).
        row: of each entry, as a position in the block, shape (entries,).
        factor: of each entry, shape (entries,).
        shown: whether that release shows the entry; the sum is over those that it does not, shape (entries,).
        value: of each sum, one a count (see `counted`), shape (statements, 4).
        equal: whether the sum is the value, else at least the value, shape (statements,).
    """

    statement: np.ndarray
    row: np.ndarray
    factor: np.ndarray
    shown: np.ndarray
    value: np.ndarray
    equal: np.ndarray

    def telling(self, dark: np.ndarray) -> Statements:
        """Those that say more than tonight's own sums do: over other rows than these, each once.

        Args:
            dark: whether a row is told neither tonight nor before, shape (rows,).
        """
        size, open_now = len(self.equal), dark[self.row]
        more = np.bincount(self.statement, weights=open_now & self.shown, minlength=size) > 0
        more &= np.bincount(self.statement, weights=open_now & ~self.shown, minlength=size) > 0
        chance = np.random.default_rng(0).random(len(dark))
        summed = open_now & ~self.shown
        weight = np.where(summed, self.factor * chance[self.row], 0.0)
        marks = np.round(np.bincount(self.statement, weights=weight, minlength=size), 9)
        kept = np.flatnonzero(more)
        _, first = np.unique(np.stack([marks[kept], self.equal[kept]], axis=1), axis=0, return_index=True)
        return self._only(kept[np.sort(first)])

    def _only(self, kept: np.ndarray) -> Statements:
        place = np.full(len(self.equal), -1)
        place[kept] = np.arange(len(kept))
        mine = place[self.statement] >= 0
        return Statements(
            place[self.statement[mine]], self.row[mine], self.factor[mine], self.shown[mine], self.value[kept],
            self.equal[kept],
        )  # fmt: skip

    def mark(self) -> bytes:
        """Bytes that change with what is said."""
        parts = (self.statement, self.row, self.factor, self.shown, self.value, self.equal)
        return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


def nothing_said() -> Statements:
    """No statement."""
    none = np.array([], dtype=np.int64)
    return Statements(none, none, none.astype(float), none > 0, np.zeros((0, 4)), none > 0)


def counted(rows: pd.DataFrame) -> np.ndarray:
    """Met, not met, excluded and not measured of each row, shape (rows, 4); not a number where withheld."""
    named = ("numerator_n", "denominator_n", "excluded_n", "not_measured_n")
    met, measured, excluded, missing = (rows[name].to_numpy(dtype=float) for name in named)
    return np.stack([met, measured - met, excluded, missing], axis=1)


class Earlier:
    """Releases that are public.

    Args:
        folders: of the releases, the first one first.
        community: the geography whose rows are totals.
    """

    def __init__(self, folders: Sequence[Path], community: str) -> None:
        files = (folder / "tables" / f"{RATE}.parquet" for folder in folders)
        self._files = [str(file) for file in files if file.is_file()]
        self._community = community
        self._editions: dict[tuple[str, int], list[pd.DataFrame]] | None = None

    def mark_shown(self, con: duckdb.DuckDBPyConnection, rates: str) -> None:
        """Make table `shown_before`: rows of `rates` that an earlier release shows; `known` with the figures of today."""
        keys, same = (
            " and ".join(f"p.{n} = r.{n}" for n in names) for names in (CELL_KEYS, (*CELL_KEYS, *COUNTS))
        )
        columns = ", ".join(f"r.{name}" for name in CELL_KEYS)
        earlier = f"(select * from {self._read()} where not is_suppressed)" if self._files else f"{rates}"
        con.execute(
            f"create or replace temp table shown_before as select {columns}, "
            f"exists (select 1 from {earlier} p where {same}) as known from {rates} r "
            f"where {bool(self._files)} and exists (select 1 from {earlier} p where {keys})"
        )

    def said(
        self, block: tuple[str, int], rows: pd.DataFrame, truth: np.ndarray, parents: Mapping[str, str]
    ) -> Statements:
        """What was said of the rows of a block.

        Args:
            block: indicator and cohort year.
            rows: of tonight; only their keys are looked at.
            truth: their true counts (see `counted`), shape (rows, 4).
            parents: organization -> the organization that it is part of.
        """
        if self._editions is None:
            self._editions = self._load()
        editions = self._editions.get(block, [])
        if not editions:
            return nothing_said()
        index = pd.MultiIndex.from_frame(rows[_PARTS].astype(str))
        whole = self._whole(rows, truth, parents)
        found = [self._edition(edition, index, truth, parents, whole) for edition in editions]
        shift = np.cumsum([0, *(len(one.equal) for one in found)])
        joined = [one.statement + by for one, by in zip(found, shift, strict=False)]
        row, factor, shown, value, equal = (
            np.concatenate([getattr(one, name) for one in found])
            for name in ("row", "factor", "shown", "value", "equal")
        )
        return Statements(np.concatenate(joined), row, factor, shown, value, equal)

    def _read(self) -> str:
        files = ", ".join(sql_literal(file) for file in self._files)
        return f"read_parquet([{files}], union_by_name = true, filename = true)"

    def _load(self) -> dict[tuple[str, int], list[pd.DataFrame]]:
        """Each block as often as it was published differently."""
        if not self._files:
            return {}
        columns = ", ".join((*CELL_KEYS, *COUNTS, "is_suppressed"))
        with duckdb.connect() as con:
            con.execute(
                "create temp table edition as select indicator_id, cohort_year, min(filename) as filename from ("
                f"select filename, indicator_id, cohort_year, bit_xor(hash({columns})) as mark "
                f"from {self._read()} group by all) group by indicator_id, cohort_year, mark"
            )
            rows = con.execute(
                f"select filename, {columns} from {self._read()} "
                f"semi join edition using (filename, indicator_id, cohort_year) order by filename, {', '.join(CELL_KEYS)}"
            ).df()
        found: dict[tuple[str, int], list[pd.DataFrame]] = {}
        for _, part in rows.groupby([*BLOCK, "filename"], sort=True):
            block = str(part[BLOCK[0]].iloc[0]), int(part[BLOCK[1]].iloc[0])
            found.setdefault(block, []).append(part)
        return found

    def _block(self, rows: pd.DataFrame, parents: Mapping[str, str]) -> Block:
        keys = [rows[name].to_numpy(dtype=str) for name in ("geography_id", "organization_key")]
        keys.append(race_of(rows["race_scheme"], rows["race_group"]))
        keys += [rows[name].to_numpy(dtype=str) for name in ("gender_group", "economic_group")]
        return make_block(keys, parents, self._community)

    def _whole(self, rows: pd.DataFrame, truth: np.ndarray, parents: Mapping[str, str]) -> np.ndarray:
        """Kinds of relations in which nobody is left out."""
        block = self._block(rows, parents)
        real = np.zeros((block.cells, 4))
        real[block.cell] = truth
        odd = (block.matrix() @ real != 0).any(axis=1)
        return np.setdiff1d(block.kind, [0, *block.kind[odd]])

    def _edition(
        self,
        then: pd.DataFrame,
        now: pd.MultiIndex,
        truth: np.ndarray,
        parents: Mapping[str, str],
        whole: np.ndarray,
    ) -> Statements:
        """Sums over what one edition of a block withholds."""
        block = self._block(then, parents)
        row = now.get_indexer(pd.MultiIndex.from_frame(then[_PARTS].astype(str)))
        seen, place = np.full((block.cells, 4), np.nan), np.full(block.cells, -1)
        shown = ~then["is_suppressed"].to_numpy(dtype=bool)
        seen[block.cell[shown]] = counted(then)[shown]
        place[block.cell[row >= 0]] = row[row >= 0]
        today = np.where(place[:, None] >= 0, truth[place], np.nan)
        dark = np.isnan(seen).any(axis=1)
        matrix = block.matrix()
        value = -(matrix @ np.where(dark[:, None], 0, seen))
        kept = matrix[:, dark] @ today[dark] - value
        equal = block.equal | np.isin(block.kind, whole)
        there = np.bincount(block.relation, weights=dark[block.entry], minlength=len(equal)) > 0
        holds = there & np.where(equal, (kept == 0).all(axis=1), (kept >= 0).all(axis=1))
        entry = holds[block.relation] & (place[block.entry] >= 0)
        number = np.cumsum(holds) - 1
        cell = block.entry[entry]
        return Statements(
            number[block.relation[entry]], place[cell], block.factor[entry], ~dark[cell], value[holds], equal[holds]
        )  # fmt: skip
