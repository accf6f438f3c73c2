"""Whatever order drops, kills, withdrawals and changes of configuration come in, the end is that of one clean run.

A few short lives here; many and longer ones, and whole nights to the release, by `make test-nights`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import orm

from tests.faults.inject import Fault
from tests.faults.trial import run_part
from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, Town, enrollment_rows, new_town
from warehouse.community import Community
from warehouse.ledger import Delivery, Ledger
from warehouse.linkage import LinkageConfig, run_linkage

_MAPPING = f"{ENROLLMENT_MAPPING}delivery_mode: school_year_snapshot\n"
_PARTNERS = ("district", "neighbour")
# What `community.yml` says of linkage: with the second, next to nobody is one person by themselves.
_CHOICES = ("", "linkage: {deterministic: false, t_auto: 0.99999999}\n")


def _link(town: Town) -> None:
    deliveries = town.ledger.current_deliveries()
    run_linkage(town.community.paths, town.settings, LinkageConfig.of(town.community), deliveries, "test")


def _configure(town: Town, choice: str) -> None:
    (town.root / "community.yml").write_text(f"community_id: town\nname: Town\n{choice}")


def _lake(town: Town) -> list[tuple[object, ...]]:
    """Rows in force without surrogates."""
    columns = "* exclude (delivery_id, delivery_seq, source_person_key)"
    return sorted(town.rows(f"select {columns} from lake.k12_enrollment"), key=str)


def _people(town: Town) -> set[frozenset[tuple[object, ...]]]:
    """Records in force of one person together; the school is that of the file, so a record is known by it and its row."""
    with duckdb.connect() as con:
        crosswalk = town.community.paths.crosswalk / "crosswalk.parquet"
        keys = dict(con.execute(f"select source_person_key, person_key from '{crosswalk}'").fetchall())
    found = defaultdict(set)
    query = "select source_person_key, partner_id, school_id, source_row from lake.k12_enrollment"
    for key, *record in town.rows(query):
        found[keys[key]].add(tuple(record))
    return {frozenset(records) for records in found.values()}


class Nights(RuleBasedStateMachine):
    """A community of two districts with children in common; the second is described when the rules say so."""

    @initialize()
    def begin(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="throughline-nights-"))
        self.town = new_town(self.work)
        self.town.mapping(_MAPPING)
        self.files: list[tuple[str, str, str]] = []
        self.withdrawn: set[str] = set()
        self.described = {"district"}
        self.choice = _CHOICES[0]
        for partner in _PARTNERS:
            self.drop(partner, 3, 1, "2023-24")

    @rule(
        partner=st.sampled_from(_PARTNERS),
        count=st.integers(1, 4),
        first=st.integers(1, 4),
        year=st.sampled_from(["2022-23", "2023-24"]),
    )
    def drop(self, partner: str, count: int, first: int, year: str) -> None:
        """A file that comes later corrects the year of its district's earlier ones."""
        number = len(self.files)
        rows = enrollment_rows(count, first, year).replace("Oak", f"School{number}")
        file = (partner, f"enroll_{number:03}.csv", ENROLLMENT_HEADER + rows)
        self.files.append(file)
        self.town.drop(file[1], file[2], partner)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def drop_again(self, data: st.DataObject) -> None:
        """The same bytes come once more, under the name they had."""
        standing = [file for file in self.files if file[1] not in self.withdrawn]
        if standing:
            partner, name, content = data.draw(st.sampled_from(standing))
            self.town.drop(name, content, partner)

    @rule()
    def night(self) -> None:
        self.town.receive()

    @rule()
    def night_with_linkage(self) -> None:
        self.town.receive()
        if self.town.ledger.current_deliveries():
            _link(self.town)

    @rule(step=st.integers(1, 40))
    def killed(self, step: int) -> None:
        """The machine dies before a writing step of the night."""
        run_part(self.town.root, "receive", Fault("kill", step), moment=self.town.moment.isoformat())

    @precondition(lambda self: "neighbour" not in self.described)
    @rule()
    def describe(self) -> None:
        self.town.mapping(_MAPPING, "neighbour")
        self.described.add("neighbour")

    @rule()
    def configure(self) -> None:
        """The other choice."""
        self.choice = _CHOICES[1 - _CHOICES.index(self.choice)]
        _configure(self.town, self.choice)

    @precondition(lambda self: self.files)
    @rule(data=st.data())
    def withdraw_or_reinstate(self, data: st.DataObject) -> None:
        """Withdraw a delivery that stands, or put a withdrawn one back."""
        names = {sha256(content.encode()).hexdigest(): name for _, name, content in self.files}
        taken = [
            row for row in self.town.ledger.delivery_rows() if row["status"] in ("accepted", "withdrawn")
        ]
        if not taken:
            return
        chosen = data.draw(st.sampled_from(sorted(taken, key=lambda row: names[row["sha256"]])))
        self.turn(names[chosen["sha256"]])

    def turn(self, name: str) -> None:
        """Withdraw the delivery of a file, or put it back."""
        content = next(content for _, known, content in self.files if known == name)
        sha256_of = sha256(content.encode()).hexdigest()
        row = next(row for row in self.town.ledger.delivery_rows() if row["sha256"] == sha256_of)
        act = self.town.ledger.reinstate if name in self.withdrawn else self.town.ledger.withdraw
        act(row["delivery_id"], self.town.moment)
        self.withdrawn ^= {name}

    def teardown(self) -> None:
        if not hasattr(self, "work"):
            return
        try:
            self.town.receive()
            self.holds()
        finally:
            shutil.rmtree(self.work)

    def holds(self) -> None:
        """The same as one clean run over what stands at the end."""
        clean = new_town(Path(tempfile.mkdtemp(dir=self.work)))
        _configure(clean, self.choice)
        for partner in sorted(self.described):
            clean.mapping(_MAPPING, partner)
        standing = [f for f in self.files if f[0] in self.described and f[1] not in self.withdrawn]
        for partner, name, content in standing:
            clean.drop(name, content, partner)
        clean.receive()
        assert _lake(self.town) == _lake(clean)
        if standing:
            _link(self.town)
            _link(clean)
            assert _people(self.town) == _people(clean)


TestNights = Nights.TestCase
TestNights.settings = settings(
    max_examples=3,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)


def forgetful_withdrawal(patch: pytest.MonkeyPatch) -> None:
    """A withdrawal that reaches no one."""

    def withdraw(self: Ledger, delivery_id: str, at: datetime) -> None:
        del self, delivery_id, at

    patch.setattr(Ledger, "withdraw", withdraw)


def stubborn_linkage(patch: pytest.MonkeyPatch) -> None:
    """Linkage that keeps the settings with which a community began."""
    first: dict[Path, LinkageConfig] = {}
    real = LinkageConfig.of

    def of(community: Community) -> LinkageConfig:
        return first.setdefault(community.paths.root, real(community))

    patch.setattr(LinkageConfig, "of", of)


def reinstated_last(patch: pytest.MonkeyPatch) -> None:
    """A delivery put back that counts as the latest, so that it undoes corrections made since."""
    real = Ledger.reinstate

    def reinstate(self: Ledger, delivery_id: str, at: datetime) -> None:
        real(self, delivery_id, at)
        number = self.next_sequence()
        with orm.Session(self._engine) as session, session.begin():
            session.execute(
                sa.update(Delivery).where(Delivery.delivery_id == delivery_id).values(delivery_seq=number)
            )

    patch.setattr(Ledger, "reinstate", reinstate)


def _withdrawal(life: Nights) -> None:
    life.night()
    life.turn("enroll_000.csv")


def _other_configuration(life: Nights) -> None:
    life.describe()
    life.night_with_linkage()
    life.configure()


def _reinstatement_after_a_correction(life: Nights) -> None:
    life.night()
    life.drop("district", 2, 1, "2023-24")
    life.night()
    life.turn("enroll_000.csv")
    life.turn("enroll_000.csv")


@pytest.mark.parametrize(
    ("plant", "live"),
    [
        (forgetful_withdrawal, _withdrawal),
        (stubborn_linkage, _other_configuration),
        (reinstated_last, _reinstatement_after_a_correction),
    ],
)
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    live: Callable[[Nights], None],
) -> None:
    """If not, lives that end well prove nothing."""
    plant(monkeypatch)
    life = Nights()
    life.begin()
    live(life)
    with pytest.raises(AssertionError):
        life.teardown()
