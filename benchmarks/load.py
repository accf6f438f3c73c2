"""A night on which two hundred partners send five thousand files while BI readers read all the time.

What belongs here: whether anything is lost, whether a reader meets an error or two releases at once, and whether memory
stays flat. What does not: the cost of one large file (`acceptance`) or of many small ones alone (`many_files`).

The sample community has a night behind it; then all its other partners, school districts, send at once: each its
enrollment and the results of a test week by week, of which every file has a row that no one can read and one in fifty
lacks a column. Readers' times in the night stand beside those of the same readers before it.

Run: python -m benchmarks.load [--partners 200] [--files 5000] [--people 300] [--readers 8] [--base FOLDER]
     [--json FILE] [--dir FOLDER].
Ends with 1 if anything is lost, wrong or mixed, or memory grows.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.districts import Sent, describe, drop
from benchmarks.night import family, kilobytes

NIGHT = {"THROUGHLINE_NOW": "2024-11-16T02:30:00+00:00", "THROUGHLINE_SETTLE_SECONDS": "0"}
_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "yes", "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
# The last quarter may need so much more memory than the second.
_FLAT = 1.15


class Watch:
    """Memory of a process and all below it, some times a second, and how many files still lie in the drop folders."""

    def __init__(self, pid: int, landing: Path) -> None:
        self._pid, self._landing, self._ended = pid, landing, threading.Event()
        self.seen: list[tuple[float, float, int]] = []
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(0.25):
            memory = sum(map(kilobytes, family(self._pid))) / 1024
            self.seen.append((time.monotonic() - began, memory, lying(self._landing)))

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def by_time(self) -> list[int]:
        """Most memory (MB) in each quarter of the night."""
        whole = self.seen[-1][0]
        return self._most([int(4 * at / (whole + 1e-9)) for at, _, _ in self.seen])

    def by_files(self, files: int) -> list[int]:
        """Most memory (MB) while each quarter of the files was taken."""
        return self._most(
            [4 * (files - left) // files if left < files and left else -1 for _, _, left in self.seen]
        )

    def _most(self, quarters: Sequence[int]) -> list[int]:
        found = [0, 0, 0, 0]
        for quarter, (_, memory, _) in zip(quarters, self.seen, strict=True):
            if 0 <= quarter < 4:
                found[quarter] = max(found[quarter], round(memory))
        return found


def lying(landing: Path) -> int:
    """Files in the drop folders."""
    return sum(len(files) for _, _, files in os.walk(landing))


@contextmanager
def server() -> Iterator[tuple[str, str] | None]:
    """URLs for the publisher and for readers of a PostgreSQL server of its own; None where none is installed."""
    from tests.postgresql import running_server

    with ExitStack() as stack:
        try:
            one = stack.enter_context(running_server())
        except RuntimeError:
            yield None
            return
        with one.connect(autocommit=True) as con:
            con.execute("create role bi_reader login")
        yield one.url, one.url.replace("postgres@", "bi_reader@")


class Readers:
    """Reader processes, half of them on DuckDB, half on PostgreSQL where there is one."""

    def __init__(self, root: Path, work: Path, count: int, url: str | None) -> None:
        self._stop, self._reports = work / "stop", [work / f"reader_{n}.json" for n in range(count)]
        file = str(root / "data" / "releases" / "current" / "throughline.duckdb")
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.bi_reader",
                 *(("duckdb", file) if url is None or n % 2 == 0 else ("postgresql", url)), str(self._stop), str(report)]
            )
            for n, report in enumerate(self._reports)
        ]  # fmt: skip

    def end(self) -> list[dict[str, Any]]:
        """Stop them; what each saw."""
        self._stop.touch()
        for process in self._processes:
            if process.wait(120):
                raise SystemExit(f"a reader ended with {process.returncode}")
        return [json.loads(report.read_text(encoding="utf-8")) for report in self._reports]


def run(root: Path, command: str, **more: str) -> subprocess.Popen[str]:
    """Start a command of `throughline`."""
    program = str(Path(sys.executable).with_name("throughline"))
    log = (root.parent / "night.log").open("w", encoding="utf-8")
    return subprocess.Popen(
        [program, command, "--dir", str(root)],
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **_QUIET, **NIGHT, **more},
        text=True,
    )


def accounts(root: Path, sent: Sent, names: Sequence[str]) -> dict[str, Any]:
    """What ledger, receipts and drop folders say of what was sent, and what is wrong with it."""
    from warehouse.ledger import Ledger
    from warehouse.settings import CommunityPaths, Settings

    paths = CommunityPaths(root)
    ledger = Ledger.open(paths, Settings())
    taken = [delivery for name in names for delivery in ledger.partner_deliveries(name, limit=sent.files)]
    counts = Counter[str]()
    for delivery in taken:
        parts = ("in", "accepted", "quarantined", "refused")
        counts.update({part: getattr(delivery, f"rows_{part}") for part in parts})
    receipts = {one.receipt for one in taken if one.receipt and (paths.data / one.receipt).is_file()}
    found = {
        "deliveries": len(taken),
        "receipts": len(receipts),
        "left in drop folders": lying(paths.landing),
        "rows sent": sent.rows,
        **{f"rows {name}": counts[name] for name in ("in", "accepted", "quarantined", "refused")},
    }
    wanted = {
        "deliveries": sent.files,
        "receipts": sent.files,
        "left in drop folders": 0,
        "rows in": sent.rows,
        "rows accepted": sent.accepted,
        "rows quarantined": sent.quarantined,
        "rows refused": sent.refused,
    }
    wrong = [f"{name}: {found[name]}, not {value}" for name, value in wanted.items() if found[name] != value]
    return {"found": found, "wrong": wrong}


def readings(reports: list[dict[str, Any]], night: tuple[float, float]) -> list[dict[str, Any]]:
    """A line a kind of reader: questions and times before and in the night, errors, mixtures, releases seen."""
    told = []
    for kind in sorted({report["kind"] for report in reports}):
        ours = [report for report in reports if report["kind"] == kind]
        before = [took for report in ours for at, took in report["asked"] if at < night[0]]
        within = [took for report in ours for at, took in report["asked"] if night[0] <= at <= night[1]]
        figures: dict[str, set[str]] = {}
        for report in ours:
            for release, seen in report["figures"].items():
                figures.setdefault(release, set()).update(seen)
        told.append({
            "readers": f"{len(ours)} {kind}", "questions": len(within), "errors": sum(len(r["errors"]) for r in ours),
            "mixed": sum(r["mixed"] for r in ours) + sum(len(seen) - 1 for seen in figures.values()),
            "releases": len(figures), "median_ms_before": round(1000 * statistics.median(before)),
            "median_ms": round(1000 * statistics.median(within)), "worst_ms": round(1000 * max(within)),
            "first_error": next((r["errors"][0] for r in ours if r["errors"]), ""),
        })  # fmt: skip
    return told


def measure(work: Path, asked: argparse.Namespace, urls: tuple[str, str] | None) -> dict[str, Any]:
    """Make the community, its first night, and the night under load."""
    from benchmarks.night import make

    root = work / "community"
    if asked.base:
        shutil.copytree(asked.base, root, symlinks=True)
    else:
        make(root, asked.people)
    own = sum(1 for _ in (root / "partners").iterdir())
    names = describe(root, asked.partners - own, urls is not None)
    more = {"THROUGHLINE_POSTGRES_URL": urls[0]} if urls else {}
    if not asked.base:
        _ended(run(root, "run", **more, THROUGHLINE_NOW="2024-11-15T02:30:00+00:00"), root)
    elif urls:
        _ended(run(root, "publish", **more), root)
    sent = drop(root, names, asked.files, random.Random(asked.seed))
    readers = Readers(root, work, asked.readers, urls[1] if urls else None)
    time.sleep(asked.before)
    began = time.time()
    process = run(root, "run", **more)
    watch = Watch(process.pid, root / "data" / "landing")
    _ended(process, root)
    ended = time.time()
    watch.stop()
    time.sleep(3)  # they see the new release
    seen = readings(readers.end(), (began, ended))
    taken = [at for at, _, left in watch.seen if 0 < left < asked.files]
    return {
        "partners": asked.partners, "files": asked.files, "seconds": round(ended - began, 1),
        "milliseconds_a_file": round(1000 * (taken[-1] - taken[0]) / asked.files, 1),
        **accounts(root, sent, names), "readings": seen,
        "memory_by_files_mb": watch.by_files(asked.files), "memory_by_time_mb": watch.by_time(),
    }  # fmt: skip


def _ended(process: subprocess.Popen[str], root: Path) -> None:
    if process.wait():
        log = (root.parent / "night.log").read_text(encoding="utf-8")
        raise SystemExit(f"a command ended with {process.returncode}:\n{log[-3000:]}")


def faults(told: dict[str, Any]) -> list[str]:
    """What is not as it must be."""
    wrong = list(told["wrong"])
    for line in told["readings"]:
        wrong += [f"{line['readers']}: {line[name]} {name}" for name in ("errors", "mixed") if line[name]]
        wrong += (
            [f"{line['readers']} saw {line['releases']} releases, not 2"] if line["releases"] != 2 else []
        )
    _, second, _, last = told["memory_by_files_mb"]
    if last > _FLAT * second:
        wrong.append(f"memory grew from {second} MB to {last} MB while files were taken")
    return wrong


def show(told: dict[str, Any]) -> None:
    """Print what was measured."""
    print(
        f"{told['partners']} partners, {told['files']:,} files: {told['seconds']} s, {told['milliseconds_a_file']} ms a file"
    )
    for name, value in told["found"].items():
        print(f"  {name:<24} {value:>10,}")
    for line in told["readings"]:
        print("  " + " ".join(f"{name} {value}" for name, value in line.items() if value != ""))
    for name in ("memory_by_files_mb", "memory_by_time_mb"):
        print(f"  {name:<24} {' '.join(f'{value:>7,}' for value in told[name])}")


def main() -> int:
    """Measure, print, keep; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partners", type=int, default=200)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--people", type=int, default=300, help="people of the sample community beneath")
    parser.add_argument(
        "--base", type=Path, help="a sample community with a night behind it, instead of making one"
    )
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--before", type=float, default=15, help="seconds for which readers read alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--dir", type=Path)
    asked = parser.parse_args()
    if asked.dir:
        asked.dir.mkdir(parents=True, exist_ok=True)
    with server() as urls, tempfile.TemporaryDirectory(dir=asked.dir) as folder:
        told = measure(Path(folder), asked, urls)
    told["faults"] = faults(told)
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1), encoding="utf-8")
    show(told)
    print(
        "\n".join(f"WRONG {fault}" for fault in told["faults"])
        or "nothing lost, no error, nothing mixed, memory flat"
    )
    return int(bool(told["faults"]))


if __name__ == "__main__":
    sys.exit(main())
