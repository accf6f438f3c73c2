"""Disclosure control: time of protecting and attacking a joint model, and random linked systems one after another.

What belongs here: speed and people hidden, printed with the LP attack as the reference. What does not: assertions of
safety that every commit must hold (`tests/warehouse/disclosure`).

Run: python benchmarks/disclosure.py --shape 12x10x8 --seconds 10, or --systems 500.
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
from warehouse.disclosure.policy import DisclosurePolicy
from warehouse.disclosure.run import protect_files


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
    rng = np.random.default_rng(given.seed)
    found = [measure(rng.integers(2, 6, 3).tolist(), seed, 1.0) for seed in range(given.systems)]
    gaps = [item["gap"] for item in found]
    print(
        {
            "systems": len(found),
            "unsafe": sum(item["unsafe"] for item in found),
            "median gap": np.median(gaps),
            "most": max(gaps),
        }
    )


if __name__ == "__main__":
    main()
