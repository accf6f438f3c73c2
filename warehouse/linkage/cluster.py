"""From links to people: connected components under the rule that a person is at most once in a clean source.

What belongs here: arrays in, cluster labels out. What does not: identifiers, databases, person keys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Clusters:
    """Result of `resolve`.

    Attributes:
        label: for each node, the smallest node of its cluster.
        kept: for each link, whether it holds a cluster together.
        tied: for each link, whether it lost to, or was given up with, a rival of equal weight.
    """

    label: Ints
    kept: Bools
    tied: Bools


def components(size: int, left: Ints, right: Ints) -> Ints:
    """For each of `size` nodes the smallest node that the links reach from it."""
    graph = coo_matrix((np.ones(len(left), dtype=np.int8), (left, right)), shape=(size, size))
    _, raw = connected_components(graph, directed=False)
    first = np.full(raw.max() + 1 if size else 0, size, dtype=np.int64)
    np.minimum.at(first, raw, np.arange(size))
    return first[raw]


def resolve(
    source: Ints,
    unique: Bools,
    left: Ints,
    right: Ints,
    weight: Floats,
    forced: Bools,
    apart: tuple[Ints, Ints],
    tie_margin: float,
) -> Clusters:
    """Cluster nodes so that no clean source is in a cluster twice and no forbidden pair is together.

    Components without a contradiction are taken whole. In the others, links between two clean sources are
    first thinned by maximum-weight assignment, then merged in falling weight while nothing is contradicted.

    Args:
        source: source of each node.
        unique: whether the node's source has a person at most once.
        left: one end of each link.
        right: the other end.
        weight: log2 match weight of each link.
        forced: links that a reviewer decided; they come first and are never weighed against others.
        apart: pairs that a reviewer decided not to be one person.
        tie_margin: difference of weights below which rivals are a tie.
    """
    size = len(source)
    label = components(size, left, right)
    bad = _contradicted(label, source, unique, apart)
    kept, tied = np.ones(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
    suspect = np.flatnonzero(bad[label[left]]) if len(left) else np.empty(0, dtype=np.int64)
    if not len(suspect):
        return Clusters(label, kept, tied)
    enemies = _neighbours(*apart)
    order = suspect[np.argsort(label[left[suspect]], kind="stable")]
    for links in np.split(order, np.flatnonzero(np.diff(label[left[order]])) + 1):
        keep, tie = _resolve_one(source, unique, left, right, weight, forced, enemies, links, tie_margin)
        kept[links], tied[links] = keep, tie
    return Clusters(components(size, left[kept], right[kept]), kept, tied)


def _contradicted(label: Ints, source: Ints, unique: Bools, apart: tuple[Ints, Ints]) -> Bools:
    """Which labels hold a clean source twice or a forbidden pair."""
    bad = np.zeros(len(label), dtype=bool)
    clean = np.flatnonzero(unique)
    if len(clean):
        pairs, count = np.unique(np.stack([label[clean], source[clean]]), axis=1, return_counts=True)
        bad[pairs[0][count > 1]] = True
    one, other = apart
    together = label[one] == label[other]
    bad[label[one[together]]] = True
    return bad


def _neighbours(one: Ints, other: Ints) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for a, b in zip(one.tolist(), other.tolist(), strict=True):
        found.setdefault(a, set()).add(b)
        found.setdefault(b, set()).add(a)
    return found


def _resolve_one(
    source: Ints,
    unique: Bools,
    left: Ints,
    right: Ints,
    weight: Floats,
    forced: Bools,
    enemies: dict[int, set[int]],
    links: Ints,
    tie_margin: float,
) -> tuple[Bools, Bools]:
    """Keep and tie flags of the links of one contradicted component; a handful of nodes."""
    keep, tie = np.zeros(len(links), dtype=bool), np.zeros(len(links), dtype=bool)
    chosen = _assigned(source, unique, left[links], right[links], weight[links], forced[links])
    rank = np.lexsort((right[links], left[links], -weight[links], ~chosen, ~forced[links]))
    group: dict[int, set[int]] = {}
    for position in rank.tolist():
        a, b = int(left[links[position]]), int(right[links[position]])
        one, other = group.setdefault(a, {a}), group.setdefault(b, {b})
        if one is other:
            keep[position] = True
            continue
        if forced[links[position]] or not _clash(one, other, source, unique, enemies):
            one |= other
            for node in other:
                group[node] = one
            keep[position] = True
    _give_up_ties(
        source, unique, left[links], right[links], weight[links], forced[links], keep, tie, tie_margin
    )
    return keep, tie


def _clash(one: set[int], other: set[int], source: Ints, unique: Bools, enemies: dict[int, set[int]]) -> bool:
    mine = {int(source[node]) for node in one if unique[node]}
    if any(unique[node] and int(source[node]) in mine for node in other):
        return True
    return any(enemies.get(node, set()) & other for node in one)


def _assigned(source: Ints, unique: Bools, left: Ints, right: Ints, weight: Floats, forced: Bools) -> Bools:
    """Links that survive one-to-one assignment of maximum total weight between each two clean sources."""
    chosen = np.ones(len(left), dtype=bool)
    swap = source[left] > source[right]
    one, other = np.where(swap, right, left), np.where(swap, left, right)
    clean = unique[one] & unique[other] & (source[one] != source[other]) & ~forced
    pairs = source[one] * (int(source.max()) + 1) + source[other]
    for pair in np.unique(pairs[clean]):
        here = np.flatnonzero(clean & (pairs == pair))
        rows, row = np.unique(one[here], return_inverse=True)
        columns, column = np.unique(other[here], return_inverse=True)
        if len(here) == max(len(rows), len(columns)) == min(len(rows), len(columns)):
            continue
        table = np.zeros((len(rows), len(columns)))
        table[row, column] = np.maximum(weight[here] + 100.0, 0.01)
        best_row, best_column = linear_sum_assignment(table, maximize=True)
        match = np.full(len(rows), -1)
        match[best_row] = best_column
        chosen[here] = match[row] == column
    return chosen


def _give_up_ties(
    source: Ints,
    unique: Bools,
    left: Ints,
    right: Ints,
    weight: Floats,
    forced: Bools,
    keep: Bools,
    tie: Bools,
    margin: float,
) -> None:
    """A dropped link as heavy as the kept rival at the same node takes that rival down: both are for review."""
    for lost in np.flatnonzero(~keep):
        for node, far in ((left[lost], right[lost]), (right[lost], left[lost])):
            at_node = keep & ~forced & ((left == node) | (right == node))
            rival_far = np.where(left == node, right, left)
            same_source = unique[rival_far] & unique[far] & (source[rival_far] == source[far])
            rivals = at_node & same_source & (np.abs(weight - weight[lost]) < margin)
            tie |= rivals
            tie[lost] |= bool(rivals.any())
    keep &= ~tie
