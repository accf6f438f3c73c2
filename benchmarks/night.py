"""Whole nights at growing size: full, with one partner's correction, and empty, beside the floor.

What belongs here: time and memory of `throughline run`, as ratios to references of the same run. What does not: single
parts (`acceptance`, `linkage`, `disclosure`), or what every commit must hold (`tests/end_to_end`).

The floor is the same work as one plain DuckDB script (`floor.py`): every dropped file read as text and written as
Parquet, the SQL of every model run in order, the marts written as Parquet; no linkage, no tests, no quality gate, no
disclosure control. dbt alone is `dbt build` of the models and seeds, without tests.

Run: python benchmarks/night.py [--people 10000 100000] [--json FILE] [--dir FOLDER].
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).parent
_STEP = re.compile(r"^done (.+) \(([\d,.]+) s\)$", re.MULTILINE)
_CORRECTION = Path("nights") / "03" / "riverbend_schools"
_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "yes", "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


@dataclass(frozen=True)
class Measured:
    """What a command took; memory is the most that it and all that it started held at one moment."""

    seconds: float
    memory_mb: float
    steps: dict[str, float] = field(default_factory=dict)


def run(command: list[str], **more: str) -> Measured:
    """Run a command to its end.

    Raises:
        SystemExit: it failed.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=told, stderr=subprocess.STDOUT, env={**os.environ, **_QUIET, **more}
        )
        most = _Watch(process.pid)
        code = process.wait()
        seconds = time.perf_counter() - started
        memory = most.stop()
        told.seek(0)
        text = told.read()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{text[-3000:]}")
    steps = {name: float(value.replace(",", "")) for name, value in _STEP.findall(text)}
    return Measured(seconds, memory, steps)


class _Watch:
    """Adds up the memory of a process and all below it, some ten times a second."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            self._most = max(self._most, sum(map(kilobytes, family(self._pid))))

    def stop(self) -> float:
        self._ended.set()
        self._thread.join()
        return self._most / 1024


def family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [one for t in threads for one in (t / "children").read_text(encoding="ascii").split()]
    except OSError:
        return []
    return [pid, *(other for child in children for other in family(int(child)))]


def kilobytes(pid: int) -> int:
    """Memory of a process; a page that several share counts to each in part."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0


def nights(root: Path, people: int) -> dict[str, Measured]:
    """A community of so many people, its nights, and the references on what the first night left."""
    here = str(Path(sys.executable).with_name("throughline"))
    night = [here, "run", "--dir", str(root)]
    found = {"sample": run([sys.executable, __file__, "--make", str(root), str(people)])}
    drops = root.with_name(f"{root.name}-drops")
    shutil.copytree(root / "data" / "landing", drops)
    found["night full"] = run(night)
    for name, way in (("floor", floor), ("dbt alone", dbt_alone)):
        found[name] = way(root, drops)
    landing = root / "data" / "landing" / _CORRECTION.name
    for file in (root / _CORRECTION).iterdir():
        shutil.copy(file, landing)
    found["night with a correction"] = run(night)
    found["night empty"] = run(night)
    return found


def floor(root: Path, drops: Path) -> Measured:
    """The plain script, in a process of its own."""
    return _beside(
        root, lambda copy: run([sys.executable, str(_HERE / "floor.py"), str(root), str(drops), str(copy)])
    )


def dbt_alone(root: Path, drops: Path) -> Measured:
    """Models and seeds by dbt, from its own parse on."""
    project = str(_HERE.parent / "dbt_project")
    dbt = str(Path(sys.executable).with_name("dbt"))
    command = [dbt, "--quiet", "run", "--project-dir", project, "--profiles-dir", project]
    return _beside(
        root,
        lambda copy: run(
            [*command, "--target-path", str(copy.parent / "target")], THROUGHLINE_WAREHOUSE_PATH=str(copy)
        ),
    )


def _beside(root: Path, work: Callable[[Path], Measured]) -> Measured:
    """Work on a copy of the working database under the name that the models were compiled for."""
    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        copy = Path(folder) / "building.duckdb"
        shutil.copyfile(root / "data" / "warehouse" / "warehouse.duckdb", copy)
        return work(copy)


def make(root: Path, people: int) -> None:
    """The sample community with its key, as `throughline demo` makes it."""
    from ingestion.sample import make_sample
    from warehouse.settings import CommunityPaths
    from warehouse.vault import make_key_file

    make_sample(root, people=people)
    paths = CommunityPaths(root).ensure()
    make_key_file(paths)


def lines(people: int, found: dict[str, Measured]) -> list[dict[str, object]]:
    """One line a measurement, with its ratio to the floor."""
    reference = found["floor"].seconds
    return [
        {
            "people": people,
            "what": name,
            "seconds": round(one.seconds, 1),
            "of_floor": round(one.seconds / reference, 2),
            "memory_mb": round(one.memory_mb),
            **({"steps": one.steps} if one.steps else {}),
        }
        for name, one in found.items()
    ]


def main() -> None:
    """Print a table a size, and how each measurement grew from the size before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--make", nargs=2, metavar=("ROOT", "PEOPLE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make:
        make(Path(chosen.make[0]), int(chosen.make[1]))
        return
    told: list[dict[str, object]] = []
    before: dict[str, Measured] = {}
    for people in chosen.people:
        with tempfile.TemporaryDirectory(dir=chosen.dir) as folder:
            found = nights(Path(folder) / "community", people)
        for line in lines(people, found):
            told.append(line)
            past = before.get(str(line["what"]))
            grown = f"  x {found[str(line['what'])].seconds / past.seconds:.1f}" if past else ""
            print(
                f"{people:>9,} {line['what']:<24} {line['seconds']:>8} s  {line['of_floor']:>6} of floor  "
                f"{line['memory_mb']:>6} MB{grown}",
                flush=True,
            )
            for name, seconds in found[str(line["what"])].steps.items():
                print(f"{'':>13} {name:<40} {seconds:>8} s", flush=True)
        before = found
        if chosen.json:
            chosen.json.write_text(json.dumps(told, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
