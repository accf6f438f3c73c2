"""Review in the browser, what explains a pair, and that a decision is obeyed for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import duckdb
import pytest

from tests.warehouse.linkage.test_run import crosswalk, insert
from warehouse import duck
from warehouse.linkage import LinkageConfig, run_linkage
from warehouse.linkage.explain import NoExplanationError, explain, waterfall_svg
from warehouse.linkage.history import UnknownKeyError, write_extract
from warehouse.linkage.review import pending, queue_length
from warehouse.linkage.review_page import ReviewServer
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, make_key_file

CONFIG = LinkageConfig(duplicate_free=["north", "south"])
# Co-twins, each known to one source, and one child under a nickname.
RECORDS = [
    ("a1", "north", "d1", "<b>Rosa</b>", "Quigley", "2010-02-03", "12345", None),
    ("a2", "north", "d1", "Elizabeth", "Okafor", "2011-05-06", "12345", None),
    ("b1", "south", "d2", "Tamika", "Quigley", "2010-02-03", "12345", None),
    ("b2", "south", "d2", "Liz", "Okafor", "2011-05-06", "12345", None),
]


@pytest.fixture
def paths(tmp_path: Path) -> CommunityPaths:
    found = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(found)
    con = _open(found)
    insert(con, RECORDS)
    con.close()
    run_linkage(found, Settings(), CONFIG, ["d1", "d2"], "r1")
    return found


def _open(paths: CommunityPaths) -> duckdb.DuckDBPyConnection:
    con = duck.connect()
    attach_vault(con, paths, Settings(), purpose="test")
    return con


@pytest.fixture
def served(paths: CommunityPaths) -> Iterator[ReviewServer]:
    con = _open(paths)
    server = ReviewServer(con, "ada", lambda: datetime(2026, 1, 1, tzinfo=UTC), show_score=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    con.close()


def _get(url: str, data: dict[str, str] | None = None, **headers: str) -> str:
    body = urlencode(data).encode() if data else None
    with urlopen(Request(url, body, headers)) as answer:  # noqa: S310 - our own page on loopback
        return str(answer.read().decode())


def test_a_decision_on_the_page_is_obeyed_by_every_later_linkage(
    paths: CommunityPaths, served: ReviewServer
) -> None:
    """If not, reviewers work for nothing."""
    text = _get(served.address)
    assert "Quigley" in text and "&lt;b&gt;Rosa" in text and "<b>Rosa" not in text and "<svg" in text
    before = crosswalk(paths)
    assert before["a1"] != before["b1"] and before["a2"] == before["b2"]
    assert "Nothing waits" in _get(served.address, {"left": "a1", "right": "b1", "decision": "match"})
    served.con.execute("detach vault")
    for night in ("r2", "r3"):
        run_linkage(paths, Settings(), CONFIG, ["d1", "d2"], night)
        keys = crosswalk(paths)
        assert keys["a1"] == keys["b1"]


def test_the_page_is_closed_to_strangers(served: ReviewServer) -> None:
    """If not, any page in the browser, or another user of the machine, reads names."""
    base = f"http://127.0.0.1:{served.server_port}/"
    for url, host in (
        (base, "127.0.0.1"),
        (base + "x" * 32 + "/", "127.0.0.1"),
        (served.address, "evil.example"),
    ):
        with pytest.raises(HTTPError) as refused:
            _get(url, Host=host)
        assert refused.value.code == 404
    with pytest.raises(HTTPError):
        _get(served.address, {"left": "a1", "right": "nobody", "decision": "match"})


def test_a_pair_is_explained_by_weights_that_add_up(paths: CommunityPaths) -> None:
    """If not, nobody can tell why two records are one person."""
    con = _open(paths)
    assert queue_length(con) == {"first names differ": 1} and len(pending(con)) == 1
    twins, same = explain(con, "b1", "a1"), explain(con, "a2", "b2")
    for found in (twins, same):
        assert sum(step.weight for step in found.steps) == pytest.approx(found.weight, abs=0.01)
    assert (twins.same_person, twins.waits) == (False, "first names differ")
    assert same.same_person and {s.comparison: s.weight > 0 for s in same.steps}["first"]
    assert (
        "Quigley" not in waterfall_svg(twins) and waterfall_svg(twins).count("<rect") == len(twins.steps) + 1
    )
    with pytest.raises(NoExplanationError):
        explain(con, "a1", "nobody")
    con.close()


def test_extracts_of_two_projects_cannot_be_joined(tmp_path: Path) -> None:
    """If they could, two projects together would know more than either may."""
    table = tmp_path / "t.csv"
    table.write_text("person_key,grade\nk1,3\nk1,4\nk2,3\n", encoding="utf-8")
    con, seen = duck.connect(), []
    for secret in (b"one", b"one", b"two"):
        assert write_extract(con, table, tmp_path / "out.csv", secret) == 3
        lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == "project_person_key,grade"
        seen.append({line.split(",")[0] for line in lines[1:]})
    assert seen[0] == seen[1] and len(seen[0]) == 2 and not seen[0] & (seen[2] | {"k1", "k2"})
    with pytest.raises(UnknownKeyError, match="past the project"):
        table.write_text("person_key,source_person_key\nk1,s1\n", encoding="utf-8")
        write_extract(con, table, tmp_path / "out.csv", b"one")
