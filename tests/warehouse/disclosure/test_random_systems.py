"""Random linked systems of tables: all safe, few people hidden, and un-suppressing is caught where it breaks safety."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from warehouse.disclosure.describe import Description
from warehouse.disclosure.doubtful import Doubt, Part, make_part
from warehouse.disclosure.model import build_system
from warehouse.disclosure.policy import DisclosurePolicy
from warehouse.disclosure.run import audit_tables, protect_files, truth_of
from warehouse.disclosure.suppress import components, suppress
from warehouse.disclosure.tables import dimension_names, read_tables

POLICY = DisclosurePolicy(singletons=False)  # type: ignore[call-arg]


def linked_tables(seed: int, folder: Path, most: int = 4) -> tuple[list[Path], Description]:
    """Two tables that share a dimension (school x race, school x gender), the second sometimes with numerators."""
    rng = np.random.default_rng(seed)
    schools, races = int(rng.integers(2, most + 1)), int(rng.integers(2, most + 1))
    people = np.floor(rng.lognormal(2.2, 1.1, (schools, races, 2))).astype(int)
    named = [[f"s{i}" for i in range(schools)], [f"r{i}" for i in range(races)], ["f", "m"]]
    rows = []
    for keys in itertools.product(*[[*range(len(names)), None] for names in named]):
        value = people[tuple(slice(None) if k is None else slice(k, k + 1) for k in keys)].sum()
        rows.append(
            ["all" if k is None else names[k] for k, names in zip(keys, named, strict=True)] + [value]
        )
    frame = pd.DataFrame(rows, columns=["school", "race", "gender", "n"])
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "race.csv", folder / "gender.csv"]
    frame[frame["gender"] == "all"].drop(columns="gender").to_csv(files[0], index=False)
    second = frame[frame["race"] == "all"].drop(columns="race").copy()
    tables: list[dict[str, Any]] = [
        {"file": "race.csv", "dimensions": ["school", "race"], "counts": ["n"]},
        {"file": "gender.csv", "dimensions": ["school", "gender"], "counts": ["n"]},
    ]
    if seed % 3 == 0:
        earlier = frame[(frame["gender"] == "all") & (rng.random(len(frame)) < 0.15) & (frame["n"] >= 10)]
        earlier.drop(columns="gender").to_csv(folder / "before.csv", index=False)
        if len(earlier):
            files.append(folder / "before.csv")
            tables.append(
                {"file": "before.csv", "dimensions": ["school", "race"], "counts": ["n"], "earlier": True}
            )
    second.to_csv(files[1], index=False)
    return files, Description.model_validate({"tables": tables})


@pytest.mark.parametrize("seed", range(60))
def test_a_random_linked_system_is_safe(seed: int, tmp_path: Path) -> None:
    """If not, some combination of tables tells of a small group."""
    files, description = linked_tables(seed, tmp_path)
    result = protect_files(files, description, POLICY, seconds=0.5)
    told = set(result.suppression.unattainable)
    assert {finding.range.name for finding in result.audit.unsafe} <= {
        f.range.name for f in result.audit.findings if told
    }
    if not told:
        assert not result.audit.unsafe


@pytest.mark.parametrize("seed", [1, 2, 4, 5])
def test_publishing_a_companion_is_caught_where_it_breaks_safety(seed: int, tmp_path: Path) -> None:
    """If not caught, a slip of the hand is published."""
    files, description = linked_tables(seed, tmp_path)
    names = dimension_names(description, files)
    tables = read_tables(files, description)
    system, long = build_system(tables, description, names, POLICY)
    chosen = suppress(system, seconds=0.5, defend_single=False)
    truth = truth_of(system, long, names)
    for unit in np.flatnonzero(chosen.hidden & ~system.first)[:6]:
        fewer = chosen.hidden.copy()
        fewer[unit] = False
        assert _attacked(system, long, tables, description, names, truth, fewer) == _broken(system, fewer)


def _attacked(
    system: Any, long: Any, tables: Any, description: Any, names: Any, truth: Any, hidden: np.ndarray
) -> bool:
    from warehouse.disclosure.run import _blanked, _withheld

    blank = _withheld(tables, system, long, hidden)
    public = [_blanked(table, flags) for table, flags in zip(tables, blank, strict=True)]
    return bool(audit_tables(public, description, names, POLICY, truth=truth).unsafe)


def _broken(system: Any, hidden: np.ndarray) -> bool:
    return any(not _is_safe(part, hidden[part.units]) for part in _parts(system))


def _is_safe(part: Part, hidden: np.ndarray) -> bool:
    doubt = Doubt(part, hidden)
    return all(doubt.try_demand(j) is not None for j in range(len(part.target)))


def test_few_people_are_hidden_beyond_the_fewest_possible(tmp_path: Path) -> None:
    """If not, whole schools vanish from the report to protect one child."""
    excess = []
    for seed in range(24):
        files, description = linked_tables(1000 + 3 * seed + 1, tmp_path / str(seed), most=2)
        names = dimension_names(description, files)
        system, _ = build_system(read_tables(files, description), description, names, POLICY)
        chosen = suppress(system, seconds=3, defend_single=False)
        fewest = _fewest(system, chosen.hidden)
        if fewest is not None:
            hidden = sum(_weight(part, chosen.hidden[part.units]) for part in _parts(system))
            excess.append(hidden / fewest - 1 if fewest else 0.0)
    assert len(excess) >= 8
    assert np.median(excess) <= 0.05
    assert max(excess) <= 0.15


def _parts(system: Any) -> list[Part]:
    return [make_part(system, cells, matrix, False) for cells, matrix in components(system)]


def _weight(part: Part, hidden: np.ndarray) -> float:
    return float(part.weight[hidden].sum())


def _fewest(system: Any, hidden: np.ndarray) -> float | None:
    """The optimum by trying every choice cheaper than the one found, where there are few enough units."""
    total = 0.0
    for part in _parts(system):
        free = np.flatnonzero(~part.first)
        if len(free) > 12:
            return None
        best = float(part.weight[hidden[part.units]].sum())
        for flags in itertools.product((False, True), repeat=len(free)):
            choice = part.first.copy()
            choice[free] = flags
            cost = float(part.weight[choice].sum())
            if cost < best - 1e-6 and _is_safe(part, choice):
                best = cost
        total += best
    return total
