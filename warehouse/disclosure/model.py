"""All tables as one system of cells and linear relations, with what is sensitive and what the public knows.

What belongs here: the protector's view, true values included. What does not: the attacker's (`attacker`), who builds
his own from what is published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import sparse

from warehouse.disclosure.describe import Description, DisclosureInputError
from warehouse.disclosure.linear import Programme
from warehouse.disclosure.policy import DisclosurePolicy, dominated, doubt, small_groups, telling_parts
from warehouse.disclosure.tables import Table

_NEAR = 1e-6
_FILL_SECONDS = 10.0
_TIE = 0.01  # an empty cell is not free: of two ways that hide as many people, the one with fewer cells


@dataclass(frozen=True)
class System:
    """Cells y with matrix @ y = matrix @ value; n cells, m relations, u units.

    Attributes:
        value: true values, shape (n,).
        lower: what everybody knows to be the least, shape (n,).
        upper: what everybody knows to be the most, infinite where nothing is known, shape (n,).
        known: cells that are public and cannot be withheld, shape (n,).
        latent: cells that are never printed (complements, slacks), shape (n,).
        sensitive: cells that must stay in doubt, shape (n,).
        down: doubt that must remain downward, shape (n,).
        up: doubt that must remain upward, shape (n,).
        unit: which cells are withheld together, -1 for latent ones, shape (n,).
        weight: people hidden with a unit, shape (u,).
        first: units that hold a sensitive cell, withheld in any case, shape (u,).
        matrix: relations, shape (m, n).
        names: what each cell is, in words.
    """

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    known: np.ndarray
    latent: np.ndarray
    sensitive: np.ndarray
    down: np.ndarray
    up: np.ndarray
    unit: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    matrix: sparse.csr_matrix
    names: list[str] = field(default_factory=list)

    def hidden_cells(self, hidden_units: np.ndarray) -> np.ndarray:
        """Cells that an attacker does not read off, shape (n,)."""
        printed = np.zeros(len(self.value), dtype=bool)
        has = self.unit >= 0
        printed[has] = ~hidden_units[self.unit[has]]
        return ~printed & ~self.known


@dataclass
class _Builder:
    """Cells and relations while they are gathered."""

    values: list[np.ndarray] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    size: int = 0
    rows: list[np.ndarray] = field(default_factory=list)
    columns: list[np.ndarray] = field(default_factory=list)
    signs: list[np.ndarray] = field(default_factory=list)
    relations: int = 0

    def add_cells(self, values: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Add cells; their numbers."""
        self.values.append(np.asarray(values, dtype=float))
        self.names.extend(names)
        self.size += len(values)
        return np.arange(self.size - len(values), self.size)

    def add_entries(self, rows: np.ndarray, columns: np.ndarray, sign: float) -> None:
        """Add coefficients to relations by their numbers."""
        self.rows.append(rows)
        self.columns.append(columns)
        self.signs.append(np.full(len(rows), sign))

    def new_relations(self, count: int) -> np.ndarray:
        """Numbers for further relations."""
        self.relations += count
        return np.arange(self.relations - count, self.relations)

    def matrix(self) -> sparse.csr_matrix:
        """All relations, shape (relations, cells)."""
        if not self.rows:
            return sparse.csr_matrix((0, self.size))
        entries = (np.concatenate(self.signs), (np.concatenate(self.rows), np.concatenate(self.columns)))
        return sparse.csr_matrix(entries, shape=(self.relations, self.size))


def long_cells(tables: Sequence[Table], dimensions: Sequence[str]) -> pd.DataFrame:
    """One row a printed number: its dimensions, measure, value, where it stands, and how it is withheld."""
    parts = []
    for number, table in enumerate(tables):
        keys = pd.DataFrame(table.keys, columns=list(dimensions), dtype=str)
        for measure in table.about.counts:
            part = keys.copy()
            part["measure"] = measure
            part["value"] = table.values[measure]
            part["table"], part["row"] = number, np.arange(len(keys))
            part["by_row"] = table.about.hide == "row"
            part["public"] = measure in table.about.public
            part["earlier"] = table.about.earlier
            part["changed_by"] = table.about.changed_by
            part["whole"] = table.about.numerators.get(measure, "")
            parts.append(part)
    return pd.concat(parts, ignore_index=True)


def build_system(
    tables: Sequence[Table], description: Description, dimensions: Sequence[str], policy: DisclosurePolicy
) -> tuple[System, pd.DataFrame]:
    """Join tables to one system.

    Args:
        tables: with true values; earlier releases as they were published.
        description: how they hang together.
        dimensions: all dimensions, in the order of the tables' keys.
        policy: what is sensitive.

    Returns:
        The system, and the printed numbers (as `long_cells`) with the column `cell`, its number in the system.

    Raises:
        DisclosureInputError: a value is withheld already, a cell has two values, or parts do not add up.
    """
    printed = long_cells(tables, dimensions)
    restated = printed["changed_by"] > 0
    long, editions = printed[~restated].reset_index(drop=True), printed[restated]
    _refuse_blanks(long, tables)
    named = [*dimensions, "measure"]
    long["cell"] = long.groupby(named, sort=False).ngroup()
    cells = long.groupby("cell", sort=True).agg(
        {**dict.fromkeys(named, "first"), "by_row": "any", "public": "any", "whole": "max", "table": "first", "row": "first",
         "value": "min"}
    )  # fmt: skip
    _refuse_contradictions(long, cells, tables)
    shown_before = long[long["earlier"] & long["value"].notna()]["cell"].unique()
    known = cells["public"].to_numpy().copy()
    known[shown_before] = True
    only_before = ~cells.index.isin(long[~long["earlier"]]["cell"].unique())
    build = _Builder()
    label = cells[named].apply(lambda row: ", ".join(f"{n}={v}" for n, v in row.items()), axis=1)
    build.add_cells(cells["value"].to_numpy(), label.tolist())
    for position, name in enumerate(dimensions):
        _relate_sums(build, cells, description, dimensions, position, name, tables)
    complements = _relate_parts(build, cells, dimensions)
    system = _finish(build, cells, known, only_before, complements, tables, policy, dimensions)
    if len(editions):
        system = _narrowed(system, long, editions, named)
    return system, long


def _refuse_blanks(long: pd.DataFrame, tables: Sequence[Table]) -> None:
    blank = long[long["value"].isna() & ~long["earlier"]]
    if len(blank):
        at = blank.iloc[0]
        raise DisclosureInputError(
            f"{tables[at['table']].name}: row {at['row'] + 2}: column {at['measure']}: withheld already; protecting "
            "needs the true number (a release that was published before is described with `earlier: true`)"
        )


def _refuse_contradictions(long: pd.DataFrame, cells: pd.DataFrame, tables: Sequence[Table]) -> None:
    far = long["value"] - long["cell"].map(cells["value"]) > _NEAR
    if far.any():
        at = long[far].iloc[0]
        hint = (
            "describe the earlier one with `changed_by`" if long["earlier"].any() else "correct one of them"
        )
        raise DisclosureInputError(
            f"{tables[at['table']].name}: row {at['row'] + 2}: column {at['measure']}: the same cell has another "
            f"value in another table; {hint}"
        )


def groupings(description: Description, name: str, held: Sequence[str]) -> list[tuple[str, list[str]]]:
    """For each total of a dimension, the parts that make it up; several groupings may make up one total."""
    dimension = description.dimension(name)
    if dimension.sums:
        return [(parent, group) for parent, groups in dimension.sums.items() for group in groups]
    parts = sorted(set(held) - {dimension.total})
    return [(dimension.total, parts)] if parts else []


def _relate_sums(
    build: _Builder,
    cells: pd.DataFrame,
    description: Description,
    dimensions: Sequence[str],
    position: int,
    name: str,
    tables: Sequence[Table],
) -> None:
    others = [other for other in dimensions if other != name] + ["measure"]
    context = cells.groupby(others, sort=False).ngroup().to_numpy()
    at = cells[name].to_numpy()
    dimension = description.dimension(name)
    for parent, parts in groupings(description, name, list(cells[name].unique())):
        whole = np.flatnonzero(at == parent)
        part = np.flatnonzero(np.isin(at, parts))
        row_of = pd.Series(np.arange(len(whole)), index=context[whole])
        rows = row_of.reindex(context[part]).to_numpy(dtype=float)
        part, rows = part[~np.isnan(rows)], rows[~np.isnan(rows)].astype(int)
        used = np.unique(rows)
        if not len(used):
            continue
        whole = whole[used]
        rows = np.searchsorted(used, rows)
        value = build.values[0]
        left = value[whole] - np.bincount(rows, weights=np.nan_to_num(value[part]), minlength=len(used))
        told = np.isnan(left) | (np.bincount(rows, weights=np.isnan(value[part]), minlength=len(used)) > 0)
        _refuse_wrong_sums(dimension.additive, dimension.complete, left, told, whole, cells, tables, name)
        numbers = build.new_relations(len(used))
        build.add_entries(numbers, whole, -1.0)
        build.add_entries(numbers[rows], part, 1.0)
        if not dimension.complete or not dimension.additive:
            sign = 1.0 if dimension.additive else -1.0
            slack = build.add_cells(
                np.where(told, np.nan, sign * left), [f"(others) {build.names[i]}" for i in whole]
            )
            build.add_entries(numbers, slack, sign)
        if not dimension.additive:
            numbers = build.new_relations(len(part))
            slack = build.add_cells(
                value[whole[rows]] - value[part], [f"(not) {build.names[i]}" for i in part]
            )
            build.add_entries(numbers, part, 1.0)
            build.add_entries(numbers, slack, 1.0)
            build.add_entries(numbers, whole[rows], -1.0)


def _refuse_wrong_sums(
    additive: bool,
    complete: bool,
    left: np.ndarray,
    unknown: np.ndarray,
    whole: np.ndarray,
    cells: pd.DataFrame,
    tables: Sequence[Table],
    name: str,
) -> None:
    if not additive:
        wrong = (left > _NEAR) & complete
        why = "the groups together are smaller than it; set `complete: false` if people may be in none"
    elif complete:
        wrong = np.abs(left) > _NEAR
        why = "its parts do not add up to it; set `complete: false` if people may be in none, `additive: false` if in several, or describe `sums`"
    else:
        wrong = left < -_NEAR
        why = "its parts are larger than it; set `additive: false` if groups overlap"
    wrong &= ~unknown
    if wrong.any():
        cell = cells.iloc[int(whole[np.flatnonzero(wrong)[0]])]
        raise DisclosureInputError(
            f"{tables[cell['table']].name}: row {cell['row'] + 2}: column {cell['measure']}: {name} "
            f"'{cell[name]}': {why}"
        )


def _relate_parts(
    build: _Builder, cells: pd.DataFrame, dimensions: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numerator + complement = denominator; returns the numbers of the three."""
    part = np.flatnonzero((cells["whole"] != "").to_numpy())
    if not len(part):
        none = np.array([], dtype=int)
        return none, none, none
    place = pd.Series(np.arange(len(cells)), index=pd.MultiIndex.from_frame(cells[[*dimensions, "measure"]]))
    wanted = cells.iloc[part][[*dimensions, "whole"]]
    whole = place.reindex(pd.MultiIndex.from_frame(wanted)).to_numpy()
    value = build.values[0]
    if (value[whole] - value[part] < -_NEAR).any():
        bad = int(part[np.flatnonzero(value[whole] - value[part] < -_NEAR)[0]])
        raise DisclosureInputError(
            f"{build.names[bad]}: a part is larger than its whole; correct the numbers"
        )
    rest = build.add_cells(value[whole] - value[part], [f"(not) {build.names[i]}" for i in part])
    numbers = build.new_relations(len(part))
    build.add_entries(numbers, part, 1.0)
    build.add_entries(numbers, rest, 1.0)
    build.add_entries(numbers, whole, -1.0)
    return part, rest, whole


def _finish(
    build: _Builder,
    cells: pd.DataFrame,
    known: np.ndarray,
    only_before: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    tables: Sequence[Table],
    policy: DisclosurePolicy,
    dimensions: Sequence[str],
) -> System:
    count, size = len(cells), build.size
    value = _filled(np.concatenate(build.values), build.matrix())
    latent = np.arange(size) >= count
    latent[:count] |= only_before & ~known
    sensitive, down, up = _sensitive(value, cells, parts, tables, policy)
    sensitive[latent & (np.arange(size) < count)] = False
    sensitive[:count][known] = False
    unit = np.full(size, -1)
    key = (
        cells.groupby(list(dimensions), sort=False).ngroup().to_numpy()
        if len(dimensions)
        else np.zeros(count, int)
    )
    grouped = np.where(cells["by_row"].to_numpy(), key, count + np.arange(count))
    open_cells = ~latent[:count]
    _, unit[:count][open_cells] = np.unique(grouped[open_cells], return_inverse=True)
    units = int(unit.max(initial=-1)) + 1
    weight = np.zeros(units)
    np.maximum.at(weight, unit[:count][open_cells], value[:count][open_cells])
    first = np.zeros(units, dtype=bool)
    first[unit[np.flatnonzero(sensitive & (unit >= 0))]] = True
    part, rest, _ = parts
    first[unit[part[sensitive[rest] & (unit[part] >= 0)]]] = True
    full_known = np.zeros(size, dtype=bool)
    full_known[:count] = known
    return System(
        value, np.zeros(size), np.full(size, np.inf), full_known, latent, sensitive, down, up, unit,
        weight + _TIE, first, build.matrix(), build.names,
    )  # fmt: skip


def _filled(value: np.ndarray, matrix: sparse.csr_matrix) -> np.ndarray:
    """Cells that only an earlier release withheld have some value that fits everything else: any such will do."""
    unknown = np.isnan(value)
    if not unknown.any():
        return value
    zero = np.zeros(matrix.shape[0])
    low, high = np.where(unknown, 0, value), np.where(unknown, np.inf, value)
    whole = np.ones(len(value), dtype=bool) if (low == np.round(low)).all() else None
    point = Programme(matrix, zero, zero, low, high, integer=whole).minimise(_FILL_SECONDS)
    if point is None:
        raise DisclosureInputError(
            "an earlier release contradicts today's tables; describe it with `changed_by`, the most people by whom a "
            "cell may have changed since"
        )
    return np.where(unknown, np.round(point) if whole is not None else point, value)


def _narrowed(system: System, long: pd.DataFrame, earlier: pd.DataFrame, named: Sequence[str]) -> System:
    """Bounds that follow from an earlier edition, from which a cell has moved by a few people at most."""
    lower, upper = system.lower.copy(), system.upper.copy()
    both = earlier[earlier["value"].notna()].merge(
        long[[*named, "cell"]].drop_duplicates("cell"), on=list(named)
    )
    cells = both["cell"].to_numpy(dtype=int)
    np.maximum.at(lower, cells, (both["value"] - both["changed_by"]).to_numpy())
    np.minimum.at(upper, cells, (both["value"] + both["changed_by"]).to_numpy())
    return replace(system, lower=np.minimum(lower, system.value), upper=np.maximum(upper, system.value))


def _sensitive(
    value: np.ndarray,
    cells: pd.DataFrame,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    tables: Sequence[Table],
    policy: DisclosurePolicy,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sensitive cells and the doubt that must remain about each."""
    sensitive = np.zeros(len(value), dtype=bool)
    down, up = doubt(policy, value, policy.minimum_n)
    part, rest, whole = parts
    group = np.ones(len(cells), dtype=bool)
    group[part] = False
    group = np.flatnonzero(group)
    sensitive[group] = small_groups(policy, value[group])
    part_down, part_up = doubt(policy, value, policy.smallest_part)
    for both in (part, rest):
        # Zero and all are as telling as one and all but one: the doubt upward is what protects them.
        sensitive[both] = telling_parts(policy, value[part], value[whole]) & (
            value[both] < policy.smallest_part
        )
        sensitive[both] |= small_groups(policy, value[whole]) & (value[both] < policy.smallest_part)
        down[both], up[both] = part_down[both], part_up[both]
    up[part] = np.minimum(up[part], np.maximum(value[whole], 1))
    up[rest] = np.minimum(up[rest], np.maximum(value[whole], 1))
    for number, table in enumerate(tables):
        for measure, columns in table.about.largest.items():
            mine = np.flatnonzero(((cells["table"] == number) & (cells["measure"] == measure)).to_numpy())
            rows = cells["row"].to_numpy()[mine]
            held = [
                pd.to_numeric(table.frame[c], errors="coerce").fillna(0).to_numpy()[rows] for c in columns
            ]
            found = mine[dominated(policy, value[mine], held)]
            sensitive[found] = True
            share = np.maximum(policy.p_percent, 10) / 100 * value[found]
            down[found] = np.maximum(down[found], np.ceil(share))
            up[found] = np.maximum(up[found], np.ceil(share))
    return sensitive, down, up
