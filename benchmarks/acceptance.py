"""Accepting a large delimited file and a workbook, beside one DuckDB statement, pandas, dlt and fastexcel alone.

What belongs here: time and memory of acceptance (typed, checked, quarantined, identifiers split off, ledgered), as ratios
to a reference of the same run. What does not: what every commit must hold (`tests/ingestion`).

Processor time stands beside the time on the clock, because another program's work shows in the latter only.

Run: python benchmarks/acceptance.py [--rows 5000000] [--sheet-rows 200000] [--dlt] [--json FILE].
With --dlt, dlt is installed from the package registry into an environment that is thrown away afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import duckdb

_COMMUNITY = "community_id: bench\nname: Bench\ngeography_id: bench\ngeography_name: Bench\n"
_PARTNER = "partner_id: tests\nname: Tests\nsector: k12\n"
_MAPPING = """
feed: k12_assessment
file_pattern: ["*.csv", "*.xlsx"]
layouts:
  - columns:
      person_id: SASID
      last_name: LastName
      birth_date: {from: BirthDate, date_format: "%Y-%m-%d"}
      sex: {from: Sex, codes: sex}
      school_year: Year
      instrument_id: Test
      subject: {from: Subject, codes: subject}
      grade_level: Grade
      test_date: {from: TestDate, date_format: "%Y-%m-%d"}
      score: ScaleScore
      performance_level_code: Level
      is_valid: {from: Valid, codes: yes_no}
code_lists:
  sex: {F: Female, M: Male}
  subject: {ELA: ReadingELA, MATH: Mathematics}
  yes_no: {Y: "Yes", N: "No"}
"""
# Twelve columns as text; ten results a person; one row in 5,000 has a score that is no number.
_CELLS = {
    "SASID": "'P' || lpad((i // 10)::varchar, 9, '0')",
    "LastName": "'Name' || (i // 10 % 9973)",
    "BirthDate": "strftime(date '2008-01-01' + (i // 10 % 3000)::integer, '%Y-%m-%d')",
    "Sex": "case i // 10 % 2 when 0 then 'F' else 'M' end",
    "Year": "'2024'",
    "Test": "'T' || (i % 10 // 2)",
    "Subject": "case i % 2 when 0 then 'ELA' else 'MATH' end",
    "Grade": "lpad((3 + i // 10 % 6)::varchar, 2, '0')",
    "TestDate": "strftime(date '2024-03-01' + (i % 60)::integer, '%Y-%m-%d')",
    "ScaleScore": "case when i % 5000 = 7 then 'absent' else (300 + i % 400)::varchar end",
    "Level": "'level ' || (1 + i % 4)",
    "Valid": "case when i % 50 > 0 then 'Y' else 'N' end",
}


def write_csv(file: Path, rows: int) -> None:
    """The table as a delimited file."""
    chosen = ", ".join(f"{sql} as {name}" for name, sql in _CELLS.items())
    with duckdb.connect() as con:
        con.execute(f"copy (select {chosen} from range({rows}) r(i)) to '{file}' (header)")


def write_workbook(file: Path, rows: int) -> None:
    """The table as a workbook of one sheet."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("results")
    sheet.append(list(_CELLS))
    chosen = ", ".join(_CELLS.values())
    with duckdb.connect() as con:
        for row in con.execute(f"select {chosen} from range({rows}) r(i)").fetchall():
            sheet.append(row)
    book.save(file)


def accepted(file: Path) -> None:
    """One delivery from landing to ledger, as a night takes it."""
    from ingestion.acceptance import receive_all
    from warehouse.community import load_community
    from warehouse.settings import Settings

    root = _root(file)
    community = load_community(root)
    target = community.paths.landing / "tests" / file.name
    os.link(file, target)
    outcomes = receive_all(community, Settings(now=datetime(2024, 9, 1, tzinfo=UTC), settle_seconds=0))
    if outcomes[0].status != "accepted":
        raise SystemExit(f"{file.name}: {outcomes[0].summary}")


def _root(file: Path) -> Path:
    """A community for each file: after the large one the small one would be refused as half a file."""
    return file.parent / f"community{file.suffix}"


def make_community(root: Path) -> None:
    """A community with one partner and its mapping."""
    from warehouse.community import load_community
    from warehouse.vault.keys import make_key_file

    partner = root / "partners" / "tests"
    (partner / "feeds").mkdir(parents=True)
    (root / "community.yml").write_text(_COMMUNITY, encoding="utf-8")
    (partner / "partner.yml").write_text(_PARTNER, encoding="utf-8")
    (partner / "feeds" / "assessment.yml").write_text(_MAPPING, encoding="utf-8")
    paths = load_community(root).paths.ensure()
    make_key_file(paths)
    (paths.landing / "tests").mkdir(exist_ok=True)


def statement(file: Path) -> None:
    """The floor: one statement that reads text, casts and writes Parquet."""
    with duckdb.connect() as con:
        con.execute("set threads = 2")
        con.execute(
            f"""copy (select SASID, LastName, BirthDate::date as BirthDate, Sex, Year::integer as Year, Test, Subject, Grade,
                TestDate::date as TestDate, try_cast(ScaleScore as decimal(18, 4)) as ScaleScore, Level, Valid = 'Y' as Valid
            from read_csv('{file}', all_varchar = true, header = true)) to '{file}.parquet' (compression zstd)"""
        )


def by_pandas(file: Path) -> None:
    """The same with pandas, as an analyst would write it."""
    import pandas as pd

    frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    for name in ("BirthDate", "TestDate"):
        frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d")
    frame["Year"] = frame["Year"].astype(int)
    frame["ScaleScore"] = pd.to_numeric(frame["ScaleScore"], errors="coerce")
    frame["Valid"] = frame["Valid"] == "Y"
    frame.to_parquet(f"{file}.pandas", compression="zstd")


def by_dlt(file: Path) -> None:
    """The same table taken in by dlt, which guesses its types and judges nothing, in an environment of its own."""
    script = Path(__file__).with_name("dlt_load.py")
    subprocess.run(
        [_dlt_python(file.parent), script, file, file.parent / "loaded"], check=True, stdout=sys.stderr
    )


def make_dlt_environment(folder: Path) -> None:
    """An environment with dlt and the DuckDB of this one."""
    venv.create(folder / "with_dlt", with_pip=True)
    wanted = ["dlt[duckdb,filesystem,parquet]>=1.31,<2", f"duckdb=={duckdb.__version__}"]
    subprocess.run([_dlt_python(folder), "-m", "pip", "install", "--quiet", *wanted], check=True)


def _dlt_python(folder: Path) -> Path:
    return folder / "with_dlt" / "bin" / "python"


def by_fastexcel(file: Path) -> None:
    """The reader alone: every cell of the sheet as text."""
    import fastexcel

    fastexcel.read_excel(file).load_sheet(0, dtypes="string").to_arrow()


@dataclass(frozen=True)
class Cost:
    """What a way took: seconds on the clock, seconds of processor time in all threads, and the most megabytes."""

    seconds: float
    processor: float
    memory_mb: float


def _timed(work: Callable[[Path], None], file: Path) -> Cost:
    started, before = time.perf_counter(), _processor()
    work(file)
    memory = max(getrusage(whose).ru_maxrss for whose in (RUSAGE_SELF, RUSAGE_CHILDREN)) / 1024
    return Cost(time.perf_counter() - started, _processor() - before, memory)


def _processor() -> float:
    used = [getrusage(whose) for whose in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measured(work: Callable[[Path], None], file: Path) -> Cost:
    """The cost of a way in a process of its own, imports included."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(_timed, work, file).result()


def _told(file: Path, way: Callable[[Path], None], cost: Cost, reference: Cost) -> dict[str, str | float]:
    return {
        "file": file.suffix,
        "way": way.__name__,
        "seconds": round(cost.seconds, 2),
        "ratio": round(cost.seconds / reference.seconds, 2),
        "processor": round(cost.processor, 2),
        "processor_ratio": round(cost.processor / reference.processor, 2),
        "memory_mb": round(cost.memory_mb),
    }


def main() -> None:
    """Print one line a way, with its ratio to the reference above it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--sheet-rows", type=int, default=200_000)
    parser.add_argument("--dlt", action="store_true", help="beside dlt; needs a package registry")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    told = []
    with tempfile.TemporaryDirectory() as folder:
        csv, book = Path(folder) / "results.csv", Path(folder) / "results.xlsx"
        write_csv(csv, chosen.rows)
        write_workbook(book, chosen.sheet_rows)
        if chosen.dlt:
            make_dlt_environment(Path(folder))
        beside = (by_pandas, by_dlt) if chosen.dlt else (by_pandas,)
        for file, ways in ((csv, (statement, *beside, accepted)), (book, (by_fastexcel, accepted))):
            make_community(_root(file))
            reference = None
            for way in ways:
                cost = measured(way, file)
                reference = reference or cost
                told.append(_told(file, way, cost, reference))
                print(" ".join(f"{name} {value}" for name, value in told[-1].items()), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(told, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
