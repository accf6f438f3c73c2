"""Linkage on a Spark cluster gives the clusters that DuckDB gives, and leaves nothing readable behind; `make test-spark`."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import pytest

from tests.spark.cluster import CLUSTER_VARIABLE, SMALL, Cluster
from tests.warehouse.linkage.children import fill_vault, sources
from warehouse import duck
from warehouse.linkage import LinkageConfig, run_linkage
from warehouse.settings import CommunityPaths, Settings
from warehouse.spark import session
from warehouse.vault import attach_vault, make_key_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PEOPLE = 3000
# Not compressed, so that the search for plain text would find what is not encrypted.
PLAIN = {
    "spark.shuffle.compress": "false",
    "spark.shuffle.spill.compress": "false",
    "spark.broadcast.compress": "false",
}


def on(cluster: Cluster, options: dict[str, str]) -> dict[str, object]:
    """Settings of linkage on this cluster."""
    return {"backend": "spark", "spark": {"master": cluster.master, "options": options}}


def linked(folder: Path, **settings: object) -> dict[str, str]:
    """Clusters of the same children in a new community: source person to the first source person of its cluster."""
    paths = CommunityPaths(folder).ensure()
    make_key_file(paths)
    con = duck.connect()
    attach_vault(con, paths, Settings(), purpose="test")
    fill_vault(con, sources(PEOPLE, seed=5)[0])
    con.close()
    config = LinkageConfig.model_validate({"duplicate_free": ["source_0"], **settings})
    report = run_linkage(paths, Settings(), config, ["d1"], "r1")
    print(settings.get("backend", "duckdb"), report.seconds)
    file = str(paths.crosswalk / "crosswalk.parquet")
    return dict(
        duckdb.sql(
            f"select source_person_key, min(source_person_key) over (partition by person_key) from '{file}'"
        ).fetchall()
    )


class Watch:
    """Reads what Spark writes while it works, and remembers which files hold a street or a surname in plain text."""

    def __init__(self, cluster: Cluster) -> None:
        table = sources(PEOPLE, seed=5)[0]
        words = {str(v).lower() for v in table["street_address"].to_pylist() if v and len(str(v)) > 8}
        self.words = [word.encode() for word in sorted(words)[:40]]
        self.cluster, self.found, self.read = cluster, set[str](), set[str]()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        while not self.stop.wait(0.1):
            for file in self.cluster.folder.rglob("*"):
                try:
                    if not file.is_file() or file.suffix == ".jar":
                        continue
                    content = file.read_bytes().lower()
                except OSError:  # Spark removes its files as it goes
                    continue
                if content:
                    self.read.add(file.name)
                if any(word in content for word in self.words):
                    self.found.add(file.name)

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return linked(tmp_path_factory.mktemp("duck"))


def test_spark_links_the_same_children_and_writes_nothing_in_plain(
    cluster: Cluster, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else who is one person depends on the engine, or identifiers lie readable on the disks of a cluster."""
    monkeypatch.setenv(CLUSTER_VARIABLE, cluster.secret)
    options = {**SMALL, **PLAIN, "spark.io.encryption.enabled": "false"}  # which must not take effect
    with Watch(cluster) as watch:
        got = linked(tmp_path, **on(cluster, options))
    assert len(set(expected.values())) < len(expected)
    assert got == expected
    assert any(name.startswith("shuffle_") for name in watch.read)
    assert not watch.found


def test_the_search_finds_what_is_not_encrypted(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that cannot fail would let plain text through."""
    monkeypatch.setenv(CLUSTER_VARIABLE, cluster.secret)
    monkeypatch.setitem(session.PROTECTED, "spark.io.encryption.enabled", "false")
    with Watch(cluster) as watch:
        linked(tmp_path, **on(cluster, {**SMALL, **PLAIN}))
    assert any(name.startswith("shuffle_") for name in watch.found)


def test_without_the_clusters_secret_nothing_is_sent(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else identifiers cross the wire in plain text."""
    monkeypatch.delenv(CLUSTER_VARIABLE, raising=False)
    with pytest.raises(session.SparkMissingError, match=CLUSTER_VARIABLE):
        linked(tmp_path, **on(cluster, SMALL))
