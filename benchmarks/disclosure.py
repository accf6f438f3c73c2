"""Disclosure control: time of protecting and attacking a joint model, and random linked systems one after another.

What belongs here: speed and people hidden, printed with the LP attack as the reference. What does not: assertions of
safety that every commit must hold (`tests/warehouse/disclosure`).

Run: python benchmarks/disclosure.py --shape 12x10x8 --seconds 10, or --systems 500 (linked tables, every third with an
earlier release). What a community's own release hides beyond the fewest people: `release_cost.py`.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.disclosure.describe import Description
from warehouse.disclosure.doubtful import make_part
from warehouse.disclosure.exact import improve_exactly
from warehouse.disclosure.model import System, build_system
from warehouse.disclosure.policy import DisclosurePolicy
from warehouse.disclosure.run import protect_files
from warehouse.disclosure.suppress import components
from warehouse.disclosure.tables import dimension_names, read_tables


def write_table(shape: list[int], seed: int, file: Path) -> Description:
    """A table of skewed counts with every margin."""
    people = np.floor(np.random.default_rng(seed).lognormal(2.6, 1.3, shape)).astype(int)
    names = [f"d{axis}" for axis in range(len(shape))]
    rows = []
    for keys in itertools.product(*[[*range(size), None] for size in shape]):
        part = people[tuple(slice(None) if key is None else slice(key, key + 1) for key in keys)]
        rows.append(["all" if key is None else f"v{key}" for key in keys] + [int(part.sum())])
    pd.DataFrame(rows, columns=[*names, "n"]).to_csv(file, index=False)
    return Description.model_validate({"tables": [{"dimensions": names, "counts": ["n"]}]})


def measure(shape: list[int], seed: int, seconds: float) -> dict[str, float]:
    """Protect one table and attack the result."""
    policy = DisclosurePolicy(singletons=False)  # type: ignore[call-arg]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.csv"
        description = write_table(shape, seed, file)
        started = time.perf_counter()
        result = protect_files([file], description, policy, seconds=seconds)
        return {
            "cells": result.audit.cells,
            "sensitive": result.sensitive,
            "people hidden": result.suppression.people,
            "gap": result.suppression.gap,
            "unsafe": len(result.audit.unsafe),
            "protect s": result.suppression.seconds,
            "audit s": result.audit.seconds,
            "all s": time.perf_counter() - started,
        }


def linked_tables(seed: int, folder: Path) -> tuple[list[Path], Description]:
    """Schools by race and schools by gender, each with margins; every third with what an earlier release showed."""
    rng = np.random.default_rng(seed)
    people = np.floor(rng.lognormal(2.2, 1.1, (*rng.integers(2, 5, 2), 2))).astype(int)
    rows = []
    for keys in itertools.product(*[[*range(size), None] for size in people.shape]):
        part = people[tuple(slice(None) if key is None else slice(key, key + 1) for key in keys)]
        rows.append(["all" if key is None else f"v{key}" for key in keys] + [int(part.sum())])
    frame = pd.DataFrame(rows, columns=["school", "race", "gender", "n"])
    tables: dict[str, pd.DataFrame] = {}
    if seed % 3 == 0:
        shown = (frame["gender"] == "all") & (frame["n"] >= 10) & (rng.random(len(frame)) < 0.15)
        tables["before.csv"] = frame[shown].drop(columns="gender")
    tables["race.csv"] = frame[frame["gender"] == "all"].drop(columns="gender")
    tables["gender.csv"] = frame[frame["race"] == "all"].drop(columns="race")
    about, files = [], []
    for name, table in tables.items():
        if len(table):
            files.append(folder / name)
            table.to_csv(files[-1], index=False)
            kept = [column for column in table.columns if column != "n"]
            about.append({"file": name, "dimensions": kept, "counts": ["n"], "earlier": name == "before.csv"})
    return files, Description.model_validate({"tables": about})


def measure_linked(seed: int, seconds: float) -> dict[str, float]:
    """Protect one system as anybody would, then let the exact programme prove the fewest people, where it can."""
    policy = DisclosurePolicy(singletons=False)  # type: ignore[call-arg]
    with tempfile.TemporaryDirectory() as folder:
        files, description = linked_tables(seed, Path(folder))
        names = dimension_names(description, files)
        system, _ = build_system(read_tables(files, description), description, names, policy)
        result = protect_files(files, description, policy, seconds=1.0)
    lost = set(result.suppression.unattainable)
    told = {name.replace("measure=", "") for name in lost}
    return {
        "earlier": float(len(files) > 2),
        "unsafe": sum(found.range.name not in told for found in result.audit.unsafe),
        "lost": len(lost),
        "excess": _excess(system, result.suppression.hidden, lost, seconds),
    }


def _excess(system: System, hidden: np.ndarray, lost: set[str], seconds: float) -> float:
    """Share of people hidden beyond the fewest, all components together; not a number where one is not proven."""
    mine, fewest = 0.0, 0.0
    for cells, matrix in components(system):
        part = make_part(system, cells, matrix, False)
        failed = [j for j, k in enumerate(part.target) if system.names[cells[k]] in lost]
        best, least = improve_exactly(part, hidden[part.units], failed, seconds)
        if part.weight[best].sum() > least + 0.5:
            return float("nan")
        mine += float(part.weight[hidden[part.units]].sum())
        fewest += float(part.weight[best].sum())
    return mine / fewest - 1 if fewest else 0.0


def print_linked(systems: int, seconds: float) -> None:
    """Print what 500 such systems hide beyond the fewest people, where these are proven."""
    found = [measure_linked(seed, seconds) for seed in range(systems)]
    excess = np.array([item["excess"] for item in found])
    proven = excess[~np.isnan(excess)]
    print(
        {
            "systems": systems,
            "with an earlier release": int(sum(item["earlier"] for item in found)),
            "cells told by the earlier release alone": int(sum(item["lost"] for item in found)),
            "other unsafe cells": int(sum(item["unsafe"] for item in found)),
            "proven": len(proven),
            "beyond the fewest people, median": round(float(np.median(proven)), 4),
            "most": round(float(proven.max()), 4),
        }
    )


def main() -> None:
    """Print one line a model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", default="12x10x8")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument(
        "--systems", type=int, default=0, help="Random small systems instead of one large one."
    )
    given = parser.parse_args()
    if not given.systems:
        print(measure([int(part) for part in given.shape.split("x")], given.seed, given.seconds))
        return
    print_linked(given.systems, given.seconds)


if __name__ == "__main__":
    main()
