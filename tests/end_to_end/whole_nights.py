"""Whole nights of the sample community in any order, to the release, against one clean night over the final state.

A night takes a minute, so that a life of a community takes several: `make test-nights` runs it, not `make test`.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import duckdb
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.faults.trial import run_part
from warehouse.ledger import Ledger
from warehouse.release import find_release
from warehouse.release.spec import PublishedTable, published_tables
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import make_key_file

PEOPLE = 120
CHOICES = (
    "",
    "privacy: {minimum_n: 25}\n",
    "gateways: {cumulative: false, practical_margin: 0.05}\n",
    "reference_groups: {gender: all_others}\n",
    "linkage: {deterministic: false, t_auto: 0.99999999}\n",
)
_NIGHT = "2024-11-16T02:30:00+00:00"
_NOW = datetime.fromisoformat(_NIGHT)
# These tell of deliveries as they came and of releases as they were, which is another story in another order.
_HISTORY = {"mart_data_health", "mart_gateway_history", "pub_data_health_v1", "pub_gateway_history_v1"}
# Words that count the quarters in which something was released: a clean night was never released before.
_RELEASED = ("measured_by", "core_indicators_disaggregated_and_shared")
_WORDS = {"detail", "measured_detail"}
# Surrogates: two communities need not call a person or a household the same.
_SURROGATES = {"person_key", "household_key", "release_id"}


@lru_cache(maxsize=1)
def _sample() -> Path:
    """The invented people's community, with every file still to be dropped: the first night's and two later ones'."""
    from ingestion.sample import make_sample

    root = Path(tempfile.mkdtemp(prefix="throughline-sample-")) / "town"
    make_sample(root, people=PEOPLE)
    paths = CommunityPaths(root).ensure()
    make_key_file(paths)
    (root / "drops").mkdir()
    for partner in sorted(paths.landing.iterdir()):
        shutil.move(partner, root / "drops" / partner.name)
    for night in ("02", "03"):
        shutil.copytree(root / "nights" / night, root / "drops", dirs_exist_ok=True)
    return root


def _copy(work: Path) -> Path:
    root = Path(tempfile.mkdtemp(dir=work)) / "town"
    shutil.copytree(_sample(), root, symlinks=True)
    return root


def _configure(root: Path, choice: str) -> None:
    text = (_sample() / "community.yml").read_text(encoding="utf-8")
    (root / "community.yml").write_text(text + choice, encoding="utf-8")


def _drop(root: Path, name: str) -> None:
    target = root / "data" / "landing" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(root / "drops" / name, target)


def _night(root: Path) -> None:
    done = run_part(root, "night", moment=_NIGHT)
    assert done.code == 0, done.said


class WholeNights(RuleBasedStateMachine):
    """The partners of the sample send when the rules say so, each its files in order."""

    @initialize()
    def begin(self) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="throughline-whole-nights-"))
        self.root = _copy(self.work)
        drops = self.root / "drops"
        files = sorted(str(f.relative_to(drops)) for f in drops.rglob("*") if f.is_file())
        self.waiting: dict[str, list[str]] = {}
        for name in files:
            self.waiting.setdefault(name.split("/")[0], []).append(name)
        self.dropped: list[str] = []
        self.withdrawn: set[str] = set()
        self.configure("")

    @rule(seed=st.integers(0, 1_000), share=st.sampled_from([0.3, 0.7, 1.0]))
    def drop(self, seed: int, share: float) -> None:
        """Some of the partners send some of what they have, in turn."""
        rng = random.Random(seed)
        for partner in rng.sample(sorted(self.waiting), max(1, round(share * len(self.waiting)))):
            files = self.waiting[partner]
            for name in files[: rng.randint(1, max(1, len(files)))]:
                _drop(self.root, name)
                self.dropped.append(name)
                files.remove(name)

    @precondition(lambda self: self.dropped)
    @rule()
    def night(self) -> None:
        _night(self.root)

    @precondition(lambda self: self.dropped)
    @rule(seconds=st.floats(1, 60))
    def killed(self, seconds: float) -> None:
        """The machine dies at some moment of the night."""
        run_part(self.root, "night", moment=_NIGHT, kill_after=seconds)

    @rule(choice=st.sampled_from(CHOICES))
    def configure(self, choice: str) -> None:
        self.choice = choice
        _configure(self.root, choice)

    @precondition(lambda self: self.dropped)
    @rule(data=st.data())
    def withdraw_or_reinstate(self, data: st.DataObject) -> None:
        """Withdraw a file that was taken, or put a withdrawn one back."""
        taken = self._by_file("accepted", "withdrawn")
        if not taken:
            return
        name = data.draw(st.sampled_from(sorted(taken)))
        ledger = Ledger.open(CommunityPaths(self.root), Settings())
        for delivery_id in taken[name]:
            (ledger.reinstate if name in self.withdrawn else ledger.withdraw)(delivery_id, _NOW)
        self.withdrawn ^= {name}

    def _by_file(self, *statuses: str) -> dict[str, list[str]]:
        """Deliveries of each dropped file; without those that the gate holds, which only a person puts back."""
        ledger = Ledger.open(CommunityPaths(self.root), Settings())
        held = {hold.delivery_id for hold in ledger.holds()}
        names = {sha256((self.root / "drops" / name).read_bytes()).hexdigest(): name for name in self.dropped}
        found: dict[str, list[str]] = {}
        for row in ledger.delivery_rows():
            if row["status"] in statuses and row["delivery_id"] not in held:
                found.setdefault(names[row["sha256"]], []).append(row["delivery_id"])
        return found

    def teardown(self) -> None:
        if not hasattr(self, "work"):
            return
        try:
            if self.dropped:
                _night(self.root)
                self.holds()
        finally:
            shutil.rmtree(self.work)

    def holds(self) -> None:
        """The same tables, and no published figure that differs from that of one clean night."""
        clean = _copy(self.work)
        _configure(clean, self.choice)
        standing = self._by_file("accepted", "refused")
        for name in sorted(set(standing) - self.withdrawn):
            _drop(clean, name)
        _night(clean)
        assert differing_marts(self.root, clean) == []
        assert differing_figures(self.root, clean) == []


def differing_marts(one: Path, other: Path) -> list[str]:
    """Marts whose rows are not the same in both working databases; surrogates apart, floats to 1e-9."""
    with duckdb.connect() as con:
        for name, root in (("one", one), ("other", other)):
            file = CommunityPaths(root).warehouse
            con.execute(f"attach '{file}' as {name} (read_only)")
        columns = con.execute(
            "select table_name, list(column_name order by column_index), list(data_type order by column_index)"
            " from duckdb_columns() where database_name = 'one' and schema_name = 'marts' group by 1"
        ).fetchall()
        return [
            table
            for table, names, types in sorted(columns)
            if table not in _HISTORY
            and len({_hash(con, f"{side}.marts.{table}", names, types) for side in ("one", "other")}) > 1
        ]


def _hash(
    con: duckdb.DuckDBPyConnection, table: str, names: list[str], types: list[str]
) -> tuple[object, ...]:
    kept = [
        f'round("{name}", 9)' if kind == "DOUBLE" else _compared(name)
        for name, kind in zip(names, types, strict=True)
        if name not in _SURROGATES
    ]
    row = con.execute(f"select count(*), sum(hash({', '.join(kept)})::hugeint) from {table}").fetchone()
    assert row is not None
    return row


def _compared(name: str, of: str = "") -> str:
    """SQL of what is compared of a column: not the words that only a town with a history can say."""
    told, measure = _RELEASED
    kept = f'{of}"{name}"'
    return f"case when {of}{told} is distinct from '{measure}' then {kept} end" if name in _WORDS else kept


def differing_figures(one: Path, other: Path) -> list[str]:
    """Published tables in which a row is missing, or a value shown by both releases is not the same.

    Which companions are withheld depends on the releases before, so what only one of them shows is no difference.
    """
    releases = [find_release(CommunityPaths(root)).path / "tables" for root in (one, other)]
    return [
        table.name
        for table in published_tables()
        if table.name not in _HISTORY and _differs(table, *(r / f"{table.name}.parquet" for r in releases))
    ]


def _differs(table: PublishedTable, one: Path, other: Path) -> bool:
    values = [name for name in table.columns if name not in {*table.keys, *table.volatile}]
    unequal = [
        f"(a.{name} is not null and b.{name} is not null and "
        + (
            f"abs(a.{name} - b.{name}) > 1e-9"
            if table.columns[name].type == "double"
            else f"{_compared(name, 'a.')} <> {_compared(name, 'b.')}"
        )
        + ")"
        for name in values
    ]
    same_row = " and ".join(f"a.{key} is not distinct from b.{key}" for key in table.keys)
    missing = f"a.{table.keys[0]} is null or b.{table.keys[0]} is null"
    with duckdb.connect() as con:
        row = con.execute(
            f"select count(*) from '{one}' a full join '{other}' b on {same_row}"
            f" where {' or '.join([missing, *unequal])}"
        ).fetchone()
    assert row is not None
    return bool(row[0])


def test_any_order_gives_the_release_of_one_clean_night() -> None:
    """If not, what is published depends on when a partner sent, or on a night that was cut off."""
    lives = settings(
        max_examples=int(os.environ.get("WHOLE_NIGHTS", "10")),
        stateful_step_count=8,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(WholeNights, settings=lives)
