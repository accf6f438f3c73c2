"""What the only one of a withheld group tells of others from published tables: he knows his row, and that he is alone.

What belongs here: whose rows they are, and which withheld cells are known to their people exactly. What does not: what a
stranger tells (`attacker`), or how wide a stranger's doubt must be (`policy`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from warehouse.disclosure.attacker import Cell, Knowledge, attack

_NEAR = 1e-6


def told_to_lone(known: Knowledge, truth: pd.DataFrame, parts: Collection[str]) -> dict[Cell, str]:
    """Withheld sensitive cells that one lone person knows exactly, each with the name of a group that he is all of.

    First all of them are taken together, or all but the one whose row it is: what they cannot tell even so, none of them
    can. The rest is tried one by one.

    Args:
        known: what everybody reads.
        truth: value of each sensitive cell, by cell.
        parts: counts that are parts of others, such as numerators.
    """
    cells = dict(zip(known.index.values(), known.index, strict=True))
    asked = [at for at in known.withheld if cells[at] in truth.index]
    value = {at: float(truth["value"].to_numpy()[truth.index.get_loc(cells[at])]) for at in asked}
    people = _people(known, [at for at in asked if value[at] == 1 and cells[at][1] not in parts])
    rows = [{cells[at][2:] for at in own} for own in people]
    mine = [{at for at in asked if cells[at][2:] in keys} for keys in rows]
    everybody = set().union(*mine)
    suspects = _exact(known, value, everybody, [at for at in asked if at not in everybody])
    for row in mine:
        others = set().union(*(other for other in mine if other is not row))
        suspects |= _exact(known, value, others, sorted(row - others))
        suspects |= row & others
    found: dict[Cell, str] = {}
    for own, row in zip(people, mine, strict=True):
        tried = [at for at in asked if at not in row and at in suspects]
        for at in _exact(known, value, row, tried):
            found.setdefault(cells[at], known.names[own[0]])
    return found


def _people(known: Knowledge, ones: list[int]) -> list[list[int]]:
    """Cells of one, person by person: a group of one within a group of one is the same person."""
    if not ones:
        return []
    mine = sparse.csc_matrix(known.matrix)[:, ones]
    whole, part = mine.minimum(0), mine.maximum(0)
    _, label = connected_components(abs(whole).T @ part, directed=False)
    return [[ones[at] for at in np.flatnonzero(label == one)] for one in np.unique(label)]


def _exact(known: Knowledge, value: dict[int, float], mine: set[int], asked: list[int]) -> set[int]:
    """Which of the cells asked are known exactly to whoever knows these besides."""
    if not asked or not mine:
        return set()
    low, high = known.low.copy(), known.high.copy()
    for at in mine:
        low[at] = high[at] = value[at]
    spans = attack(replace(known, low=low, high=high, withheld=asked))
    return {at for at, span in zip(asked, spans, strict=True) if span.width < _NEAR}
