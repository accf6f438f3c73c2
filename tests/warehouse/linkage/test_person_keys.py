"""Person keys over random histories: nights in which records come, go, join and part in any way."""

from __future__ import annotations

from collections import Counter
from itertools import count, permutations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from warehouse.linkage.history import UnknownKeyError, crosswalk_as_of, key_history
from warehouse.linkage.persons import assign_person_keys
from warehouse.vault.schema import create_tables

NODES = "abcdef"
# A night says for each record to which cluster it belongs; records that are missing are not in force.
NIGHT = st.dictionaries(st.sampled_from(NODES), st.integers(0, 3))
HISTORY = st.lists(NIGHT, min_size=1, max_size=5)
QUICK = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Keys = dict[str, str]


def _vault() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("attach ':memory:' as vault")
    create_tables(con)
    return con


def _night(
    con: duckdb.DuckDBPyConnection, clusters: dict[str, int], number: int, *, reverse: bool = False
) -> Keys:
    """Assign keys; records and clusters come in either order. Keys are numbers that go on from night to night."""
    rows = sorted(clusters.items(), reverse=reverse)
    order = sorted({cluster for _, cluster in rows}, reverse=reverse)
    linked = pa.table(
        {
            "node": pa.array([node for node, _ in rows], pa.string()),
            "cluster": pa.array([order.index(cluster) for _, cluster in rows], pa.int64()),
            "link_confidence": pa.array([1.0] * len(rows), pa.float64()),
            "link_stage": pa.array(["single"] * len(rows), pa.string()),
        }
    )
    con.register("given", linked)
    con.execute("create or replace temp table linked as from given")
    con.unregister("given")
    fresh = count(1000 * number)
    assign_person_keys(
        con,
        number,
        f"run{number}",
        lambda size: b"".join(next(fresh).to_bytes(16, "big") for _ in range(size // 16)),
    )
    return _crosswalk(con, number)


def _crosswalk(con: duckdb.DuckDBPyConnection, number: int) -> Keys:
    table = crosswalk_as_of(con, number)
    return dict(zip(table["source_person_key"].to_pylist(), table["person_key"].to_pylist(), strict=True))


def _groups(labels: dict[str, object]) -> set[frozenset[str]]:
    return {frozenset(n for n in labels if labels[n] == label) for label in labels.values()}


@QUICK
@given(HISTORY)
def test_keys_name_the_clusters_and_every_past_state_can_be_rebuilt(history: list[dict[str, int]]) -> None:
    """If not, a person has two keys, or a past release cannot be explained."""
    con = _vault()
    told = [_night(con, clusters, number) for number, clusters in enumerate(history, 1)]
    for number, (clusters, keys) in enumerate(zip(history, told, strict=True), 1):
        assert _groups(dict(keys)) == _groups(dict(clusters))
        assert _crosswalk(con, number) == keys
    con.close()


@QUICK
@given(HISTORY)
def test_a_key_is_never_given_to_records_of_others(history: list[dict[str, int]]) -> None:
    """If it were, an old extract would tell of another child."""
    con = _vault()
    earlier: dict[str, set[str]] = {}
    for number, clusters in enumerate(history, 1):
        before = _crosswalk(con, number - 1) if number > 1 else {}
        keys = _night(con, clusters, number)
        for key in set(keys.values()):
            holders = {node for node in keys if keys[node] == key}
            if key in earlier:
                assert holders & earlier[key], "a key went on to records that never had it"
            earlier.setdefault(key, set()).update(holders)
        assert set(before.values()) <= set(earlier)
    con.close()


@QUICK
@given(HISTORY)
def test_keys_follow_the_largest_overlap(history: list[dict[str, int]]) -> None:
    """If not, a merge or split renames more records than it must."""
    con = _vault()
    last: Keys = {}  # the key that each record had last, in force or not
    for number, clusters in enumerate(history, 1):
        keys = _night(con, clusters, number)
        overlap = Counter((clusters[node], last[node]) for node in clusters if node in last)
        kept = sum(
            overlap[(clusters[node], keys[node])] for node in {c: n for n, c in clusters.items()}.values()
        )
        assert kept == _most(overlap)
        last |= keys
    con.close()


def _most(overlap: Counter[tuple[int, str]]) -> int:
    """Most records that can keep their key, by trying every assignment."""
    clusters, keys = sorted({c for c, _ in overlap}), sorted({k for _, k in overlap})
    spare = [*keys, *[None] * len(clusters)]
    return max(
        sum(overlap[(c, k)] for c, k in zip(clusters, chosen, strict=True) if k)
        for chosen in permutations(spare, len(clusters))
    )


@QUICK
@given(HISTORY)
def test_every_old_key_resolves_to_where_its_records_are(history: list[dict[str, int]]) -> None:
    """If not, last year's extract can no longer be joined."""
    con = _vault()
    held: dict[str, set[str]] = {}
    keys: Keys = {}
    for number, clusters in enumerate(history, 1):
        keys = _night(con, clusters, number)
        for node, key in keys.items():
            held.setdefault(key, set()).add(node)
    statuses = dict(con.execute("select person_key, status from vault.person").fetchall())
    assert set(statuses) == set(held)
    for key, nodes in held.items():
        found = key_history(con, key)
        assert set(found.present_keys) == {keys[node] for node in nodes if node in keys}
        assert (statuses[key] == "active") == (key in keys.values())
        assert found.events
    # Survivors never run in a circle.
    survivors = dict(con.execute("select person_key, survivor_key from vault.person").fetchall())
    for key in survivors:
        seen = {key}
        while statuses[key] != "active" and survivors[key]:
            key = survivors[key]
            assert key not in seen
            seen.add(key)
    con.close()


@QUICK
@given(HISTORY)
@example(
    [{"a": 0, "b": 0, "c": 1}, {"a": 0, "f": 0}, {"a": 0, "b": 1, "c": 0, "f": 0}]
)  # two matchings of equal weight
def test_order_and_repetition_change_nothing(history: list[dict[str, int]]) -> None:
    """If they did, the same deliveries would name people otherwise on another machine."""
    one, other = _vault(), _vault()
    for number, clusters in enumerate(history, 1):
        assert _night(one, clusters, number) == _night(other, clusters, number, reverse=True)
    events = one.execute("select count(*) from vault.person_event").fetchone()
    again = _night(one, history[-1], len(history) + 1)
    assert again == _crosswalk(other, len(history))
    assert one.execute("select count(*) from vault.person_event").fetchone() == events
    one.close()
    other.close()


def test_an_unknown_key_is_said() -> None:
    """If not, a typing slip reads like a person who left."""
    with pytest.raises(UnknownKeyError):
        key_history(_vault(), "0" * 32)
