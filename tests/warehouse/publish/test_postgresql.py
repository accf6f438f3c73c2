"""A release in PostgreSQL: whole, described, switched in one step, in nobody's way."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import sqlalchemy as sa

from warehouse.publish import PublishError
from warehouse.publish.package import PackageTable, ReleaseFiles, read_release
from warehouse.publish.postgresql import Target
from warehouse.settings import Settings

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]

Server = Any
Shelf = Any


@pytest.fixture
def publish(
    database: Server, three_releases: Shelf, settings_for: Callable[[Server], Settings]
) -> Callable[..., str]:
    """Publish the n-th release (or given files) into the test's database."""

    def call(number: int = 1, files: ReleaseFiles | None = None, **options: Any) -> str:
        release = files or read_release(three_releases.releases[number - 1].path)
        target = Target.model_validate({"readers": ["bi_reader"], **options})
        return target.publish(release, three_releases.community.paths, settings_for(database))

    return call


def _release_ids(server: Server, table: str = "pub_indicator_rate_v1") -> list[str]:
    return [row[0] for row in server.rows(f"select distinct release_id from throughline.{table}")]


def test_every_table_has_the_rows_of_the_release(
    database: Server, three_releases: Shelf, publish: Callable[..., str]
) -> None:
    """If not, a dashboard on PostgreSQL tells another story than the files."""
    publish(1)
    folder = three_releases.releases[0].path
    for table in read_release(folder).tables:
        names = ", ".join(f'"{c.name}"' for c in table.columns)
        with duckdb.connect() as con:
            wanted = con.execute(
                f"select {names} from '{folder}/tables/{table.name}.parquet' order by all"
            ).fetchall()
        held = database.rows(f"select {names} from throughline.{table.name}")
        assert len(held) == table.rows
        assert sorted(held, key=repr) == sorted(wanted, key=repr), table.name


def test_sqlalchemy_sees_types_and_comments(database: Server, publish: Callable[..., str]) -> None:
    """If not, an analyst guesses what a column means."""
    publish(1)
    engine = sa.create_engine(
        database.url.replace("postgresql:", "postgresql+psycopg:").replace("publisher@", "bi_reader@")
    )
    inspector = sa.inspect(engine)
    views = inspector.get_view_names(schema="throughline")
    assert "pub_indicator_rate_v1" in views
    for view in views:
        assert inspector.get_table_comment(view, schema="throughline")["text"]
        columns = inspector.get_columns(view, schema="throughline")
        assert all(column["comment"] for column in columns)
        assert "release_id" in {column["name"] for column in columns}
    types = {
        c["name"]: str(c["type"])
        for c in inspector.get_columns("pub_indicator_rate_v1", schema="throughline")
    }
    assert (types["cohort_year"], types["rate"], types["is_suppressed"]) == (
        "BIGINT",
        "DOUBLE PRECISION",
        "BOOLEAN",
    )
    engine.dispose()


def test_a_key_is_found_by_an_index(database: Server, publish: Callable[..., str]) -> None:
    """If not, every filter of a dashboard reads the whole table."""
    publish(1)
    with database.connect() as con:
        con.execute("set enable_seqscan = off")
        plan = con.execute(
            "explain select rate from throughline.pub_indicator_rate_v1 "
            "where indicator_id = 'employment' and cohort_year = 2020"
        ).fetchall()
    assert any("Index Cond" in line and "indicator_id" in line and "release_id" in line for (line,) in plan)


def test_a_reader_may_look_at_views_and_at_nothing_behind_them(
    database: Server, publish: Callable[..., str]
) -> None:
    """If not, a reader sees releases that are not current, or changes what is published."""
    publish(1)
    with database.connect("bi_reader", autocommit=True) as con:
        assert con.execute("select count(*) from throughline.pub_indicator_rate_v1").fetchone() != (0,)
        for forbidden in (
            "select * from throughline_store.pub_indicator_rate_v1",
            "update throughline_store.current_release set release_id = 'x'",
            "update throughline.pub_indicator_rate_v1 set rate = 1",
            "create table throughline.mine (a int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                con.execute(forbidden.encode())


def test_a_switch_shows_the_next_release_and_keeps_the_one_before(
    database: Server, three_releases: Shelf, publish: Callable[..., str]
) -> None:
    """If not, readers keep old figures, or disks fill with releases."""
    ids = [report.release_id for report in three_releases.releases]
    for number in (1, 2, 3):
        publish(number)
        assert _release_ids(database) == [ids[number - 1]]
    held = database.rows("select distinct release_id from throughline_store.pub_indicator_rate_v1 order by 1")
    assert [row[0] for row in held] == ids[1:]
    publish(2)
    assert _release_ids(database) == [ids[1]]
    publish(1)
    assert _release_ids(database) == [ids[0]]


def test_publishing_twice_changes_nothing(database: Server, publish: Callable[..., str]) -> None:
    """If not, a repeated command moves what readers see."""
    publish(1)
    state = "select release_id, switched_at from throughline_store.current_release"
    rows = "select count(*), max(xmin::text::bigint) from throughline_store.pub_indicator_rate_v1"
    before = (database.rows(state), database.rows(rows))
    publish(1)
    assert (database.rows(state), database.rows(rows)) == before


def test_slow_and_dead_readers_are_in_nobodys_way(
    database: Server, three_releases: Shelf, publish: Callable[..., str]
) -> None:
    """If not, one forgotten notebook stops the nightly publication, or loses the rows it reads."""
    first, _, third = (report.release_id for report in three_releases.releases)
    publish(1)
    count = "select count(*), min(release_id), max(release_id) from throughline.pub_indicator_rate_v1"
    with (
        database.connect("bi_reader") as dead,
        database.connect("bi_reader") as steady,
        database.connect("bi_reader") as slow,
    ):
        dead.execute(count.encode())  # and never ends its transaction
        steady.execute("set transaction isolation level repeatable read")
        before = steady.execute("select count(*) from throughline.pub_gateway_rule_v1").fetchone()
        cursor = slow.cursor("slow")
        cursor.execute("select release_id from throughline.pub_indicator_rate_v1")
        taken = cursor.fetchmany(10)
        began = time.monotonic()
        publish(2, keep=0)
        publish(3, keep=0)
        assert time.monotonic() - began < 10
        assert _release_ids(database) == [third]
        # Within its transaction the steady reader sees one release, also in a table it had not looked at before.
        rows, low, high = steady.execute(count.encode()).fetchone() or (0, "", "")
        assert (low, high) == (first, first) and rows > 0
        assert steady.execute("select count(*) from throughline.pub_gateway_rule_v1").fetchone() == before
        assert {row[0] for row in [*taken, *cursor.fetchall()]} == {first}
        # The dead one's next statement sees the new release, whole.
        rows, low, high = dead.execute(count.encode()).fetchone() or (0, "", "")
        assert (low, high) == (third, third) and rows == three_releases.releases[2].row_counts[
            "pub_indicator_rate_v1"
        ]


def _damaged(files: ReleaseFiles, folder: Path, change: Callable[[str], str]) -> ReleaseFiles:
    """The release with one table's CSV file changed."""
    copy = folder / files.release_id
    shutil.copytree(files.folder, copy)
    csv = copy / "csv" / "pub_organization_v1.csv"
    csv.chmod(0o600)
    csv.write_text(change(csv.read_text()))
    return read_release(copy)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text + text.splitlines()[-1] + "\n", "duplicate key"),
        (lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "rows instead of"),
        (lambda text: text.replace("organization_name", "name", 1), "header"),
    ],
)
def test_a_failed_load_leaves_readers_what_they_have(
    database: Server,
    three_releases: Shelf,
    publish: Callable[..., str],
    tmp_path: Path,
    change: Callable[[str], str],
    told: str,
) -> None:
    """If not, half a release is read."""
    first = three_releases.releases[0].release_id
    publish(1)
    files = _damaged(read_release(three_releases.releases[1].path), tmp_path, change)
    with pytest.raises(PublishError, match=told) as caught:
        publish(files=files)
    assert "keep" in str(caught.value)
    assert _release_ids(database) == [first]
    assert database.rows("select distinct release_id from throughline_store.pub_indicator_rate_v1") == [
        (first,)
    ]
    publish(2)
    assert _release_ids(database) == [three_releases.releases[1].release_id]


def _with_column(files: ReleaseFiles, folder: Path) -> ReleaseFiles:
    """The release as a later version of the code would make it: one column more, before the last."""
    copy = folder / files.release_id
    shutil.copytree(files.folder, copy)
    package_file, csv = copy / "csv" / "datapackage.json", copy / "csv" / "pub_geography_v1.csv"
    for file in (package_file, csv):
        file.chmod(0o600)
    package = json.loads(package_file.read_text())
    (resource,) = [r for r in package["resources"] if r["path"] == csv.name]
    resource["schema"]["fields"].insert(1, {"name": "area_km2", "type": "number", "description": "Area."})
    package_file.write_text(json.dumps(package))
    with duckdb.connect() as con:
        names = [f["name"] for f in resource["schema"]["fields"]]
        con.execute(f"create table t as select *, 1.5 as area_km2 from read_csv('{csv}')")
        con.execute(f"copy (select {', '.join(names)} from t) to '{csv}' (format csv, header)")
    return read_release(copy)


def test_a_new_column_comes_last_and_an_older_release_still_fits(
    database: Server, three_releases: Shelf, publish: Callable[..., str], tmp_path: Path
) -> None:
    """If not, an upgrade breaks dashboards, or the way back."""
    publish(1)
    before = [r[0] for r in database.rows(_COLUMNS)]
    publish(files=_with_column(read_release(three_releases.releases[1].path), tmp_path))
    assert [r[0] for r in database.rows(_COLUMNS)] == [*before, "area_km2"]
    assert database.rows("select distinct area_km2 from throughline.pub_geography_v1") == [(1.5,)]
    publish(1)
    assert database.rows("select distinct area_km2 from throughline.pub_geography_v1") == [(None,)]


def test_a_new_column_waits_briefly_and_then_says_who_is_in_the_way(
    database: Server, three_releases: Shelf, publish: Callable[..., str], tmp_path: Path
) -> None:
    """If not, other readers queue behind a change that cannot be made."""
    publish(1)
    files = _with_column(read_release(three_releases.releases[1].path), tmp_path)
    waits: list[float] = []
    stop = threading.Event()

    def read() -> None:
        with database.connect("bi_reader", autocommit=True) as con:
            while not stop.is_set():
                began = time.monotonic()
                con.execute("select count(*) from throughline.pub_geography_v1")
                waits.append(time.monotonic() - began)

    with database.connect("bi_reader") as dead:
        dead.execute("select count(*) from throughline.pub_geography_v1")
        other = threading.Thread(target=read)
        other.start()
        try:
            with pytest.raises(PublishError, match="lock timeout"):
                publish(files=files, patience_seconds=1)
        finally:
            stop.set()
            other.join()
        assert max(waits) < 1
    assert _release_ids(database) == [three_releases.releases[0].release_id]
    publish(files=files, patience_seconds=1)
    assert _release_ids(database) == [three_releases.releases[1].release_id]


def test_a_column_that_changes_its_type_is_refused(
    database: Server, three_releases: Shelf, publish: Callable[..., str]
) -> None:
    """If not, a dashboard breaks without a new version of the table's name."""
    publish(1)
    files = read_release(three_releases.releases[1].path)
    changed = tuple(_as_text(table) for table in files.tables)
    with pytest.raises(PublishError, match="new version"):
        publish(files=ReleaseFiles(files.release_id, files.number, files.created_at, files.folder, changed))
    assert _release_ids(database) == [three_releases.releases[0].release_id]


def _as_text(table: PackageTable) -> PackageTable:
    return replace(table, columns=tuple(replace(c, kind="string") for c in table.columns))


def test_two_publications_do_not_meet(database: Server, publish: Callable[..., str]) -> None:
    """If not, a night and a person by hand load the same release twice."""
    with database.connect(autocommit=True) as con:
        con.execute("select pg_advisory_lock(hashtextextended('throughline throughline', 0))")
        with pytest.raises(PublishError, match="another process"):
            publish(1)


def test_a_server_that_is_away_is_told_without_the_password(three_releases: Shelf) -> None:
    """If not, a password stands in a log."""
    settings = Settings.model_validate({"postgres_url": "postgresql://me:secret-word@127.0.0.1:1/none"})
    with pytest.raises(PublishError) as caught:
        Target().publish(
            read_release(three_releases.releases[0].path), three_releases.community.paths, settings
        )
    assert "secret-word" not in str(caught.value) and "cannot be reached" in str(caught.value)


_COLUMNS = (
    "select column_name from information_schema.columns where table_schema = 'throughline' "
    "and table_name = 'pub_geography_v1' order by ordinal_position"
)
