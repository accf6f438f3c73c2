"""A partner that sends encodings instead of identifiers is linked, and its records tell nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.warehouse.linkage.children import sources
from tests.warehouse.linkage.test_run import CONFIG, crosswalk, insert
from warehouse import duck
from warehouse.linkage import run_linkage
from warehouse.linkage.encoded import (
    FIELDS,
    encode,
    keep_encoded_links,
    link_encoded,
    read_encoding,
    vault_encodings,
)
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, make_key_file

SECRET = b"a secret of two partners"
ANN = {"first_name": "Ann", "last_name": "O'Neil", "birth_date": "2010-02-03", "sex": "F"}


def test_encoding_follows_folding_and_the_secret() -> None:
    """If not, accents part a child from herself, or everybody can compute what only two may."""
    same = {"first_name": "ÁNN", "last_name": "oneil", "birth_date": "2010-02-03", "sex": "f"}
    assert encode(ANN, SECRET) == encode(same, SECRET) != encode(ANN, SECRET + b"!")
    assert not read_encoding(encode({}, SECRET)).any()
    with pytest.raises(ValueError, match="256"):
        read_encoding("00ff")


def test_children_are_found_by_their_encodings_alone() -> None:
    """If not, a partner that may not disclose is lost to the partnership."""
    table, _ = sources(500, seed=5)
    sides: list[dict[str, str]] = [{}, {}]
    person = {}
    for row in table.to_pylist():
        values = {name: str(row[name]) if row.get(name) else None for name in FIELDS}
        sides[int(row["partner_id"][-1])][row["source_person_key"]] = encode(values, SECRET)
        person[row["source_person_key"]] = row["person"]
    links = link_encoded(*sides)
    true = len({person[key] for key in sides[0]} & {person[key] for key in sides[1]})
    right = sum(person[link.left] == person[link.right] for link in links)
    assert right / len(links) > 0.985 and right / true > 0.85


def test_links_do_not_depend_on_order() -> None:
    """If they did, a second run would link others."""
    rng = random.Random(1)
    keys = [f"k{n}" for n in range(60)]
    codes = {key: encode({"first_name": f"{rng.random()}", "last_name": key}, SECRET) for key in keys}
    rng.shuffle(keys)
    assert link_encoded(codes, codes) == link_encoded({k: codes[k] for k in keys}, codes)
    assert len(link_encoded(codes, codes)) == 60 and link_encoded({}, codes) == []


def test_an_encoded_partner_joins_the_person_of_the_others(tmp_path: Path) -> None:
    """If not, its records stay nobody's, though the encodings agree."""
    paths = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(paths)
    con = duck.connect()
    attach_vault(con, paths, Settings(), purpose="test")
    insert(con, [("a1", "north", "d1", "Ann", "O'Neil", "2010-02-03", None, None), ("a2", "north", "d1", "Bo", "Li", "2011-02-03", None, None)])  # fmt: skip
    insert(con, [("c1", "clinic", "d2", None, None, None, None, None)])
    found = link_encoded({"c1": encode({**ANN, "sex": None}, SECRET)}, vault_encodings(con, "clinic", SECRET))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert (keep_encoded_links(con, found, now), keep_encoded_links(con, found, now)) == (1, 0)
    con.close()
    run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], "r1")
    keys = crosswalk(paths)
    assert keys["c1"] == keys["a1"] != keys["a2"]
