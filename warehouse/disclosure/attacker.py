"""The attacker: from what is published alone, the least and the most that every withheld cell can be.

What belongs here: his own system, built anew from the published tables, and his reasoning. What does not: anything
that the protector knows (`model`, `suppress`); he is given no true value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from warehouse.disclosure.describe import Description, DisclosureInputError
from warehouse.disclosure.linear import Programme
from warehouse.disclosure.piece import Piece
from warehouse.disclosure.tables import Table

_NEAR = 1e-6
_ROUNDS = 60

Cell = tuple[str, ...]


@dataclass(frozen=True)
class Range:
    """What the attacker knows of one withheld cell."""

    cell: Cell
    name: str
    low: float
    high: float

    @property
    def width(self) -> float:
        """Most less least."""
        return self.high - self.low


@dataclass
class Knowledge:
    """Everything public as one system: `row_low <= matrix @ y <= row_high`, `low <= y <= high`.

    Attributes:
        index: cell -> column.
        low: least known value of each cell.
        high: most known value of each cell.
        withheld: columns of cells that are printed as withheld, in the order of the tables.
        places: file, row and column in which a cell stands first.
    """

    index: dict[Cell, int]
    names: list[str]
    low: np.ndarray
    high: np.ndarray
    matrix: sparse.csr_matrix
    row_low: np.ndarray
    row_high: np.ndarray
    withheld: list[int]
    integral: bool
    places: dict[int, str]


class _Facts:
    """Gathers cells and relations one published statement at a time."""

    def __init__(self, dimensions: Sequence[str]) -> None:
        self.dimensions = list(dimensions)
        self.index: dict[Cell, int] = {}
        self.low: list[float] = []
        self.high: list[float] = []
        self.entries: list[tuple[int, int, float]] = []
        self.row_low: list[float] = []
        self.row_high: list[float] = []
        self.withheld: list[int] = []
        self.places: dict[int, str] = {}

    def cell(self, key: Cell) -> int:
        if key not in self.index:
            self.index[key] = len(self.low)
            self.low.append(0.0)
            self.high.append(np.inf)
        return self.index[key]

    def between(self, key: Cell, low: float, high: float) -> None:
        at = self.cell(key)
        self.low[at], self.high[at] = max(self.low[at], low), min(self.high[at], high)

    def relate(self, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
        row = len(self.row_low)
        self.entries.extend((row, column, factor) for column, factor in terms)
        self.row_low.append(low)
        self.row_high.append(high)


def gather(tables: Sequence[Table], description: Description, dimensions: Sequence[str]) -> Knowledge:
    """Read the published tables as statements about cells."""
    facts = _Facts(dimensions)
    held: dict[str, set[str]] = defaultdict(set)
    integral = True
    for number, table in enumerate(tables):
        edition = str(number) if table.about.changed_by else ""
        for measure in table.about.counts:
            values = table.values[measure]
            integral &= bool(np.all(np.isnan(values) | (values == np.round(values))))
            for row, (key, value) in enumerate(zip(table.keys, values, strict=True)):
                cell = (edition, measure, *key)
                at = facts.cell(cell)
                facts.places.setdefault(at, f"{table.name}: row {row + 2}: column {measure}: ")
                if np.isnan(value):
                    facts.withheld.append(at)
                else:
                    facts.between(cell, value, value)
        for position, name in enumerate(dimensions):
            held[name] |= {key[position] for key in table.keys}
        _parts(facts, table, edition)
        _rates(facts, table, edition)
    for position, name in enumerate(dimensions):
        _sums(facts, description, name, position, held[name])
    _editions(facts, tables)
    return _knowledge(facts, integral)


def _parts(facts: _Facts, table: Table, edition: str) -> None:
    for part, whole in table.about.numerators.items():
        for key in table.keys:
            inner, outer = facts.cell((edition, part, *key)), facts.cell((edition, whole, *key))
            facts.relate([(outer, 1.0), (inner, -1.0)], 0.0, np.inf)


def _rates(facts: _Facts, table: Table, edition: str) -> None:
    """A rate that is still printed bounds its numerator by its denominator."""
    for column, rate in table.about.rates.items():
        scale = 100.0 if rate.percent else 1.0
        half = 0.5 * 10.0**-rate.decimals / scale
        for key, text in zip(table.keys, table.frame[column], strict=True):
            try:
                share = float(text) / scale
            except ValueError:
                continue
            above = facts.cell((edition, rate.numerator, *key))
            below = facts.cell((edition, rate.denominator, *key))
            facts.relate([(above, 1.0), (below, -(share + half))], -np.inf, _NEAR)
            facts.relate([(above, 1.0), (below, -(share - half))], -_NEAR, np.inf)


def _sums(facts: _Facts, description: Description, name: str, position: int, held: set[str]) -> None:
    dimension = description.dimension(name)
    sums = [(parent, group) for parent, groups in dimension.sums.items() for group in groups]
    if not dimension.sums:
        sums = [(dimension.total, sorted(held - {dimension.total}))]
    at = position + 2
    for parent, parts in sums:
        for cell in [key for key in facts.index if key[at] == parent]:
            found = [facts.index.get((*cell[:at], part, *cell[at + 1 :])) for part in parts]
            inner = [column for column in found if column is not None]
            if not inner:
                continue
            outer = facts.index[cell]
            terms = [(outer, -1.0), *[(column, 1.0) for column in inner]]
            low = 0.0 if dimension.complete else -np.inf
            facts.relate(terms, low, 0.0 if dimension.additive else np.inf)
            if not dimension.additive:
                for column in inner:
                    facts.relate([(outer, 1.0), (column, -1.0)], 0.0, np.inf)


def _editions(facts: _Facts, tables: Sequence[Table]) -> None:
    """A cell of an earlier edition differs from today's by so many people at most."""
    for number, table in enumerate(tables):
        for measure in table.about.counts if table.about.changed_by else []:
            for key in table.keys:
                now = facts.index.get(("", measure, *key))
                if now is not None:
                    then = facts.index[(str(number), measure, *key)]
                    facts.relate([(now, 1.0), (then, -1.0)], -table.about.changed_by, table.about.changed_by)


def _knowledge(facts: _Facts, integral: bool) -> Knowledge:
    rows, columns, factors = zip(*facts.entries, strict=True) if facts.entries else ((), (), ())
    shape = (len(facts.row_low), len(facts.low))
    names = [
        ", ".join(f"{n}={v}" for n, v in zip(facts.dimensions, key[2:], strict=True))
        + f", {key[1]}" + (" (earlier)" if key[0] else "")
        for key in facts.index
    ]  # fmt: skip
    low, high = np.array(facts.low), np.array(facts.high)
    withheld = [at for at in dict.fromkeys(facts.withheld) if low[at] < high[at]]
    return Knowledge(
        facts.index, names, low, high, sparse.csr_matrix((factors, (rows, columns)), shape=shape),
        np.array(facts.row_low), np.array(facts.row_high), withheld, integral, facts.places,
    )  # fmt: skip


def propagate(known: Knowledge) -> tuple[np.ndarray, np.ndarray]:
    """Bounds that follow relation by relation, rounded to whole numbers; (low, high)."""
    matrix = known.matrix.tocoo()
    low, high = known.low.copy(), known.high.copy()
    row, column, factor = matrix.row, matrix.col, matrix.data
    if not len(row):
        return low, high
    up = factor > 0
    for _ in range(_ROUNDS):
        least = np.where(up, factor * low[column], factor * high[column])
        most = np.where(up, factor * high[column], factor * low[column])
        rest_low = _others(row, least, len(known.row_low))
        rest_high = _others(row, most, len(known.row_low))
        top, bottom = known.row_high[row] - rest_low, known.row_low[row] - rest_high
        new_high, new_low = np.where(up, top, bottom) / factor, np.where(up, bottom, top) / factor
        better_low, better_high = low.copy(), high.copy()
        np.maximum.at(better_low, column, np.where(np.isnan(new_low), -np.inf, new_low))
        np.minimum.at(better_high, column, np.where(np.isnan(new_high), np.inf, new_high))
        if known.integral:
            better_low, better_high = np.ceil(better_low - _NEAR), np.floor(better_high + _NEAR)
        if np.array_equal(better_low, low) and np.array_equal(better_high, high):
            break
        low, high = better_low, better_high
        if (low > high + _NEAR).any():
            at = int(np.flatnonzero(low > high + _NEAR)[0])
            raise DisclosureInputError(
                f"{known.places.get(at, '')}{known.names[at]}: the tables contradict each other: no number fits; correct them or the description"
            )
    return low, high


def _others(row: np.ndarray, amount: np.ndarray, rows: int) -> np.ndarray:
    """For each entry the sum of the others of its row, infinite where one of them is."""
    endless = np.isinf(amount)
    finite = np.where(endless, 0, amount)
    total = np.bincount(row, weights=finite, minlength=rows)[row] - finite
    sign = np.bincount(row, weights=np.where(endless, np.sign(amount), 0), minlength=rows)[row]
    sign = sign - np.where(endless, np.sign(amount), 0)
    return np.where(sign > 0, np.inf, np.where(sign < 0, -np.inf, total))


def attack(known: Knowledge) -> list[Range]:
    """The exact range of every withheld cell, in whole numbers where all that is published is whole."""
    low, high = propagate(known)
    free = (high - low) > _NEAR
    matrix = known.matrix
    open_part = sparse.csr_matrix(abs(matrix) @ sparse.diags(free.astype(float)))
    open_part.eliminate_zeros()
    graph = sparse.bmat([[None, open_part], [open_part.T, None]], format="csr")
    _, label = connected_components(graph, directed=False)
    rows = matrix.shape[0]
    groups: dict[int, list[int]] = defaultdict(list)
    for at in known.withheld:
        if free[at]:
            groups[int(label[rows + at])].append(at)
    found = {at: (low[at], high[at]) for at in known.withheld}
    by_label_cell, by_label_row = label[rows:], label[:rows]
    order = np.argsort(by_label_cell, kind="stable")
    row_order = np.argsort(by_label_row, kind="stable")
    for wanted, targets in groups.items():
        first, last = np.searchsorted(by_label_cell[order], [wanted, wanted + 1])
        cells = order[first:last]
        first, last = np.searchsorted(by_label_row[row_order], [wanted, wanted + 1])
        mine = row_order[first:last]
        fixed = np.where(free, 0.0, low)
        shift = matrix[mine] @ fixed
        piece = Piece(
            sparse.csr_matrix(matrix[mine][:, cells]), known.row_low[mine] - shift, known.row_high[mine] - shift,
            low[cells], high[cells], known.integral,
        )  # fmt: skip
        place = np.searchsorted(cells, targets)
        for at, span in zip(targets, piece.ranges(place), strict=True):
            found[at] = span
    keys = list(known.index)
    return [Range(keys[at], known.names[at], found[at][0] + 0.0, found[at][1] + 0.0) for at in known.withheld]


def give_away(known: Knowledge, cell: Cell) -> tuple[str, ...]:
    """Published cells in the relations that bound a cell most tightly, by the prices of the linear programme."""
    shown = known.low == known.high
    programme = Programme(known.matrix, known.row_low, known.row_high, known.low, known.high)
    used: set[int] = set()
    for sign in (1.0, -1.0):
        programme.solver.setOptionValue("presolve", "off")
        programme.price(np.array([known.index[cell]]), np.array([sign]))
        if programme.minimise() is None:
            continue
        priced = np.flatnonzero(np.abs(programme.row_prices()) > _NEAR)
        used |= set(known.matrix[priced].indices.tolist())
    return tuple(known.names[i] for i in sorted(used) if shown[i])
