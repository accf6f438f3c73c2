"""The time that a night still takes is told from earlier nights, or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator

import dagster as dg
import pytest

from orchestration import progress
from orchestration.cli.run import usually
from orchestration.pace import Pace, seconds_left, usual_seconds


@dg.op
def first() -> None:
    time.sleep(0.2)


@dg.op
def second() -> None:
    progress.say("working")


@dg.job(executor_def=dg.in_process_executor)
def nightly() -> None:
    first()
    second()


class _Heard:
    def __init__(self) -> None:
        self.left: list[float | None] = []

    def at(self, message: str, left: float | None) -> None:
        self.left.append(left)

    def done(self, step: str, seconds: float) -> None:
        pass


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as held:
        yield held
    progress.listen(None)


def _night(instance: dg.DagsterInstance, run_id: str) -> list[float | None]:
    heard = _Heard()
    progress.listen(heard)
    progress.expect(Pace(instance, "nightly", run_id).left)
    assert nightly.execute_in_process(instance=instance, run_id=run_id).success
    return heard.left


def test_the_first_night_promises_nothing(instance: dg.DagsterInstance) -> None:
    """If not, an invented time is believed."""
    assert _night(instance, "00000000-0000-4000-8000-000000000001") == [None]


def test_a_later_night_goes_by_the_steps_that_are_still_to_come(instance: dg.DagsterInstance) -> None:
    """If not, the time told is the whole night's until its end."""
    _night(instance, "00000000-0000-4000-8000-000000000001")
    assert usual_seconds(instance, "nightly")["first"] >= 0.2
    (left,) = _night(instance, "00000000-0000-4000-8000-000000000002")
    assert left is not None and left < 0.2


def test_time_left_counts_down_and_never_below_nothing() -> None:
    """If not, a step that is slower than usual makes the rest look shorter than it is."""
    usual = {"a": 10.0, "b": 60.0, "c": 30.0}
    assert seconds_left({}, {}, set(), 0) is None
    assert seconds_left(usual, {}, set(), 100) == 100
    assert seconds_left(usual, {"a": 100, "b": 110}, {"a"}, 130) == 70
    assert seconds_left(usual, {"a": 100, "b": 110}, {"a"}, 500) == 30


def test_time_left_is_told_as_roughly_as_it_is_known() -> None:
    """If not, an estimate looks like a measurement, or a person has to divide."""
    assert usually(None) == "" and usually(0.2) == ""
    assert usually(42.4) == " (as earlier nights went, 42 s more)"
    assert usually(130) == " (as earlier nights went, 2 min more)"
    assert usually(9000) == " (as earlier nights went, 2.5 h more)"
