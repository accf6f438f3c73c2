"""Ledgers of every version are brought to the present one, on SQLite and PostgreSQL, and lose nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from warehouse.backup import back_up, restore
from warehouse.ledger import Delivery, LakeFile, Ledger, LedgerError, copy_ledger
from warehouse.ledger.migrate import migrate, newest, version, versions
from warehouse.ledger.tables import Base
from warehouse.settings import CommunityPaths, Settings

_OLD = (Path(__file__).with_name("before_migrations.sql")).read_text(encoding="utf-8")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    server: Any = request.getfixturevalue("database")
    return str(server.url).replace("postgresql://", "postgresql+psycopg2://")


def _write_old(url: str) -> None:
    with sa.create_engine(url).begin() as con:
        old = _OLD if con.dialect.name == "postgresql" else _OLD.replace(" timestamp", " datetime")
        for statement in old.split(";\n"):
            if statement.strip():
                con.exec_driver_sql(statement)
        if con.dialect.name == "postgresql":
            # SQLAlchemy gave PostgreSQL's column a sequence.
            con.exec_driver_sql(
                "create sequence delivery_event_event_n_seq start 2 owned by delivery_event.event_n"
            )
            con.exec_driver_sql(
                "alter table delivery_event alter event_n set default nextval('delivery_event_event_n_seq')"
            )


def _differences(url: str) -> list[Any]:
    with sa.create_engine(url).connect() as con:
        context = MigrationContext.configure(con, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _open(url: str, root: Path) -> Ledger:
    return Ledger.open(CommunityPaths(root / "town"), Settings(ledger_url=url))


def test_a_new_ledger_has_the_schema_of_the_models(url: str, tmp_path: Path) -> None:
    """If not, a new community works on another schema than an upgraded one."""
    _open(url, tmp_path)
    assert version(sa.create_engine(url)) == newest()
    assert _differences(url) == []


def test_a_ledger_from_before_migrations_is_upgraded_and_keeps_everything(url: str, tmp_path: Path) -> None:
    """If not, an upgrade forgets deliveries: they are read again, or withdrawn ones count again."""
    _write_old(url)
    ledger = _open(url, tmp_path)
    assert _differences(url) == []
    assert [file.path for file in ledger.current_files()] == ["lake/a1.parquet"]
    assert ledger.find("a1").findings == [{"code": "late_exit"}]  # type: ignore[union-attr]
    ledger.reinstate("a2", datetime(2024, 4, 1, tzinfo=UTC))
    assert [file.path for file in ledger.current_files()] == ["lake/a2.parquet"]
    _open(url, tmp_path)


@pytest.mark.parametrize("stop", versions())
def test_an_upgrade_that_was_cut_off_is_finished_by_the_next(stop: str, tmp_path: Path) -> None:
    """If not, a machine that went down in an upgrade leaves a ledger that nothing opens."""
    from alembic import command
    from alembic.config import Config

    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    config = Config()
    config.set_main_option("script_location", "warehouse:ledger/migrations")
    with sa.create_engine(url).connect() as con:
        config.attributes["connection"] = con
        command.upgrade(config, stop)
        con.commit()
    migrate(sa.create_engine(url))
    assert _differences(url) == []


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """If not, an old installation writes into a schema that it does not know."""
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    _open(url, tmp_path)
    with sa.create_engine(url).begin() as con:
        con.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(LedgerError, match="9999, which this"):
        _open(url, tmp_path)


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    """If not, the operator reads a traceback with the password in it."""
    with pytest.raises(LedgerError, match="THROUGHLINE_LEDGER_URL") as error:
        _open("postgresql+psycopg2://me:s3cret@127.0.0.1:1/ledger", tmp_path)
    assert "s3cret" not in str(error.value)


def test_a_backup_holds_a_ledger_that_lies_in_a_database(url: str, tmp_path: Path) -> None:
    """If not, a community on PostgreSQL is restored without knowing any delivery."""
    paths = CommunityPaths(tmp_path / "town")
    paths.root.mkdir()
    paths.config.write_text("community_id: town\nname: Town\n")
    paths.ensure()
    _write_old(url)
    assert not paths.ledger.exists()
    back_up(paths, Settings(ledger_url=url), tmp_path / "kept.tar.gz")
    restore(tmp_path / "kept.tar.gz", tmp_path / "files")
    assert len(Ledger.open(CommunityPaths(tmp_path / "files"), Settings()).delivery_rows()) == 2
    with pytest.raises(LedgerError, match="holds deliveries already"):
        restore(tmp_path / "kept.tar.gz", tmp_path / "again", Settings(ledger_url=url))
    assert not (tmp_path / "again").exists()


def test_a_copied_ledger_goes_on_counting(url: str, tmp_path: Path) -> None:
    """If not, the first withdrawal after a move to PostgreSQL fails."""
    old = f"sqlite:///{tmp_path / 'old.sqlite'}"
    _write_old(old)
    assert copy_ledger(sa.create_engine(old), sa.create_engine(url)) == 5
    ledger = _open(url, tmp_path)
    ledger.reinstate("a2", datetime(2024, 4, 1, tzinfo=UTC))
    delivery = Delivery(
        delivery_id="a3", delivery_seq=ledger.next_sequence(), partner_id="oak", feed_id="k12_enrollment",
        mapping="students", mode="full_snapshot", file_name="3.csv", sha256="ee", size_bytes=3_000_000_000,
        received_at=datetime(2024, 5, 1, tzinfo=UTC), status="accepted", rows_in=1, rows_accepted=1,
        rows_quarantined=0, rows_refused=0, rows_not_applicable=0,
    )  # fmt: skip
    ledger.record(delivery, [LakeFile("k12_enrollment", "oak", "a3", 3, "2024", "lake/a3.parquet", 1, "ff")])
    assert [file.path for file in ledger.current_files()] == ["lake/a3.parquet"]
