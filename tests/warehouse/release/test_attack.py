"""The attacker before a release, against exhaustive search on small tables and against weakened releases."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from types import ModuleType

import duckdb
import numpy as np
import pandas as pd
import pytest

from warehouse.disclosure.published import make_block, race_of
from warehouse.disclosure.reach import Doubts, Reach
from warehouse.release import ReleaseError, ReleaseReport, attack, crew, doubts, protect
from warehouse.release.doubts import attack_block, counted
from warehouse.release.protect import Policy
from warehouse.release.spec import CELL_KEYS
from warehouse.settings import CommunityPaths

Released = tuple[CommunityPaths, ReleaseReport]
_POLICY = Policy(10, True, "here")
_RACES, _GENDERS = ("asian", "black_or_african_american", "white"), ("female", "male")
_NAMES = list(itertools.product(("all", *_RACES), ("all", *_GENDERS)))


def _with_totals(inner: np.ndarray) -> np.ndarray:
    """Tables of 3 races by 2 genders, shape (tables, 6), with their totals in the order of `_NAMES`, (tables, 12)."""
    table = np.zeros((len(inner), 4, 3))
    table[:, 1:, 1:] = inner.reshape(-1, 3, 2)
    table[:, 0, 1:], table[:, 1:, 0] = table[:, 1:, 1:].sum(axis=1), table[:, 1:, 1:].sum(axis=2)
    table[:, 0, 0] = table[:, 1:, 0].sum(axis=1)
    return table.reshape(len(inner), 12)


def _every_table(total: int) -> np.ndarray:
    """Every table of whole numbers with this total, without any cleverness, shape (tables, 12)."""
    bars = np.array(list(itertools.combinations(range(total + 5), 5)))
    edges = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), total + 5)])
    return _with_totals(np.diff(edges, axis=1) - 1)


@pytest.mark.parametrize("seed", range(40))
def test_what_a_reader_can_exclude_is_what_trying_every_table_excludes(seed: int) -> None:
    """If not, a cell that anybody can work out is published as protected, or a safe one is withheld for nothing."""
    rng = np.random.default_rng(seed)
    truth = _with_totals(rng.multinomial(rng.integers(4, 12), rng.dirichlet(np.ones(6)))[None, :])[0]
    hidden = rng.random(12) < rng.choice([0.3, 0.5, 0.7])
    hidden[0] = False
    tables = _every_table(int(truth[0]))
    tables = tables[(tables[:, ~hidden] == truth[~hidden]).all(axis=1)]
    count = len(_NAMES)
    race, gender = (np.array(part) for part in zip(*_NAMES, strict=True))
    block = make_block(
        [np.full(count, "here"), np.full(count, "all"), race, gender, np.full(count, "all")], {}, "here"
    )
    dark = np.flatnonzero(hidden)
    targets = np.concatenate([truth[dark] + 1, np.maximum(truth[dark] - 1, 0)])
    asked = Doubts(
        np.tile(block.cell[dark], 2), np.ones((2 * len(dark), 1), dtype=bool), np.repeat([1.0, -1.0], len(dark)), targets
    )  # fmt: skip
    real, seen = np.zeros((count, 1)), np.zeros((count, 1))
    real[block.cell, 0], seen[block.cell, 0] = truth, np.where(hidden, np.nan, truth)
    lost = Reach(block, block.equal, seen, real).unmet(asked)
    possible = np.concatenate([tables[:, dark].max(axis=0), -tables[:, dark].min(axis=0)])
    wanted = possible < np.concatenate([targets[: len(dark)], -targets[len(dark) :]])
    assert lost.tolist() == wanted.tolist()


def _frame(rows: list[tuple[str, str, str, int, int, bool]]) -> pd.DataFrame:
    """Rows (organization, scheme, race, people, met, withheld) of one block."""
    columns = ["organization_key", "race_scheme", "race_group", "eligible_n", "numerator_n", "is_suppressed"]
    found = pd.DataFrame(rows, columns=columns)
    found["denominator_n"], found["excluded_n"], found["not_measured_n"] = found["eligible_n"], 0, 0
    found["geography_id"], found["economic_group"], found["gender_group"] = "here", "all", "all"
    return _named(found)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(race=race_of(rows["race_scheme"], rows["race_group"]))


def _told(frame: pd.DataFrame, parents: dict[str, str] | None = None) -> set[tuple[str, str]]:
    verdict = attack_block(frame, counted(frame), parents or {}, _POLICY)
    rows = frame.iloc[verdict.lost]
    return set(zip(rows["organization_key"], rows["race_group"], strict=True))


def test_a_lone_withheld_group_is_told() -> None:
    """If not, the simplest subtraction is not seen."""
    rows = [
        ("all", "federal7", "all", 100, 50, False),
        ("all", "federal7", "white", 60, 30, False),
        ("all", "federal7", "asian", 4, 1, True),
        ("all", "federal7", "two_or_more", 36, 19, False),
    ]
    assert _told(_frame(rows)) == {("all", "asian")}


def test_the_same_people_under_the_other_scheme_are_told() -> None:
    """If not, a group that one scheme hides is read in the other."""
    rows = [
        ("all", "federal7", "all", 100, 50, False),
        ("all", "federal7", "white", 60, 30, True),
        ("all", "federal7", "hispanic_or_latino", 9, 4, True),
        ("all", "federal7", "unknown", 31, 16, False),
        ("all", "alone_or_in_combination", "hispanic_or_latino", 9, 4, False),
    ]
    assert _told(_frame(rows)) == {("all", "hispanic_or_latino")}
    rows[-1] = (*rows[-1][:-1], True)
    assert _told(_frame(rows)) == set()


def test_what_an_earlier_release_shows_hides_nothing() -> None:
    """If not, a companion that was public last month is taken to protect somebody, and does not."""
    rows = [
        ("all", "federal7", "all", 100, 50, False),
        ("all", "federal7", "white", 40, 20, False),
        ("all", "federal7", "asian", 4, 1, True),
        ("all", "federal7", "two_or_more", 20, 9, True),
        ("all", "federal7", "unknown", 36, 20, False),
    ]
    frame = _frame(rows)
    assert _told(frame) == set()
    known = (frame["race_group"] == "two_or_more").to_numpy()
    beside = frame.assign(is_suppressed=frame["is_suppressed"] & ~known)
    near = attack_block(beside, counted(beside), {}, _POLICY).near
    assert beside["race_group"].iloc[near].tolist() == ["two_or_more"]  # the smallest, which helps nothing
    near = attack_block(beside.assign(fixed=known), counted(beside), {}, _POLICY).near
    assert beside["race_group"].iloc[near].tolist() == ["unknown"]

    cell = frame.drop(columns=["race", "is_suppressed"]).assign(
        indicator_id="i", cohort_year=2024, parent_key="all", hidden=frame["is_suppressed"], known=known, shown_once=known, id=range(5)
    )  # fmt: skip
    con = duckdb.connect()
    con.register("given", cell)
    con.execute("create table cell as from given")
    attacker = attack.Attacker(_POLICY, threads=1)
    assert attacker.withhold(con) == 1
    assert con.sql("select race_group from cell where hidden order by id").fetchall() == [
        ("asian",), ("two_or_more",), ("unknown",),
    ]  # fmt: skip
    assert attacker.withhold(con) == 0


def test_a_school_is_told_by_its_district_and_the_other_schools() -> None:
    """If not, the district less the other schools is the small one."""
    parents = {"s1": "d", "s2": "d", "s3": "d", "d": ""}
    rows = [
        ("all", "federal7", "all", 300, 150, False),
        ("d", "federal7", "all", 100, 50, False),
        ("s1", "federal7", "all", 5, 2, True),
        ("s2", "federal7", "all", 55, 28, False),
        ("s3", "federal7", "all", 40, 20, False),
    ]
    assert _told(_frame(rows), parents) == {("s1", "all")}
    rows[4] = (*rows[4][:-1], True)
    assert _told(_frame(rows), parents) == set()


@pytest.mark.parametrize("seed", range(12))
def test_reading_dark_places_as_one_changes_no_verdict(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, what is done to save time hides an exposure or makes one up."""
    rng = np.random.default_rng(seed)
    parents = {"d1": "", "d2": ""}
    counts: dict[tuple[str, str], np.ndarray] = {}
    for number in range(6):
        school, district = f"s{number}", f"d{1 + number % 2}"
        parents[school] = district
        for race in _RACES:
            people = rng.integers(1, 14)
            value = np.array([people, rng.integers(0, people + 1)])
            for key in itertools.product((school, district, "all"), (race, "all")):
                counts[key] = counts.get(key, np.zeros(2, dtype=int)) + value
    dark = {f"s{number}" for number in range(6) if rng.random() < 0.6}
    rows = []
    for (place, race), (people, met) in counts.items():
        small = people < 10 or met < 3 or people - met < 3
        withheld = small or place in dark or rng.random() < 0.2
        rows.append((place, "federal7", race, int(people), int(met), bool(withheld)))
    merged = _told(_frame(rows), parents)
    monkeypatch.setattr(doubts, "merged_places", lambda org, place, hidden, above, here: (org, place, above))
    apart = _told(_frame(rows), parents)
    assert bool(merged) == bool(apart)
    assert {pair for pair in merged if pair[0] not in dark} == {pair for pair in apart if pair[0] not in dark}


def test_the_audit_of_a_release_finds_nothing_told(release: Released) -> None:
    """If not, a release is public whose small groups can be computed."""
    found = json.loads((release[1].path / "audits" / "disclosure.json").read_text(encoding="utf-8"))
    assert found["attack"]["told"] == 0
    assert found["attack"]["doubts"] > 500
    assert found["policy"] == "default"


def test_without_companions_the_attacker_tells_groups_and_nothing_is_published(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, the last defence is a formality."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    monkeypatch.setattr(protect, "_companions", lambda con, policy: None)
    monkeypatch.setattr(attack.Attacker, "withhold", lambda self, con: 0)
    with pytest.raises(ReleaseError, match="can be told from what would be published"):
        synthetic.build(community)
    assert not list(community.paths.releases.glob("[!.]*"))


def test_showing_a_companion_again_is_caught(release: Released) -> None:
    """If not, a companion could be left out by mistake and nobody would know."""
    paths, report = release
    file = report.path / "tables" / "pub_indicator_rate_v1.parquet"
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        frame = con.execute(
            "select r.*, p.is_suppressed from marts.mart_indicator_rate r "
            f"join '{file}' p using ({', '.join(CELL_KEYS)}) "
            "where indicator_id = 'early_grade_reading' and cohort_year = 2024 order by all"
        ).df()
        frame = _named(frame)
        pairs = con.execute("select organization_key, parent_organization_key from core.dim_organization").fetchall()  # fmt: skip
    parents = {name: above or "" for name, above in pairs}
    policy = Policy(10, True, "riverbend")
    assert not len(attack_block(frame, counted(frame), parents, policy).lost)
    small = (frame["eligible_n"] < 10) | (frame["numerator_n"] < 3)
    small |= frame["denominator_n"] - frame["numerator_n"] < 3
    caught = 0
    for at in np.flatnonzero(frame["is_suppressed"] & ~small):
        weaker = frame.copy()
        weaker.loc[weaker.index[at], "is_suppressed"] = False
        caught += bool(len(attack_block(weaker, counted(weaker), parents, policy).lost))
    assert caught


def test_what_did_not_change_is_not_attacked_again(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, a correction of one indicator costs the attack on all."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    synthetic.build(community)
    seen: set[tuple[str, int]] = set()

    def counting(rows: pd.DataFrame, *others: object) -> doubts.Verdict:
        seen.add((rows["indicator_id"].iloc[0], int(rows["cohort_year"].iloc[0])))
        return attack_block(rows, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(crew, "attack_block", counting)
    synthetic.make_marts(community.paths.warehouse, shift=0.05)
    synthetic.build(community, run_id="run-2", fingerprint="inputs-2")
    assert seen == {("early_grade_reading", 2024)}


def test_blocks_attacked_side_by_side_give_the_same_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, what is withheld depends on the machine."""
    tasks = []
    for people in range(20, 60):
        told = [
            ("all", "federal7", "all", people, people // 2, False),
            ("all", "federal7", "asian", 4, 2, True),
        ]
        told += [("all", "federal7", "white", people - 4, people // 2 - 2, people % 2 == 0)]
        frame = _frame(told)
        tasks.append((frame, counted(frame), {}, _POLICY))
    alone = crew.Crew(1).verdicts(tasks)
    monkeypatch.setattr(crew, "_FEW_ROWS", 0)
    together = crew.Crew(2).verdicts(tasks)
    for one, other in zip(alone, together, strict=True):
        assert one.doubts == other.doubts and one.lost.tolist() == other.lost.tolist()
        assert one.near.tolist() == other.near.tolist()
    assert {len(one.lost) for one in alone} == {0, 1}
