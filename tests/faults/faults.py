"""The faults, each a function that makes trials of it and adds them to its row of the table."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from tests.faults import parts
from tests.faults.inject import Fault
from tests.faults.state import State, look, visible_half
from tests.faults.trial import Outcome, Scene, Tally, judge, run_part, try_once
from tests.postgresql import Server, running_server
from warehouse.backup import back_up, restore
from warehouse.ledger import Ledger
from warehouse.release import find_release, list_releases
from warehouse.release.shelf import switch
from warehouse.settings import CommunityPaths, Settings


@dataclass(frozen=True)
class Bench:
    """Where trials are made: the scenes, a folder for copies, how often each fault, a generator, who watches."""

    scenes: dict[str, Scene]
    work: Path
    times: int
    rng: random.Random
    watch: Callable[[str, Outcome], None] = lambda _name, _outcome: None

    def parts(self) -> list[Scene]:
        """Every part once; 'connect' is made of two others."""
        return [scene for name, scene in self.scenes.items() if name != "connect"]

    def row(self, table: dict[str, Tally], name: str, outcome: Outcome) -> None:
        """Add a trial to a row."""
        table.setdefault(name, Tally()).add(outcome)
        self.watch(name, outcome)


Table = dict[str, Tally]


def killed_at_steps(bench: Bench, table: Table) -> None:
    """SIGKILL just before a writing step: every step where there are few, evenly chosen ones where there are many."""
    for scene in bench.parts():
        for step in _spread(scene.quiet.steps, bench.times):
            bench.row(
                table, f"killed at a step: {scene.part}", try_once(scene, bench.work, Fault("kill", step))
            )


def killed_any_time(bench: Bench, table: Table) -> None:
    """SIGKILL at random moments, of the process alone or with those that it started."""
    for scene in bench.parts():
        for _ in range(bench.times):
            bench.row(
                table, f"killed at random: {scene.part}", try_once(scene, bench.work, Fault(), bench.rng)
            )


def disk_full(bench: Bench, table: Table) -> None:
    """No space left from a writing step on, as Python's writes see it."""
    for scene in bench.parts():
        for step in _spread(scene.quiet.steps, bench.times):
            bench.row(
                table,
                f"disk full from a step on: {scene.part}",
                try_once(scene, bench.work, Fault("full", step)),
            )


def file_limit(bench: Bench, table: Table) -> None:
    """No file may grow beyond a size, which meets DuckDB's and dbt's own writes in their middle."""
    for scene in bench.parts():
        for power in _spread(22, min(bench.times, 22)):
            fault = Fault("size", 2**power * 3)
            bench.row(table, f"writes fail beyond a size: {scene.part}", try_once(scene, bench.work, fault))


def vanished(bench: Bench, table: Table) -> None:
    """The partner takes a file away, or goes on writing it, at the moment it is opened, and comes back with the whole file."""
    scene = bench.scenes["receive"]
    wanted = {frozenset[str](): scene.wanted, frozenset(_dropped(scene)): scene.wanted}
    for kind in ("vanish", "grow"):
        for opening in _spread(scene.quiet.opened, bench.times):
            root = scene.copy(bench.work)
            run_part(root, "receive", Fault(kind, opening))
            late = _not_taken(scene, root)
            if late not in wanted:
                wanted[late] = _with_some_late(scene, bench.work, late)
            _drop_again(scene, root, late)
            outcome = judge(f"{kind} at opening {opening}", replace(scene, wanted=wanted[late]), root)
            bench.row(table, f"dropped file: {kind}", outcome)
            shutil.rmtree(root.parent)


def _not_taken(scene: Scene, root: Path) -> frozenset[str]:
    """Dropped files that the run left for another day."""
    taken = {row["sha256"] for row in Ledger.open(CommunityPaths(root), Settings()).delivery_rows()}
    return frozenset(name for name, sha256 in _dropped(scene).items() if sha256 not in taken)


def _with_some_late(scene: Scene, work: Path, late: frozenset[str]) -> State:
    """What two undisturbed runs make of the files when some of them come with the second; order shows in the lake."""
    root = scene.copy(work)
    for name in late:
        (CommunityPaths(root).landing / name).unlink()
    runs = [run_part(root, scene.part)]
    _drop_again(scene, root, late)
    runs.append(run_part(root, scene.part))
    if any(run.code for run in runs):
        raise RuntimeError(f"an undisturbed {scene.part} failed: {[run.said for run in runs]}")
    found = look(root)
    shutil.rmtree(root.parent)
    return found


def read_only(bench: Bench, table: Table) -> None:
    """A folder may not be written, by a user without root's privileges."""
    folders = (
        "lake",
        "archive",
        "quarantine",
        "receipts",
        "vault",
        "landing/*",
        "tmp",
        "releases",
        "keys",
        ".",
    )
    for scene in (s for s in bench.parts() if s.part != "night"):
        for folder in folders[: max(bench.times, 2)]:
            root = scene.copy(bench.work)
            with _closed(root / "data", folder):
                said = _as_plain_user(root, scene)
                half = visible_half(root, [scene.known.release, scene.wanted.release])
            outcome = judge(f"{scene.part} with {folder} read-only: {said}", scene, root)
            bench.row(
                table,
                f"read-only folder: {scene.part}",
                replace(outcome, half_visible=half or outcome.half_visible),
            )
            shutil.rmtree(root.parent)


def clock_backwards(bench: Bench, table: Table) -> None:
    """The second night's clock is three days before the first night's; what came later still counts."""
    for scene in (s for name, s in bench.scenes.items() if name in ("receive", "link")):
        root = scene.copy(bench.work)
        run_part(root, scene.part, moment="2024-11-12T02:30:00+00:00")
        bench.row(table, f"clock backwards: {scene.part}", judge("three days back", scene, root))
        shutil.rmtree(root.parent)


def two_runs(bench: Bench, table: Table) -> None:
    """Two runs are started at once; one of them works, the other says that it does not."""
    for scene in bench.parts():
        for _ in range(min(bench.times, 5)):
            root = scene.copy(bench.work)
            beside = threading.Thread(target=run_part, args=(root, scene.part))
            beside.start()
            second = run_part(root, scene.part)
            beside.join()
            outcome = judge("two runs at once", scene, root)
            if second.code and "another run is at work" not in second.said:
                outcome = replace(outcome, healed=False, differences=(*outcome.differences, second.said))
            bench.row(table, f"two runs at once: {scene.part}", outcome)
            shutil.rmtree(root.parent)


def lake_damaged(bench: Bench, table: Table) -> None:
    """A file of the lake is cut, flipped or gone; it is made again from the archived original."""
    scene = bench.scenes["receive"]
    for number in range(bench.times):
        root = scene.copy(bench.work)
        paths = CommunityPaths(root)
        files = sorted(paths.data / f.path for f in Ledger.open(paths, Settings()).current_files())
        _spoil(bench.rng.choice(files), ("cut", "flip", "gone")[number % 3], bench.rng)
        bench.row(table, "damaged lake file", judge("damaged lake file", scene, root))
        shutil.rmtree(root.parent)


_TOLD = {
    "ledger.sqlite": ("ledger", ("cut", "flip", "gone", "empty"), "throughline restore"),
    "vault/vault.duckdb": ("vault", ("cut", "flip", "flip", "flip", "gone", "empty"), "throughline restore"),
    "vault/keyring.json": ("keyring", ("cut", "gone", "empty"), "restore"),
    "keys/vault.key": ("key", ("cut", "flip", "gone", "empty"), "key"),
}


def told_what_to_do(bench: Bench, table: Table) -> None:
    """Ledger, vault or key are damaged or lost: the run refuses, says what to do, and doing it makes all good.

    Damage to pages that hold nothing may go unnoticed, and must then do no harm.
    """
    scene = bench.scenes["connect"]
    for name, (title, kinds, words) in _TOLD.items():
        for kind in kinds:
            root = scene.copy(bench.work)
            paths, backup = CommunityPaths(root), root.parent / "backup.tar.gz"
            back_up(paths, Settings(), backup, with_keys=True)
            _spoil(paths.data / name, kind, bench.rng)
            run = run_part(root, "connect")
            if run.code:
                shutil.rmtree(root)
                restore(backup, root, Settings())
                _drop_again(scene, root)
            outcome = judge(f"{title} {kind}: {run.said[:200]}", scene, root)
            told = run.code == 0 or (run.code == 1 and words in run.said)
            bench.row(table, f"damaged or lost {title}", replace(outcome, healed=outcome.healed and told))
            shutil.rmtree(root.parent)


def postgresql_lost(bench: Bench, table: Table) -> None:
    """The server goes down while a release is being published; readers then see the last release, and the next run the new one."""
    scene = bench.scenes["release"]
    with running_server() as server, _published(bench, scene, server) as (root, seconds):
        for _ in range(bench.times):
            before = _in_postgresql(server)
            _switch_release(root)
            lost = threading.Timer(bench.rng.uniform(0, seconds), server.crash)
            lost.start()
            run = run_part(root, "publish")
            lost.join()
            server.start()
            wanted, seen = find_release(CommunityPaths(root)).release_id, _in_postgresql(server)
            half = None if seen in (before, {wanted}) else f"{seen} after {before}"
            again = run_part(root, "publish")
            healed = again.code == 0 and _in_postgresql(server) == {wanted}
            what = f"server lost, run ended {run.code}: {run.said[:200]}"
            bench.row(table, "PostgreSQL lost: publish", Outcome(what, 0, 0, half, healed, (again.said,)))


@contextmanager
def _published(bench: Bench, scene: Scene, server: Server) -> Iterator[tuple[Path, float]]:
    """A community with two releases that publishes to a server; and how long publishing takes."""
    root = scene.copy(bench.work)
    with server.connect(autocommit=True) as con:
        con.execute(
            "do $$ begin create role bi_reader login; exception when duplicate_object then null; end $$"
        )
    os.environ["THROUGHLINE_POSTGRES_URL"] = server.url
    try:
        run_part(root, "release")
        run_part(root, "publish")
        _switch_release(root)
        yield root, run_part(root, "publish").seconds
    finally:
        del os.environ["THROUGHLINE_POSTGRES_URL"]
        shutil.rmtree(root.parent)


def _switch_release(root: Path) -> None:
    """Make the other one of the two releases the current one."""
    paths = CommunityPaths(root)
    other = next(info for info in list_releases(paths) if not info.is_current)
    switch(paths, other.path)


def _in_postgresql(server: Server) -> set[str]:
    """Ids of the releases whose rows readers see, over all published views."""
    views = server.rows(
        "select table_schema, table_name from information_schema.views where table_name like 'pub\\_%'"
    )
    assert views
    return {
        row[0]
        for schema, view in views
        for row in server.rows(f'select distinct release_id from "{schema}"."{view}"')
    }


FAULTS: dict[str, Callable[[Bench, Table], None]] = {
    "kill-step": killed_at_steps,
    "kill-random": killed_any_time,
    "disk-full": disk_full,
    "file-limit": file_limit,
    "vanish": vanished,
    "read-only": read_only,
    "clock": clock_backwards,
    "two-runs": two_runs,
    "lake": lake_damaged,
    "postgresql": postgresql_lost,
    "told": told_what_to_do,
}


def _spread(steps: int, times: int) -> list[int]:
    """So many of the numbers 1 to `steps`, evenly; all of them if they are few."""
    if steps <= times:
        return list(range(1, steps + 1))
    return sorted({1 + round(i * (steps - 1) / max(times - 1, 1)) for i in range(times)})


def _dropped(scene: Scene) -> dict[str, str]:
    """Files of the second night, below the drop folders, and the hash of their content."""
    landing = CommunityPaths(scene.before).landing
    files = (f for f in landing.rglob("*") if f.is_file())
    return {str(f.relative_to(landing)): sha256(f.read_bytes()).hexdigest() for f in files}


def _drop_again(scene: Scene, root: Path, names: Iterable[str] | None = None) -> None:
    """Drop these files of the second night once more; all of them if none is named."""
    for name in _dropped(scene) if names is None else names:
        target = CommunityPaths(root).landing / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CommunityPaths(scene.before).landing / name, target)


def _spoil(file: Path, kind: str, rng: random.Random) -> None:
    whole = file.read_bytes()
    file.unlink()
    if kind == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "flip":
        # A page's worth, as a bad disk does it.
        at = rng.randrange(max(len(whole) - 600, 1))
        file.write_bytes(whole[:at] + bytes(b ^ 0x55 for b in whole[at : at + 512]) + whole[at + 512 :])
    if kind != "gone":
        file.chmod(0o600)


@contextmanager
def _closed(data: Path, pattern: str) -> Iterator[None]:
    """Take away the right to write from folders and all below them."""
    folders = [data] if pattern == "." else sorted(data.glob(pattern))
    every = [
        f
        for top in folders
        for f in ([top, *top.rglob("*")] if pattern != "." else [top])
        if not f.is_symlink()
    ]
    modes = {f: f.stat().st_mode for f in every}
    for item in reversed(every):
        item.chmod(modes[item] & 0o7555)
    try:
        yield
    finally:
        for item in every:
            if item.exists():
                item.chmod(modes[item])


def _as_plain_user(root: Path, scene: Scene) -> str:
    """Run a part without root's privilege to write everywhere; what it said."""
    command = [
        "setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner", sys.executable, "-m",
        "tests.faults.part", scene.part, str(root), scene.moment,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    return f"exit {done.returncode} {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else ''}"[
        :300
    ]


__all__ = ["FAULTS", "Bench", "Table", "parts"]
