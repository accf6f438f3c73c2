"""A partner's bad delivery is set back for the rules that it breaks, and nothing else is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations import holding
from expectations.holding import Bench, broken_by_delivery, outdated, rule_print
from expectations.model import Rule, Suite, load_suites
from ingestion.contracts import load_contracts
from tests.expectations.broken import break_rules
from tests.expectations.rejected import columns_of
from warehouse import lake
from warehouse.ledger import Delivery, LakeFile, Ledger
from warehouse.settings import CommunityPaths, Settings

SUITES = {s.table.removeprefix("lake."): s for s in load_suites() if s.table.startswith("lake.")}
BLOCKING = {feed: [r for r in s.rules if r.severity == "block"] for feed, s in SUITES.items()}
FEED = "k12_enrollment"
RULE = next(rule for rule in BLOCKING[FEED] if rule.id.endswith("gender_in_option_set"))
_ROWS = 60
NOW = datetime(2024, 11, 15, tzinfo=UTC)
_SAMPLES: dict[str, Any] = {"date": date(2023, 9, 1), "double": 0.5, "boolean": True}


class Town:
    """A ledger and a lake with two partners: of each feed a released delivery of one and new ones of both."""

    def __init__(self, root: Path) -> None:
        self.paths = CommunityPaths(root).ensure()
        self.ledger = Ledger.open(self.paths, Settings())
        self.released: set[str] = set()

    def deliver(
        self,
        feed: str,
        partner: str,
        name: str,
        *,
        released: bool = False,
        mode: str = "full_snapshot",
        first: int = 0,
    ) -> str:
        """A delivery of rows that no rule has anything against, of people numbered from `first` on."""
        sequence, delivery_id = self.ledger.next_sequence(), f"{feed}-{partner}-{name}"
        rows = [_good_row(feed, partner, delivery_id, sequence, first + n) for n in range(_ROWS)]
        path = self.paths.lake / feed / partner / f"{delivery_id}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        file = LakeFile(
            feed,
            partner,
            delivery_id,
            sequence,
            "all",
            str(path.relative_to(self.paths.data)),
            len(rows),
            digest,
        )
        delivery = Delivery(
            delivery_id=delivery_id, delivery_seq=sequence, partner_id=partner, feed_id=feed, mapping=feed,
            mode=mode, file_name="f.csv", sha256=digest, size_bytes=1, received_at=NOW.replace(tzinfo=None),
            status="accepted", records_read=_ROWS, rows_in=_ROWS, rows_accepted=_ROWS, rows_quarantined=0, rows_refused=0,
            rows_not_applicable=0, findings=[], periods={"all": _ROWS}, fingerprint="f", is_finished=True,
        )  # fmt: skip
        self.ledger.record(delivery, [file])
        if released:
            self.released.add(delivery_id)
        return delivery_id

    def bench(self) -> Bench:
        return Bench(self.ledger, self.paths.temp / "holding.duckdb", self._fill, self.released)

    def in_force(self) -> set[str]:
        return set(self.ledger.current_deliveries())

    def _fill(self, con: duckdb.DuckDBPyConnection, files: Sequence[LakeFile]) -> None:
        lake.register(con, self.paths, files, [c.lake_spec() for c in load_contracts().values()])
        con.execute(
            "create schema config; create table config.community as select date '2024-11-15' as as_of_date"
        )


def _good_row(feed: str, partner: str, delivery_id: str, sequence: int, number: int) -> dict[str, Any]:
    sets = {r.with_["column"]: r.with_["value_set"][0] for r in SUITES[feed].rules if "value_set" in r.with_}
    columns = columns_of(f"lake.{feed}") or {}
    row: dict[str, Any] = {}
    for name, kind in columns.items():
        value = _SAMPLES.get(kind.lower(), f"{name}{number}")
        if kind.lower() in ("bigint", "integer"):
            value = 2023 if "year" in name else 1
        row[name] = sets.get(name, value)
    own = {"partner_id": partner, "delivery_id": delivery_id, "delivery_seq": sequence, "source_row": number}
    return row | own | {"source_person_key": f"{number:032x}", "issuer_id": partner}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path / "town")


def test_each_blocking_rule_of_each_feed_holds_the_delivery_that_breaks_it(town: Town) -> None:
    """If not, one partner's bad table keeps everybody's figures back, or what broke it is published."""
    bad, fallen_back = {}, set()
    good = {town.deliver(FEED, "b", "new")}
    for feed, rules in BLOCKING.items():
        fallen_back.add(town.deliver(feed, "a", "old", released=True))
        bad[town.deliver(feed, "a", "new")] = {rule.id for rule in rules}
        break_rules(town.paths, town.ledger, f"{feed}-a-new", rules)
    broken = broken_by_delivery(town.bench())
    assert {delivery: {rule.rule_id for rule in rules} for delivery, rules in broken.items()} == bad
    town.ledger.hold(broken, NOW)
    assert town.in_force() == good | fallen_back
    # Cut off here and run again: nothing else is found, and what was decided stays.
    assert broken_by_delivery(town.bench()) == {}
    assert {hold.delivery_id for hold in town.ledger.holds()} == set(bad)


@pytest.fixture
def held(town: Town) -> Town:
    """The town with one delivery held."""
    town.deliver(FEED, "a", "old", released=True)
    break_rules(town.paths, town.ledger, town.deliver(FEED, "a", "new"), [RULE])
    town.ledger.hold(broken_by_delivery(town.bench()), NOW)
    assert town.in_force() == {f"{FEED}-a-old"}
    assert [hold.delivery_id for hold in town.ledger.missed_holds()] == [f"{FEED}-a-new"]
    return town


def test_a_later_delivery_takes_the_place_of_the_last_good_one(held: Town) -> None:
    """If not, a partner that mends its file is held for ever."""
    held.deliver(FEED, "a", "mended")
    assert broken_by_delivery(held.bench()) == {}
    assert held.in_force() == {f"{FEED}-a-mended"}
    assert held.ledger.missed_holds() == []


def test_what_the_operator_puts_back_is_not_held_for_the_same_rules(held: Town) -> None:
    """If not, his word counts for a night; the gate still stops a release that breaks the rule."""
    held.ledger.reinstate(f"{FEED}-a-new", NOW)
    assert broken_by_delivery(held.bench()) == {}
    assert held.in_force() == {f"{FEED}-a-new"} and held.ledger.holds() == []
    # Another partner's bad file is not excused by it, nor this one's other faults.
    other = next(rule for rule in BLOCKING[FEED] if rule.id.endswith("disability_in_option_set"))
    break_rules(held.paths, held.ledger, held.deliver(FEED, "b", "new"), [other])
    assert set(broken_by_delivery(held.bench())) == {f"{FEED}-b-new"}


def test_a_changed_rule_has_its_deliveries_judged_again(held: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, what a wrong rule held stays away after the rule was mended."""
    assert outdated(held.ledger.holds()) == []
    wider = RULE.model_copy(
        update={"with_": {**RULE.with_, "value_set": [*RULE.with_["value_set"], "NoSuchCode"]}}
    )
    assert rule_print(wider) != rule_print(RULE)
    monkeypatch.setattr(holding, "load_suites", lambda *_: (_with(SUITES[FEED], wider),))
    chosen = outdated(held.ledger.holds())
    assert chosen == [f"{FEED}-a-new"]
    held.ledger.lift(chosen, NOW)
    assert broken_by_delivery(held.bench()) == {}
    assert held.in_force() == {f"{FEED}-a-new"}
    monkeypatch.undo()
    # Judged again by the rule as it was: lifting is no word of the operator.
    assert set(broken_by_delivery(held.bench())) == {f"{FEED}-a-new"}


def _with(suite: Suite, changed: Rule) -> Suite:
    return suite.model_copy(update={"rules": [changed if r.id == changed.id else r for r in suite.rules]})


def test_a_fault_that_no_new_delivery_explains_is_left_to_the_gate(town: Town) -> None:
    """If not, an innocent partner is set back for what the community as a whole has wrong."""
    break_rules(town.paths, town.ledger, town.deliver(FEED, "a", "old", released=True), [RULE])
    town.deliver(FEED, "b", "new")
    assert broken_by_delivery(town.bench()) == {}
    assert town.bench().failing([SUITES[FEED]], ()) == {RULE.id}


def test_an_earlier_new_delivery_that_is_as_bad_does_not_slip_in(town: Town) -> None:
    """If not, setting the last one back puts another bad one in force, and the gate stops everybody."""
    town.deliver(FEED, "a", "old", released=True)
    for name in ("first", "second"):
        break_rules(town.paths, town.ledger, town.deliver(FEED, "a", name), [RULE])
    town.ledger.hold(broken_by_delivery(town.bench()), NOW)
    assert town.in_force() == {f"{FEED}-a-old"}


def test_a_snapshot_of_other_people_is_held_until_somebody_looked(town: Town) -> None:
    """If not, a file of the wrong school, or under new numbers, takes the place of the right one."""
    town.deliver(FEED, "a", "old", released=True)
    town.deliver(FEED, "b", "old", released=True)
    other = town.deliver(FEED, "a", "new", first=1000)
    town.deliver(FEED, "b", "new", first=10)  # most stayed
    town.deliver(FEED, "c", "first")  # takes nobody's place
    broken = broken_by_delivery(town.bench())
    assert {delivery: [rule.rule_id for rule in rules] for delivery, rules in broken.items()} == {
        other: ["other_people_than_before"]
    }
    town.ledger.hold(broken, NOW)
    assert f"{FEED}-a-old" in town.in_force() and outdated(town.ledger.holds()) == []
    town.ledger.reinstate(other, NOW)
    assert broken_by_delivery(town.bench()) == {}


def test_a_community_that_knows_its_people_move_sets_the_limit(town: Town) -> None:
    """If not, a charter school that draws its pupils by lot every year is held every year."""
    town.deliver(FEED, "a", "old", released=True)
    town.deliver(FEED, "a", "new", first=1000)
    town.ledger.hold(broken_by_delivery(town.bench()), NOW)
    own = {"other_people_than_before": {"kept": 0.0}}
    assert outdated(town.ledger.holds()) == []
    assert outdated(town.ledger.holds(), own) == [f"{FEED}-a-new"]
    town.ledger.lift([f"{FEED}-a-new"], NOW)
    assert broken_by_delivery(replace(town.bench(), limits=own)) == {}


def test_increments_of_other_people_are_as_they_should_be(town: Town) -> None:
    """If not, each month's new pupils are held."""
    town.deliver(FEED, "a", "old", released=True, mode="increment")
    town.deliver(FEED, "a", "new", first=1000, mode="increment")
    assert broken_by_delivery(town.bench()) == {}
