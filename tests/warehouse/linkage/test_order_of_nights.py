"""The same deliveries give the same persons however they are spread over nights."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests.warehouse.linkage.children import fill_vault, sources
from warehouse import duck
from warehouse.linkage import LinkageConfig, run_linkage
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, make_key_file

Nights = list[list[str]]
WHOLE = LinkageConfig(duplicate_free=["source_0", "source_1"], train_minimum=100)
# Links only what is new, under the model of the first night.
BY_CHANGE = WHOLE.model_copy(update={"incremental_from": 0, "retrain_share": 1.0})
BASE = ["d0", "d1"]


@pytest.fixture(scope="module")
def deliveries() -> dict[str, pa.Table]:
    """Six deliveries that hold people of two sources in no order: two large ones and four small ones."""
    table, _ = sources(400, seed=6)
    order = np.random.default_rng(6).permutation(table.num_rows)
    cuts = [int(share * table.num_rows) for share in (0, 0.35, 0.7, 0.78, 0.86, 0.94, 1)]
    return {f"d{n}": table.take(order[start:end]) for n, (start, end) in enumerate(pairwise(cuts))}


def _link(
    root: Path, deliveries: dict[str, pa.Table], config: LinkageConfig, nights: Nights
) -> CommunityPaths:
    found = CommunityPaths(root).ensure()
    make_key_file(found)
    known: list[str] = []
    for n, night in enumerate(nights):
        con = duck.connect()
        attach_vault(con, found, Settings(), purpose="test")
        for name in night:
            fill_vault(con, deliveries[name], delivery=name)
        con.close()
        known += night
        report = run_linkage(found, Settings(), config, known, f"r{n}")
        if config is BY_CHANGE:
            assert report.mode == ("incremental" if n else "full")
    return found


def _persons(paths: CommunityPaths) -> set[frozenset[str]]:
    """The records of each person; the keys themselves are random."""
    by_key: dict[str, set[str]] = defaultdict(set)
    file = str(paths.crosswalk / "crosswalk.parquet")
    for record, person in duckdb.sql(f"select source_person_key, person_key from '{file}'").fetchall():
        by_key[person].add(record)
    return {frozenset(records) for records in by_key.values()}


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory, deliveries: dict[str, pa.Table]) -> CommunityPaths:
    """All deliveries in one night."""
    return _link(tmp_path_factory.mktemp("once"), deliveries, WHOLE, [sorted(deliveries)])


def test_deliveries_spread_over_nights_give_the_same_persons(
    tmp_path: Path, deliveries: dict[str, pa.Table], at_once: CommunityPaths
) -> None:
    """If not, whom a child is taken for depends on which day a partner drops its file."""
    spread = _link(tmp_path, deliveries, WHOLE, [["d5", "d3", "d1"], ["d4", "d0", "d2"]])
    assert _persons(spread) == _persons(at_once)


def test_what_is_linked_by_change_does_not_depend_on_the_nights_either(
    tmp_path: Path, deliveries: dict[str, pa.Table]
) -> None:
    """If not, a large community's persons depend on the order in which its partners' files come."""
    together = _link(tmp_path / "together", deliveries, BY_CHANGE, [BASE, ["d2", "d3", "d4", "d5"]])
    spread = _link(tmp_path / "spread", deliveries, BY_CHANGE, [BASE, ["d5"], ["d4", "d2"], ["d3"]])
    assert _persons(spread) == _persons(together)


def test_linking_again_changes_no_key(at_once: CommunityPaths, deliveries: dict[str, pa.Table]) -> None:
    """If not, each night renames children."""
    file = at_once.crosswalk / "crosswalk.parquet"
    query = f"select source_person_key, person_key from '{file}' order by all"
    before = duckdb.sql(query).fetchall()
    other = WHOLE.model_copy(update={"t_review": WHOLE.t_review / 2})  # links anew, and the same
    report = run_linkage(at_once, Settings(), other, sorted(deliveries), "again")
    assert report.changed and duckdb.sql(query).fetchall() == before
