"""Nights in a row with the attacker on: what he can tell of each release, alone and with the earlier ones.

What belongs here: `throughline run` night by night on deliveries that change a little, and the audits of its releases. What
does not: single linked systems (`disclosure.py`), or the attacks that every commit must withstand (`tests/warehouse/disclosure`).

Each night one district sends its students of a year again, with another handful left out: what changes between two releases
is then a few people. At the end the same files are published once more without complementary suppression. Ends with 1 if
the attacker tells a withheld row of any release as shipped, alone or with the earlier ones, or tells none without
complementary suppression. What the earlier ones give away whatever is withheld now is printed as the audit gives it.

Run: python benchmarks/attacked_nights.py [--people 2500] [--nights 10] [--json FILE] [--dir FOLDER].
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "yes", "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
_FIRST = datetime.fromisoformat("2024-11-15T02:30:00+00:00")
_SENT = Path("nights") / "03"
_LEFT_OUT = 0.02  # share of the rows that a night's file lacks
_HEADINGS = (
    "night",
    "release",
    "withheld",
    "doubts",
    "told",
    "told with earlier releases",
    "told by these alone",
)


def main() -> int:
    """Run the nights and print a row for each; the exit code says whether he found anything."""
    chosen = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        root = (chosen.dir or Path(folder)) / "riverbend"
        _throughline(_FIRST, "demo", "--people", str(chosen.people), "--dir", str(root))
        print(*_HEADINGS, sep="\t", flush=True)
        rows = [_audited(root, "1")]
        for night in range(2, chosen.nights + 1):
            _deliver(root, night)
            _throughline(_FIRST + timedelta(days=night - 1), "run", "--dir", str(root))
            rows.append(_audited(root, str(night)))
        _without_complementary(root)
        _throughline(_FIRST + timedelta(days=chosen.nights), "run", "--dir", str(root))
        bare = _audited(root, "without complementary")
    if chosen.json:
        chosen.json.write_text(json.dumps({"nights": rows, "without": bare}, indent=1), encoding="utf-8")
    releases = {row["release"] for row in rows}
    if len(releases) != len(rows):
        print(f"Only {len(releases)} of {len(rows)} nights made a release of their own.")
    safe = all(row["told"] + row["told_with_earlier_releases"] == 0 for row in rows)
    return 0 if safe and bare["told"] > 0 and len(releases) == len(rows) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=2500)
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--dir", type=Path)
    return parser.parse_args()


def _throughline(now: datetime, *arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("throughline")), *arguments]
    more = {"THROUGHLINE_NOW": now.isoformat(), "THROUGHLINE_SETTLE_SECONDS": "0", **_QUIET}
    done = subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )


def _deliver(root: Path, night: int) -> None:
    """The district's corrected students, less a few that differ from night to night."""
    chance = random.Random(night)
    for source in sorted((root / _SENT).rglob("*.csv")):
        head, *rows = source.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [row for row in rows if chance.random() >= _LEFT_OUT]
        target = root / "data" / "landing" / source.relative_to(root / _SENT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_name(f"{source.stem}_{night}{source.suffix}").write_text(
            head + "".join(kept), encoding="utf-8"
        )


def _without_complementary(root: Path) -> None:
    file = root / "community.yml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config.setdefault("privacy", {})["complementary"] = False
    file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _audited(root: Path, night: str) -> dict[str, Any]:
    """What the audit of the current release says, printed as it comes: a long run that is cut off has told so far."""
    current = (root / "data" / "releases" / "current").resolve()
    audit = json.loads((current / "audits" / "disclosure.json").read_text(encoding="utf-8"))
    attack = audit["attack"]
    row = {
        "night": night,
        "release": current.name,
        "withheld": sum(audit["suppressed_rows"].values()),
        "doubts": attack["doubts"],
        "told": attack["told"],
        "told_with_earlier_releases": attack["told_with_earlier_releases"],
        "told_by_earlier_releases_alone": attack["told_by_earlier_releases_alone"],
    }
    print(*row.values(), sep="\t", flush=True)
    return row


if __name__ == "__main__":
    sys.exit(main())
