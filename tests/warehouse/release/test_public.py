"""What a reader tells who also knows how many people a group has."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from tests.warehouse.release.protected import withheld_races
from warehouse.community import load_community
from warehouse.release import ReleaseError
from warehouse.release.attack import Attacker
from warehouse.release.doubts import attack_block
from warehouse.release.earlier import COUNTS, counted
from warehouse.release.protect import Policy
from warehouse.release.public import PEOPLE, PublicCountsError, read_public_counts
from warehouse.release.spec import CELL_KEYS

_POLICY = Policy(10, True, "here")
_RACES = ("asian", "two_or_more", "white", "unknown")


def _rates(people: tuple[int, ...], met: tuple[int, ...]) -> pd.DataFrame:
    """True figures of one indicator and year by race, nobody excluded, and of all of them first."""
    rows = [("all", sum(people), sum(met)), *zip(_RACES, people, met, strict=True)]
    full = [("i", 2024, "here", "all", "federal7", race, "all", "all", n, 0, 0, n, k) for race, n, k in rows]
    return pd.DataFrame(full, columns=[*CELL_KEYS, *COUNTS])


def _lost(rates: pd.DataFrame, hidden: list[bool], people: list[float]) -> set[str]:
    frame = rates.assign(is_suppressed=hidden, race=rates["race_group"])
    frame[PEOPLE] = people
    return set(frame["race_group"].iloc[attack_block(frame, counted(frame), {}, _POLICY).lost])


def test_public_enrollment_narrows_who_met_it() -> None:
    """If not, enrollment that the state publishes turns a safe table into one that tells."""
    rates = _rates((5, 12, 40, 50), (1, 12, 20, 25))
    hidden, nothing = [False, True, True, False, False], [np.nan] * 5
    assert _lost(rates, hidden, nothing) == set()
    # Of 13 who met it, at most 12 are of several races: one of the five at least is among them.
    assert _lost(rates, hidden, [np.nan, 5, 12, np.nan, np.nan]) == {"asian"}
    # Whoever has a number that is not this one is led astray.
    assert _lost(rates, hidden, [np.nan, 6, 13, np.nan, np.nan]) == set()


@pytest.mark.parametrize("seed", range(12))
def test_what_public_sizes_exclude_is_what_trying_all_outcomes_excludes(seed: int) -> None:
    """If not, a group is published as protected of which anybody can work out how it fared."""
    rng = np.random.default_rng(seed)
    people = rng.integers(1, 16, 4)
    met = np.array([rng.integers(0, n + 1) for n in people])
    hidden = rng.random(4) < 0.7
    hidden[seed % 4] = True
    rates = _rates(tuple(map(int, people)), tuple(map(int, met)))
    found = _lost(rates, [False, *hidden.tolist()], [np.nan, *people.astype(float).tolist()])
    dark = np.flatnonzero(hidden)
    tries = np.array(
        [
            way
            for way in itertools.product(*(range(people[i] + 1) for i in dark))
            if sum(way) == met[dark].sum()
        ]
    ).reshape(-1, len(dark))
    wanted = set()
    for at, i in enumerate(dark):
        for value, possible in ((met[i], tries[:, at]), (people[i] - met[i], people[i] - tries[:, at])):
            far = min(_POLICY.smallest_part, people[i])
            if value < _POLICY.smallest_part and (possible.min() > 0 or possible.max() < far):
                wanted.add(_RACES[i])
    assert found == wanted


def test_the_protector_withholds_what_public_counts_ask_for(tmp_path: Path) -> None:
    """If not, the attack stops the release night after night, and nobody can help it."""
    file = tmp_path / "enrollment.csv"
    file.write_text(
        "indicator_id,cohort_year,race_group,people\ni,2024,asian,5\ni,2024,two_or_more,12\n",
        encoding="utf-8",
    )
    rates = _rates((5, 12, 40, 50), (1, 12, 20, 25))
    attacker = Attacker(_POLICY, threads=1, public=read_public_counts(file, "here"))
    assert withheld_races(rates, _POLICY, attacker) == {"asian", "two_or_more", "white"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("indicator_id,cohort_year,people,grade\ni,2024,5,3\n", "the columns grade are missing or unknown"),
        ("indicator_id,people\ni,5\n", "the columns cohort_year are missing or unknown"),
        ("indicator_id,cohort_year,people\ni,2024,few\n", "line 2, column people: 'few' is no whole number"),
    ],
)
def test_a_wrong_file_of_public_counts_is_told(tmp_path: Path, text: str, told: str) -> None:
    """If not, a typing error takes the numbers out of the attack and nobody knows."""
    file = tmp_path / "enrollment.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PublicCountsError, match=told):
        read_public_counts(file, "here")
    with pytest.raises(PublicCountsError, match="there is no"):
        read_public_counts(tmp_path / "none.csv", "here")


def test_a_community_with_a_wrong_file_publishes_nothing(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, the release is made as if nothing were public."""
    community = synthetic.make_community(tmp_path)
    text = (tmp_path / "community.yml").read_text(encoding="utf-8")
    text = text.replace("{minimum_n: 10}", "{minimum_n: 10, public_counts: enrollment.csv}")
    (tmp_path / "community.yml").write_text(text, encoding="utf-8")
    synthetic.make_marts(community.paths.warehouse)
    with pytest.raises(ReleaseError, match=r"enrollment\.csv.*Nothing is published"):
        synthetic.build(load_community(tmp_path))
