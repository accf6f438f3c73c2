"""What somebody tells of a release who is the only one of a withheld row, and so knows that row."""

from __future__ import annotations

import itertools
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from warehouse.release.attack import Attacker
from warehouse.release.doubts import attack_block
from warehouse.release.earlier import COUNTS, counted
from warehouse.release.protect import Policy, choose_suppressed
from warehouse.release.spec import CELL_KEYS, RATE

_POLICY = Policy(10, True, "here")
_STRANGER = Policy(10, True, "here", singletons=False)
_RACES, _GENDERS = ("asian", "two_or_more", "white"), ("female", "male")
_INNER = list(itertools.product(_RACES, _GENDERS))


def _rates(people: tuple[int, ...], met: tuple[int, ...]) -> pd.DataFrame:
    """True figures by race and gender (in the order of `_INNER`), with every total."""
    rows = []
    for race, gender in itertools.product(("all", *_RACES), ("all", *_GENDERS)):
        mine = [at for at, key in enumerate(_INNER) if race in ("all", key[0]) and gender in ("all", key[1])]
        n, k = sum(people[at] for at in mine), sum(met[at] for at in mine)
        if n:
            rows.append(("i", 2024, "here", "all", "federal7", race, gender, "all", n, 0, 0, n, k))
    return pd.DataFrame(rows, columns=[*CELL_KEYS, *COUNTS])


def _dark(rates: pd.DataFrame, hidden: set[tuple[str, str]]) -> pd.DataFrame:
    keys = zip(rates["race_group"], rates["gender_group"], strict=True)
    return rates.assign(is_suppressed=[key in hidden for key in keys], race=rates["race_group"])


def _told(frame: pd.DataFrame, policy: Policy) -> set[tuple[str, str]]:
    rows = frame.iloc[attack_block(frame, counted(frame), {}, policy).lost]
    return set(zip(rows["race_group"], rows["gender_group"], strict=True))


# The only Asian girl and the only boy of several races, each beside a companion; a shown total a race and a gender.
_LONE = _rates((1, 20, 22, 1, 40, 40), (1, 10, 11, 1, 20, 20))
_CROSS = {("asian", "female"), ("asian", "male"), ("two_or_more", "female"), ("two_or_more", "male")}


def test_the_only_one_of_a_row_tells_the_other_by_the_totals_that_they_share() -> None:
    """If not, a girl subtracts herself and reads how the only boy of another row fared."""
    frame = _dark(_LONE, _CROSS)
    assert _told(frame, _STRANGER) == set()
    assert _told(frame, _POLICY) == {("asian", "female"), ("two_or_more", "male")}
    verdict = attack_block(frame, counted(frame), {}, _POLICY)
    near = frame.iloc[verdict.near]
    assert len(near) and not near["is_suppressed"].any() and not len(verdict.before)


def test_a_third_withheld_row_keeps_them_apart() -> None:
    """If not, more is withheld than a lone person's knowledge asks for."""
    frame = _dark(_LONE, _CROSS | {("white", "female"), ("white", "male")})
    assert _told(frame, _POLICY) == set()


@pytest.mark.parametrize("seed", range(30))
def test_what_each_lone_person_excludes_is_what_trying_every_table_excludes(seed: int) -> None:
    """If not, a row that one person can work out passes, or a safe one is withheld for nothing."""
    rng = np.random.default_rng(seed)
    people = np.array([1, *rng.integers(1, 7, 4), 1])
    people = rng.permutation(people)
    rates = _rates(tuple(map(int, people)), tuple(map(int, people)))
    inner = {key for key in _INNER if rng.random() < 0.85}
    frame = _dark(rates, inner | {(race, "all") for race in _RACES if rng.random() < 0.3})
    policy = Policy(3, True, "here", smallest_part=0, lower=1, upper=1)
    dark = frame["is_suppressed"].to_numpy()
    tables = _every_table(frame, int(people.sum()))
    truth = frame["eligible_n"].to_numpy()
    wanted = _excluded(tables, truth, dark, False)
    for one in np.flatnonzero(dark & (truth == 1)):
        mine = np.array([_person(frame, other) == _person(frame, one) for other in range(len(frame))])
        wanted |= _excluded(tables[(tables[:, mine] == 1).all(axis=1)], truth, dark & ~mine, True)
    keys = list(zip(frame["race_group"], frame["gender_group"], strict=True))
    stranger = _told(frame, Policy(3, True, "here", smallest_part=0, lower=1, upper=1, singletons=False))
    if stranger:  # A release of which a stranger tells a row is stopped before anybody else tries it.
        assert stranger <= {keys[at] for at in np.flatnonzero(wanted)}
    else:
        assert _told(frame, policy) == {keys[at] for at in np.flatnonzero(wanted)}


def _every_table(frame: pd.DataFrame, total: int) -> np.ndarray:
    """Every table of whole numbers that shows what is shown, one column a row of the frame."""
    there = [
        key for key in _INNER if key in set(zip(frame["race_group"], frame["gender_group"], strict=True))
    ]
    names = frame[["race_group", "gender_group"]].to_numpy()
    member = np.array([[r in ("all", a) and g in ("all", b) for r, g in names] for a, b in there], dtype=int)
    shown, truth = ~frame["is_suppressed"].to_numpy(), frame["eligible_n"].to_numpy()
    bars = np.array(list(itertools.combinations(range(total + len(there) - 1), len(there) - 1)))
    edges = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), total + len(there) - 1)])
    tables = (np.diff(edges, axis=1) - 1) @ member
    return tables[(tables[:, shown] == truth[shown]).all(axis=1)]


def _person(frame: pd.DataFrame, at: int) -> tuple[str, str] | None:
    """Race and gender of the only one of a withheld row; None where it has more, or is shown."""
    row = frame.iloc[at]
    if row["eligible_n"] != 1 or not row["is_suppressed"]:
        return None
    inner = frame[
        (frame["race_group"] != "all") & (frame["gender_group"] != "all") & (frame["eligible_n"] == 1)
    ]
    for race, gender in zip(inner["race_group"], inner["gender_group"], strict=True):
        if row["race_group"] in ("all", race) and row["gender_group"] in ("all", gender):
            return race, gender
    return None


def _excluded(tables: np.ndarray, truth: np.ndarray, asked: np.ndarray, alone: bool) -> np.ndarray:
    """Small rows of which these tables say too much: to a lone person that there is nobody more."""
    small = asked & (truth > 0) & (truth < 3)
    if alone:
        return small & (tables.max(axis=0) == truth)
    return small & ((tables.min(axis=0) > truth - 1) | (tables.max(axis=0) < np.maximum(truth + 1, 3)))


def _protected(rates: pd.DataFrame, policy: Policy) -> set[tuple[str, str]]:
    with duckdb.connect() as con:
        con.register("given", rates)
        con.execute("create table rates as from given")
        con.execute("create table parent_of (organization_key varchar, parent_organization_key varchar)")
        attacker = Attacker(policy, threads=1)
        attacker.mark_shown(con, "rates")
        choose_suppressed(con, "rates", policy, attacker.withhold)
        return set(con.execute("select race_group, gender_group from suppressed_cell").fetchall())


def test_the_protector_withholds_one_more_against_a_lone_person() -> None:
    """If not, the attack stops the release night after night, and nobody can help it."""
    assert _protected(_LONE, _STRANGER) == _CROSS
    chosen = _protected(_LONE, _POLICY)
    assert chosen > _CROSS
    assert _told(_dark(_LONE, chosen), _POLICY) == set()


def test_a_release_in_which_a_lone_person_tells_another_is_stopped(tmp_path: Path) -> None:
    """If not, the files go out all the same."""
    (tmp_path / "tables").mkdir()
    shown = _dark(_LONE, _CROSS).drop(columns="race")
    shown.loc[shown["is_suppressed"], list(COUNTS)] = np.nan
    with duckdb.connect() as con:
        con.register("given", shown)
        con.execute(f"copy given to '{tmp_path}/tables/{RATE}.parquet'")
        con.register("truth", _LONE)
        con.execute("create table rates as from truth")
        for policy, lost in ((_STRANGER, 0), (_POLICY, 2)):
            alone, beside, near = Attacker(policy, threads=1).audit(con, tmp_path, "rates")
            assert (len(alone.added), len(beside.added), bool(near)) == (lost, lost, bool(lost))


def test_one_lone_person_asks_for_no_more() -> None:
    """If not, a row of one person, which tells nobody but himself, is taken for an exposure."""
    people = (1, 15, 22, 30, 40, 40)
    chosen = _protected(_rates(people, (1, 8, 11, 15, 20, 20)), _POLICY)
    assert chosen == _protected(_rates(people, (1, 8, 11, 15, 20, 20)), _STRANGER)
