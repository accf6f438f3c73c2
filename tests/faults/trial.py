"""One trial: a copy of the community, a fault, what could be seen meanwhile, the next run, and what came of it."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from tests.faults import parts
from tests.faults.inject import Fault, strike
from tests.faults.state import State, look, visible_half

# Each trial is a process of its own, forked from one that has imported everything already.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.parts", "tests.faults.inject", "orchestration.night"])
# Seconds for a run that nothing disturbs; a machine that is busy with other work needs many times the usual minute.
_PATIENCE = 1_800
_NONE = Fault()


@dataclass
class Tally:
    """The row of a fault in the table; `notes` say what went wrong, by trial."""

    times: int = 0
    lost: int = 0
    doubled: int = 0
    half_visible: int = 0
    not_healed: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count a trial."""
        self.times += 1
        self.lost += bool(outcome.lost)
        self.doubled += bool(outcome.doubled)
        self.half_visible += outcome.half_visible is not None
        self.not_healed += not outcome.healed
        if not outcome.well:
            self.notes.append(str(outcome))

    def join(self, other: Tally) -> None:
        """Count another run's trials of the same fault."""
        self.times += other.times
        self.lost += other.lost
        self.doubled += other.doubled
        self.half_visible += other.half_visible
        self.not_healed += other.not_healed
        self.notes += other.notes


@dataclass(frozen=True)
class Outcome:
    """What a trial showed."""

    what: str
    lost: int
    doubled: int
    half_visible: str | None
    healed: bool
    differences: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Nothing lost, doubled or half visible, and the next run made it good."""
        return not self.lost and not self.doubled and self.half_visible is None and self.healed


@dataclass(frozen=True)
class Run:
    """How a run in a process of its own ended: code (negative: the signal), steps, openings, its words, seconds."""

    code: int
    steps: int
    opened: int
    said: str
    seconds: float


@dataclass(frozen=True)
class Scene:
    """A part of the night, ready to be tried: the community before it, and what an undisturbed run makes of it."""

    part: str
    before: Path
    known: State
    wanted: State
    quiet: Run
    moment: str = parts.NIGHTS["second"]

    def copy(self, work: Path) -> Path:
        """A copy to be spoiled; the community lies at the same place in every trial, as some files name it."""
        root = Path(mkdtemp(dir=work)) / "town"
        shutil.copytree(self.before, root, symlinks=True)
        return root


def run_part(
    root: Path,
    part: str,
    fault: Fault = _NONE,
    *,
    moment: str = parts.NIGHTS["second"],
    kill_after: float | None = None,
    whole_group: bool = True,
) -> Run:
    """Run a part in a process of its own, killing it after some seconds if asked."""
    report = root.parent / "report"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    # The server of forks keeps the environment that it was started with.
    ours = {name: value for name, value in os.environ.items() if name.startswith("THROUGHLINE_")}
    process = _FORKS.Process(target=_child, args=(root, part, fault, report, ours, moment))
    process.start()
    process.join(_PATIENCE if kill_after is None else kill_after)
    ended = "no report"
    if process.is_alive() and process.pid:
        ended = "killed as asked" if kill_after is not None else f"still at work after {_PATIENCE} s"
        _kill(process.pid, whole_group=whole_group)
    process.join()
    steps, opened, said = report.read_text().split("\n", 2) if report.is_file() else ("0", "0", ended)
    return Run(process.exitcode or 0, int(steps), int(opened), said, time.monotonic() - began)


def _child(root: Path, part: str, fault: Fault, report: Path, settings: dict[str, str], moment: str) -> None:
    os.environ.update(settings)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    parts.set_clock(moment)
    strike(root, parts.PARTS[part], fault, report)


def _kill(pid: int, *, whole_group: bool) -> None:
    try:
        os.killpg(pid, signal.SIGKILL) if whole_group else os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)  # it has not made its group yet


def judge(what: str, scene: Scene, root: Path, heal: str | None = None) -> Outcome:
    """Look at a spoiled community, run the part once more, undisturbed, and hold the result against what is wanted."""
    half = visible_half(root, [scene.known.release, scene.wanted.release])
    again = run_part(root, heal or scene.part, moment=scene.moment)
    found = look(root)
    missing = scene.wanted.deliveries - found.deliveries
    extra = found.deliveries - scene.wanted.deliveries
    told = tuple(_differences(scene, found))
    if again.code:
        told = (f"the next run failed: {again.said[:300]}", *told)
    lost = sum(missing.values()) + sum(1 for _, content in found.lake if content == "gone")
    return Outcome(what, lost, sum(extra.values()), half, not told, told)


def _differences(scene: Scene, found: State) -> list[str]:
    wanted = scene.wanted
    told = []
    for name in ("deliveries", "lake", "persons", "release", "dropped", "receipts"):
        if getattr(found, name) != getattr(wanted, name):
            told.append(f"{name}: {_told(getattr(wanted, name), getattr(found, name))}")
    moved = [r for r, key in scene.known.keys.items() if wanted.keys.get(r) == key != found.keys.get(r)]
    if moved:
        told.append(f"keys: {len(moved)} records have another key than an undisturbed run leaves them")
    return told


def _told(wanted: object, found: object) -> str:
    if isinstance(wanted, Counter) and isinstance(found, Counter):
        return f"without {list(wanted - found)[:2]}, with {list(found - wanted)[:2]}"
    if isinstance(wanted, frozenset) and isinstance(found, frozenset):
        return f"without {sorted(wanted - found)[:2]}, with {sorted(found - wanted)[:2]}"
    if isinstance(wanted, dict) and isinstance(found, dict):
        return f"differ: {sorted(k for k in {*wanted, *found} if wanted.get(k) != found.get(k))[:5]}"
    return f"{wanted} wanted, {found} found"


def try_once(scene: Scene, work: Path, fault: Fault, rng: random.Random | None = None) -> Outcome:
    """One trial of a fault armed in the process, or of a kill at a random moment where a generator is given."""
    root = scene.copy(work)
    try:
        if rng is None:
            run = run_part(root, scene.part, fault, moment=scene.moment)
            what = f"{scene.part}: {fault.kind} at {fault.at} (ended {run.code})"
        else:
            after, group = rng.uniform(0, scene.quiet.seconds), rng.random() < 0.5
            run_part(root, scene.part, moment=scene.moment, kill_after=after, whole_group=group)
            what = f"{scene.part}: killed after {after:.2f} s{' with its children' if group else ''}"
        return judge(what, scene, root)
    finally:
        shutil.rmtree(root.parent, ignore_errors=True)
