"""Many small files of many partners dropped at once: one run, a receipt each, beside one DuckDB statement a file.

What belongs here: time of a run over files that each hold little, as a ratio to a reference of the same run, and how it
grows. What does not: large files (`acceptance`).

Run: python benchmarks/many_files.py [--files 1000] [--partners 20] [--json FILE].
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

_COMMUNITY = "community_id: bench\nname: Bench\n"
_PARTNER = "partner_id: {name}\nname: {name}\nsector: k12\n"
_MAPPING = """
feed: k12_assessment
file_pattern: "results*.csv"
delivery_mode: increment
layouts:
  - columns:
      person_id: SASID
      last_name: LastName
      birth_date: {from: BirthDate, date_format: "%Y-%m-%d"}
      school_year: Year
      instrument_id: Test
      subject: {from: Subject, codes: subject}
      grade_level: Grade
      test_date: {from: TestDate, date_format: "%Y-%m-%d"}
      score: ScaleScore
code_lists:
  subject: {ELA: ReadingELA, MATH: Mathematics}
"""
_HEADER = "SASID,LastName,BirthDate,Year,Test,Subject,Grade,TestDate,ScaleScore\n"
_ROWS = 40


def make_community(root: Path, files: int, partners: int) -> list[Path]:
    """A community, and the files in its partners' drop folders."""
    from warehouse.community import load_community
    from warehouse.vault.keys import make_key_file

    root.mkdir()
    (root / "community.yml").write_text(_COMMUNITY, encoding="utf-8")
    names = [f"partner_{number:03}" for number in range(partners)]
    for name in names:
        (root / "partners" / name / "feeds").mkdir(parents=True)
        (root / "partners" / name / "partner.yml").write_text(_PARTNER.format(name=name), encoding="utf-8")
        (root / "partners" / name / "feeds" / "results.yml").write_text(_MAPPING, encoding="utf-8")
    paths = load_community(root).paths.ensure()
    make_key_file(paths)
    dropped = []
    for number in range(files):
        folder = paths.landing / names[number % partners]
        folder.mkdir(exist_ok=True)
        dropped.append(folder / f"results_{number:04}.csv")
        dropped[-1].write_text(_HEADER + _lines(number), encoding="utf-8")
    return dropped


def _lines(number: int) -> str:
    return "".join(
        f"P{number * _ROWS + n},Name{n},2010-01-{n % 28 + 1:02},2024,T1,{'ELA' if n % 2 else 'MATH'},05,2024-03-{n % 28 + 1:02},"
        f"{'absent' if n == 7 else 300 + n}\n"
        for n in range(_ROWS)
    )


def statements(files: list[Path], target: Path) -> float:
    """The floor: for each file one statement that reads text, casts and writes Parquet."""
    started = time.perf_counter()
    with duckdb.connect() as con:
        for number, file in enumerate(files):
            con.execute(
                f"""copy (select SASID, LastName, BirthDate::date as BirthDate, Year::integer as Year, Test, Subject, Grade,
                    TestDate::date as TestDate, try_cast(ScaleScore as decimal(18, 4)) as ScaleScore
                from read_csv('{file}', all_varchar = true, header = true))
                to '{target / str(number)}.parquet' (compression zstd)"""
            )
    return time.perf_counter() - started


def received(root: Path) -> tuple[float, int]:
    """Seconds of one run over all that lies there, and how many receipts it wrote."""
    from ingestion.acceptance import receive_all
    from warehouse.community import load_community
    from warehouse.settings import Settings

    started = time.perf_counter()
    outcomes = receive_all(
        load_community(root), Settings(now=datetime(2024, 9, 1, tzinfo=UTC), settle_seconds=0)
    )
    if any(outcome.status != "accepted" for outcome in outcomes):
        raise SystemExit(next(outcome.summary for outcome in outcomes if outcome.status != "accepted"))
    return time.perf_counter() - started, len({outcome.receipt for outcome in outcomes})


def main() -> None:
    """Print one line for a quarter of the files and one for all: were it linear, the time a file would be the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--partners", type=int, default=20)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    told = []
    for count in (chosen.files // 4, chosen.files):
        with tempfile.TemporaryDirectory() as folder:
            files = make_community(Path(folder) / "community", count, chosen.partners)
            floor = statements(files, Path(folder))
            seconds, receipts = received(Path(folder) / "community")
        line = {"files": count, "partners": chosen.partners, "receipts": receipts, "seconds": round(seconds, 2),
                "milliseconds_a_file": round(1000 * seconds / count, 1), "statements": round(floor, 2),
                "ratio": round(seconds / floor, 2)}  # fmt: skip
        told.append(line)
        print(" ".join(f"{name} {value}" for name, value in line.items()), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(told, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
