"""A small, seeded selection of the fault table, so that a change that breaks recovery is found before the long run."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.faults import FAULTS, Bench, Table
from tests.faults.inject import Fault
from tests.faults.scenes import prepare
from tests.faults.trial import Scene, run_part, try_once

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Two parts of a night of a hundred invented people."""
    work = tmp_path_factory.mktemp("faults")
    yield Bench(prepare(work, ["receive", "connect"], people=100), work, 2, random.Random(4))


@pytest.mark.parametrize(
    "name", ["kill-step", "kill-random", "disk-full", "file-limit", "vanish", "two-runs", "lake"]
)
def test_nothing_is_lost_doubled_or_half_visible(bench: Bench, name: str) -> None:
    """If not, a power cut or a full disk costs a partner's rows, or counts them twice."""
    table: Table = {}
    FAULTS[name](bench, table)
    assert table
    assert [note for tally in table.values() for note in tally.notes] == []


def test_a_fault_strikes_and_harm_is_seen(bench: Bench) -> None:
    """If not, the table's noughts say nothing."""
    scene: Scene = bench.scenes["receive"]
    root = scene.copy(bench.work)
    assert run_part(root, "receive", Fault("kill", 3)).code == -9
    assert run_part(root, "receive", Fault("full", 3)).code == 1
    other = Scene("receive", scene.before, scene.known, bench.scenes["connect"].known, scene.quiet)
    outcome = try_once(other, bench.work, Fault("kill", 3))
    assert not outcome.well
