"""How much longer a night will take, going by the nights before it.

What belongs here: reading how long steps took. What does not: showing it (`orchestration.cli`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median

import dagster as dg

_NIGHTS = 5  # earlier nights that are looked at
_REST = 2.0  # seconds between two looks at the steps of this night


def usual_seconds(instance: dg.DagsterInstance, job_name: str) -> dict[str, float]:
    """Median seconds of each step in the last nights that went well; empty before the first of them."""
    went_well = dg.RunsFilter(job_name=job_name, statuses=[dg.DagsterRunStatus.SUCCESS])
    found: dict[str, list[float]] = {}
    for run in instance.get_runs(went_well, limit=_NIGHTS):
        for step in instance.get_run_step_stats(run.run_id):
            if step.start_time is not None and step.end_time is not None:
                found.setdefault(step.step_key, []).append(step.end_time - step.start_time)
    return {step: median(seconds) for step, seconds in found.items()}


def seconds_left(
    usual: Mapping[str, float], began: Mapping[str, float], ended: set[str], now: float
) -> float | None:
    """Seconds that a night usually takes from here; None where no earlier night says so.

    Args:
        usual: seconds by step.
        began: when the steps of this night began, as seconds since the epoch.
        ended: those of them that are over.
        now: the same clock.
    """
    if not usual:
        return None
    still = {step: seconds for step, seconds in usual.items() if step not in ended}
    return sum(max(seconds - (now - began.get(step, now)), 0.0) for step, seconds in still.items())


class Pace:
    """Looks at the steps of a run, seldom enough to cost nothing."""

    def __init__(self, instance: dg.DagsterInstance, job_name: str, run_id: str) -> None:
        self.instance, self.job_name, self.run_id = instance, job_name, run_id
        self._usual: dict[str, float] | None = None  # looked up only where somebody asks
        self._looked = float("-inf")
        self._began: dict[str, float] = {}
        self._ended: set[str] = set()

    def left(self) -> float | None:
        """Seconds that the night usually takes from here; None without an earlier night."""
        now = time.time()
        if self._usual is None:
            self._usual = usual_seconds(self.instance, self.job_name)
        if self._usual and now - self._looked >= _REST:
            steps = self.instance.get_run_step_stats(self.run_id)
            self._began = {s.step_key: s.start_time for s in steps if s.start_time is not None}
            self._ended = {s.step_key for s in steps if s.end_time is not None}
            self._looked = now
        return seconds_left(self._usual, self._began, self._ended, now)
