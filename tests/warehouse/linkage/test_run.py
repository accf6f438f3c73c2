"""A linkage run gives a crosswalk that stays the same when nothing changes and keeps keys when things do."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.warehouse.linkage.children import fill_vault, sources
from warehouse import duck
from warehouse.linkage import LinkageConfig, run_linkage, score
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, make_key_file

RECORDS = [
    # key, partner, delivery, first, last, birth date, zip, state id
    ("a1", "north", "d1", "José", "García-López", "2010-02-03", "12345", "70001"),
    ("a2", "north", "d1", "Mary", "Jones", "2011-05-06", "12345", "70002"),
    ("a3", "north", "d1", "Marcus", "Jones", "2011-05-06", "12345", "70003"),
    ("b1", "south", "d2", "Jose", "Garcia Lopez", "2010-02-03", "12345", None),
    ("b2", "south", "d2", "Maryann", "Smith", "2011-06-05", "99999", "70002"),
    ("b3", "south", "d2", "Mary", "Jones", "2011-05-06", "99999", "70003"),
]


@pytest.fixture
def paths(tmp_path: Path) -> CommunityPaths:
    found = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(found)
    con = duck.connect()
    attach_vault(con, found, Settings(), purpose="test")
    insert(con, RECORDS)
    con.close()
    return found


def insert(con: duckdb.DuckDBPyConnection, records: list[tuple[str | None, ...]]) -> None:
    con.executemany(
        """insert into vault.identifier_record by name select $1 as source_person_key, $2 as partner_id,
        $2 as issuer_id, 'f' as feed_id, $3 as delivery_id, 1 as delivery_seq, $4 as first_name, $5 as last_name,
        $6::date as birth_date, $7 as postal_code, $8 as state_student_id, 1 as row_n""",
        records,
    )


def crosswalk(paths: CommunityPaths) -> dict[str, str]:
    file = str(paths.crosswalk / "crosswalk.parquet")
    return dict(duckdb.sql(f"select source_person_key, person_key from '{file}'").fetchall())


CONFIG = LinkageConfig(duplicate_free=["north", "south"], probabilistic=False)


def test_rules_link_the_same_child_and_keep_co_twins_apart(paths: CommunityPaths) -> None:
    """Else one child's outcomes are counted as another's."""
    report = run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], "r1")
    keys = crosswalk(paths)
    assert keys["a1"] == keys["b1"]  # accents and hyphen
    assert keys["a2"] == keys["b2"]  # shared state id and a similar first name
    assert keys["a3"] != keys["b3"]  # a co-twin's state id with another first name
    assert (report.changed, report.source_persons, report.persons) == (True, 6, 4)
    assert all(len(key) == 32 for key in keys.values())


def test_children_of_a_file_without_names_stay_apart(paths: CommunityPaths) -> None:
    """Else a vendor's deidentified file ('FirstName_01') ends as one child with one score."""
    names = [
        (f"v{n}", "vendor", "d9", f"FirstName_0{n}", f"LastName_0{n}", f"2017-0{n}-11", None, f"60500{n}")
        for n in range(1, 9)
    ]
    con = duck.connect()
    attach_vault(con, paths, Settings(), purpose="test")
    insert(con, names)
    insert(con, [("w1", "other", "d9", "FirstName_01", "LastName_01", "2017-01-11", None, None)])
    con.close()
    run_linkage(paths, Settings(), LinkageConfig(), ["d9"], "r1")
    keys = crosswalk(paths)
    assert len({keys[f"v{n}"] for n in range(1, 9)}) == 8
    assert keys["w1"] == keys["v1"]


def test_an_unchanged_night_touches_nothing(paths: CommunityPaths) -> None:
    """Else every night makes a new release."""
    run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], "r1")
    file = paths.crosswalk / "crosswalk.parquet"
    before = file.stat()
    report = run_linkage(paths, Settings(), CONFIG, ["d2", "d1"], "r2")
    assert not report.changed and report.persons == 4
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_run_cut_off_before_publishing_is_made_good(paths: CommunityPaths) -> None:
    """Else a crash leaves a crosswalk that does not fit the vault for ever."""
    run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], "r1")
    before = crosswalk(paths)
    (paths.crosswalk / "crosswalk.parquet").unlink()
    run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], "r2")
    assert crosswalk(paths) == before


def test_keys_survive_withdrawal_and_return_of_a_delivery(paths: CommunityPaths) -> None:
    """Else a withdrawn file renames people for ever."""
    run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], "r1")
    before = crosswalk(paths)
    run_linkage(paths, Settings(), CONFIG, ["d1"], "r2")
    assert crosswalk(paths) == {k: v for k, v in before.items() if k.startswith("a")}
    run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], "r3")
    assert crosswalk(paths) == before


def test_an_empty_vault_gives_an_empty_crosswalk(tmp_path: Path) -> None:
    """Else the first night of a community without people fails."""
    found = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(found)
    report = run_linkage(found, Settings(), LinkageConfig(), [], "r1")
    assert report.source_persons == 0 and crosswalk(found) == {}


def test_a_night_with_few_changes_links_only_those_and_as_well(tmp_path: Path) -> None:
    """If it did not, a large vault would be linked anew every night, or newcomers would stay strangers."""
    found = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(found)
    table, _ = sources(900, seed=2)
    config = LinkageConfig(
        duplicate_free=["source_0", "source_1"], incremental_from=0, train_minimum=100, retrain_share=0.5
    )
    cut, modes = table.num_rows - 150, []
    for night, part in enumerate((table.slice(0, cut), table.slice(cut))):
        con = duck.connect()
        attach_vault(con, found, Settings(), purpose="test")
        fill_vault(con, part, delivery=f"d{night}")
        con.close()
        modes.append(
            run_linkage(found, Settings(), config, [f"d{n}" for n in range(night + 1)], f"r{night}").mode
        )
    assert modes == ["full", "incremental"]
    keys = crosswalk(found)
    person = dict(zip(table["source_person_key"].to_pylist(), table["person"].to_pylist(), strict=True))
    late = set(table["source_person_key"].to_pylist()[cut:])
    pairs = [(a, b) for a in late for b in person if a != b and (a < b or b not in late)]
    right = sum(keys[a] == keys[b] and person[a] == person[b] for a, b in pairs)
    assert right >= 0.98 * sum(keys[a] == keys[b] for a, b in pairs)
    assert right >= 0.97 * sum(person[a] == person[b] for a, b in pairs) > 50


def _edges(
    root: Path, table: pa.Table, config: LinkageConfig
) -> tuple[list[tuple[object, ...]], dict[str, str]]:
    """What a first night scores, and the persons that it makes of it by their smallest source key."""
    found = CommunityPaths(root).ensure()
    make_key_file(found)
    con = duck.connect()
    attach_vault(con, found, Settings(), purpose="test")
    fill_vault(con, table)
    con.close()
    run_linkage(found, Settings(), config, ["d1"], "r1")
    con = duck.connect()
    attach_vault(con, found, Settings(), purpose="test")
    edges = con.execute("select * from vault.link_edge order by all").fetchall()
    con.close()
    first: dict[str, str] = {}
    for source, person in sorted(crosswalk(found).items()):
        first.setdefault(person, source)
    return edges, {source: first[person] for source, person in crosswalk(found).items()}


def test_pairs_made_part_by_part_are_the_pairs_made_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, people whose records fall into two parts of a large vault stay strangers to each other."""
    table, _ = sources(300, seed=5)
    config = LinkageConfig(duplicate_free=["source_0", "source_1"], train_minimum=100)
    edges, persons = _edges(tmp_path / "whole", table, config)
    monkeypatch.setattr(score, "_PART", 150)
    assert table.num_rows > 300
    in_parts, persons_in_parts = _edges(tmp_path / "parts", table, config)
    assert len(edges) > 100 and persons_in_parts == persons
    assert [row[:2] for row in in_parts] == [row[:2] for row in edges]
    weights = [w for row in in_parts for w in row[2:] if w is not None]
    assert weights == pytest.approx([w for row in edges for w in row[2:] if w is not None])


def test_a_file_sent_again_with_one_correction_changes_one_child(tmp_path: Path) -> None:
    """If not, each correction of a school year links all of its pupils anew, and most nights link everybody."""
    found = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(found)
    table, _ = sources(400, seed=3)
    config = LinkageConfig(
        duplicate_free=["source_0", "source_1"], incremental_from=0, train_minimum=100, retrain_share=0.01
    )
    of = {n: table.filter(pc.equal(table["partner_id"], f"source_{n}")) for n in (0, 1)}
    corrected = of[0].to_pylist()
    child = corrected[7]["source_person_key"]
    corrected[7]["postal_code"] = "00000"
    drops = {
        "d0": of[0],
        "d1": of[1],
        "d2": pa.Table.from_pylist(corrected, schema=of[0].schema),
        "d3": of[0],
    }
    keys = []
    for in_force, mode in (
        (["d0", "d1"], "full"),
        (["d1", "d2"], "incremental"),
        (["d1", "d3"], "incremental"),
    ):
        con = duck.connect()
        attach_vault(con, found, Settings(), purpose="test")
        for delivery in in_force:
            if delivery in drops:
                fill_vault(con, drops.pop(delivery), delivery=delivery)
        con.close()
        report = run_linkage(found, Settings(), config, in_force, "-".join(in_force))
        assert report.mode == mode
        keys.append(crosswalk(found))
    assert {node for node in keys[0] if keys[0][node] != keys[1][node]} <= {child}
    assert keys[2] == keys[0]
    con = duck.connect()
    attach_vault(con, found, Settings(), purpose="test")
    state = json.loads(con.execute("select content::varchar from vault.link_state").fetchall()[0][0])
    assert state["changed_since"] == 2  # corrected, and back again


def test_an_engine_without_its_cluster_is_refused() -> None:
    """Else a community believes that its cluster links, while one machine does."""
    with pytest.raises(ValueError, match=r"spark: \{master: spark://HOST:PORT\}"):
        LinkageConfig.model_validate({"backend": "spark"})
    assert LinkageConfig().backend == "duckdb"
