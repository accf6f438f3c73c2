"""What a reader of several releases can tell of the last one."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.warehouse.release.protected import withheld_races
from warehouse.release import ReleaseError, build, published_tables
from warehouse.release.attack import Attacker
from warehouse.release.earlier import Earlier
from warehouse.release.protect import Policy
from warehouse.release.spec import CELL_KEYS, RATE
from warehouse.release.tables import WORKING, PublishedSet

_POLICY = Policy(10, True, "here")
_RACES = ("asian", "two_or_more", "white", "unknown")


def _rates(people: tuple[int, ...]) -> pd.DataFrame:
    """True figures of one indicator and year: these people by race, half of whom met it, and all of them."""
    rows = [("i", 2024, "here", "all", "federal7", race, "all", "all", n, 0, 0, n, n // 2)
            for race, n in zip(_RACES, people, strict=True)]  # fmt: skip
    total = (*rows[0][:5], "all", "all", "all", sum(people), 0, 0, sum(people), sum(n // 2 for n in people))
    names = ["eligible_n", "excluded_n", "not_measured_n", "denominator_n", "numerator_n"]
    return pd.DataFrame([total, *rows], columns=[*CELL_KEYS, *names])


def _publish(folder: Path, rates: pd.DataFrame, hidden: set[str]) -> Path:
    """A release with these figures, those of some races withheld."""
    (folder / "tables").mkdir(parents=True)
    shown = rates.assign(is_suppressed=rates["race_group"].isin(hidden))
    shown.loc[shown["is_suppressed"], rates.columns[len(CELL_KEYS) :]] = np.nan
    with duckdb.connect() as con:
        con.register("given", shown)
        con.execute(f"copy given to '{folder}/tables/{RATE}.parquet'")
    return folder


def _hidden_next(rates: pd.DataFrame, earlier: list[Path]) -> set[str]:
    """Races that the protector withholds of these figures, with earlier releases public."""
    return withheld_races(rates, _POLICY, Attacker(_POLICY, earlier, threads=1))


def _told(folder: Path, rates: pd.DataFrame, earlier: list[Path]) -> tuple[int, int]:
    """Rows of a release that are told from it alone, and with the earlier ones."""
    with duckdb.connect() as con:
        con.register("given", rates)
        con.execute("create table rates as from given")
        alone, beside, _ = Attacker(_POLICY, earlier, threads=1).audit(con, folder, "rates")
    return len(alone.lost), len(beside.lost)


def test_a_sum_that_an_earlier_release_gives_is_told_beside_a_changed_companion(tmp_path: Path) -> None:
    """If not, last month's total less last month's groups, and a group shown today, give the small group away."""
    before, now = _rates((4, 20, 22, 50)), _rates((4, 20, 19, 50))
    first = _publish(tmp_path / "1", before, {"asian", "two_or_more"})
    assert _told(first, before, []) == (0, 0)
    # Fewer are white now, so they would be the smallest companion, and those of several races are shown.
    second = _publish(tmp_path / "2", now, {"asian", "white"})
    assert _told(second, now, []) == (0, 0)
    assert _told(second, now, [first]) == (0, 1)
    chosen = _hidden_next(now, [first])
    assert {"asian", "two_or_more"} <= chosen
    assert _told(_publish(tmp_path / "3", now, chosen), now, [first]) == (0, 0)


def test_a_sum_that_no_longer_holds_tells_nothing(tmp_path: Path) -> None:
    """If not, figures that changed are withheld for what nobody could work out."""
    before, now = _rates((4, 20, 22, 50)), _rates((5, 20, 19, 50))
    first = _publish(tmp_path / "1", before, {"asian", "two_or_more"})
    assert _told(_publish(tmp_path / "2", now, {"asian", "white"}), now, [first]) == (0, 0)


@pytest.mark.parametrize("seed", [2, 5, 8])
def test_no_release_of_a_row_of_many_adds_to_what_the_earlier_ones_tell(tmp_path: Path, seed: int) -> None:
    """If not, ten releases, each safe by itself, give a group away together."""
    rng = np.random.default_rng(seed)
    people = np.array([rng.integers(2, 9), *rng.integers(12, 15, 3)])
    earlier: list[Path] = []
    for night in range(5):
        people = np.maximum(people + rng.integers(-1, 2, 4) * (rng.random(4) < 0.5), 1)
        rates = _rates(tuple(int(n) for n in people))
        folder = _publish(tmp_path / str(night), rates, _hidden_next(rates, earlier))
        assert _told(folder, rates, earlier) == (0, 0), (night, people)
        earlier.append(folder)


def test_editions_are_read_once_each(tmp_path: Path) -> None:
    """If not, a hundred releases of which little changed take a hundred times as long."""
    rates = _rates((4, 20, 22, 50))
    folders = [_publish(tmp_path / str(n), rates, {"asian", "two_or_more"}) for n in range(4)]
    earlier = Earlier(folders, "here")
    truth = np.zeros((5, 4))
    assert len(earlier.said(("i", 2024), rates, truth, {}).equal) <= 1
    assert len(earlier._editions[("i", 2024)]) == 1


def test_what_a_release_adds_to_the_earlier_ones_stops_it(tmp_path: Path) -> None:
    """If not, the audit counts groups that are given away, and they are published all the same."""
    before, now = _rates((4, 20, 22, 50)), _rates((4, 20, 19, 50))
    first = _publish(tmp_path / "1", before, {"asian", "two_or_more"})
    second = _publish(tmp_path / "2", now, {"asian", "white"})
    rate = next(table for table in published_tables() if table.name == RATE)
    made = PublishedSet((rate,), None, {}, ())
    with duckdb.connect() as con:
        con.execute(f"attach ':memory:' as {WORKING}")
        con.execute(f"create schema {WORKING}.marts")
        con.register("given", now)
        con.execute(f"create table {WORKING}.{rate.source} as from given")
        with pytest.raises(
            ReleaseError, match="published together with earlier releases, so nothing is"
        ) as told:
            build._attacked(con, second, _POLICY, made, Attacker(_POLICY, [first], threads=1))
        assert "race_group two_or_more" in str(told.value)
        audit = build._attacked(con, first, _POLICY, made, Attacker(_POLICY, threads=1))
    assert audit["attack"]["told_with_earlier_releases"] == 0
