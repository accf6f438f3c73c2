"""What somebody tells who is one of two or three of a withheld row: he knows of himself that he is in it, and no more.

Half of the doubt that a stranger has about any row is left to him: on the way from the true table to the farthest one, every
row that holds him falls from two or more to no less than one until the middle. Here every table of whole numbers is tried.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.warehouse.release.test_insider import _INNER, _dark, _every_table, _protected, _rates
from warehouse.release.protect import Policy

_POLICY = Policy(4, True, "here", smallest_part=0, lower=2, upper=2)
_FEW = (2, 3)


def _excluded(seed: int, policy: Policy) -> tuple[int, int]:
    """How many insiders of rows of few there are, and small withheld rows of which one excludes that there is one more."""
    people = np.random.default_rng(seed).permutation([2, *np.random.default_rng(seed).integers(1, 6, 5)])
    rates = _rates(tuple(map(int, people)), tuple(map(int, people)))
    frame = _dark(rates, _protected(rates, policy))
    tables, truth = _every_table(frame, int(people.sum())), frame["eligible_n"].to_numpy()
    dark, names = frame["is_suppressed"].to_numpy(), frame[["race_group", "gender_group"]].to_numpy()
    small, insiders, lost = dark & (truth > 0) & (truth < policy.minimum_n), 0, 0
    for race, gender in _INNER:
        holds = np.array([r in ("all", race) and g in ("all", gender) for r, g in names])
        own = (names == (race, gender)).all(axis=1)
        if not (dark & own & np.isin(truth, _FEW)).any():
            continue
        possible = tables[(tables[:, holds] >= 1).all(axis=1)]
        insiders += 1
        lost += int((possible.max(axis=0)[small] <= truth[small]).sum())
    return insiders, lost


@pytest.mark.parametrize("seed", range(12))
def test_one_of_two_or_three_tells_no_row(seed: int) -> None:
    """If he does, a pupil reads from the totals how many others there are in a small group, his own or another."""
    insiders, lost = _excluded(seed, _POLICY)
    assert insiders and not lost
    assert _excluded(seed, replace(_POLICY, complementary=False))[1]
