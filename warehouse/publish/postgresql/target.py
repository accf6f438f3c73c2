"""The PostgreSQL target: prepare, load beside, switch, remove what is old.

What belongs here: options, connection, the order of the steps. What does not: statements on tables.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from pydantic import Field

from warehouse.publish.base import PublishError, PublishTarget
from warehouse.publish.package import PackageTable, ReleaseFiles
from warehouse.publish.postgresql.load import load_release, remove_old, switch_release
from warehouse.publish.postgresql.store import Store, current_release, lock_store, prepare_store, run
from warehouse.settings import CommunityPaths, Settings

# While a lock is waited for, readers queue behind it: never longer than this.
_LOCK_TIMEOUT = "200ms"
_IN_THE_WAY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


class Target(PublishTarget):
    """Options of the target; its URL, with its password, comes from THROUGHLINE_POSTGRES_URL."""

    schema_name: str = Field(
        "throughline",
        alias="schema",
        pattern=r"^[a-z][a-z0-9_]{0,50}$",
        description="Schema of the `pub_*` views.",
    )
    readers: list[str] = Field(default_factory=list, description="Existing roles that may read the views.")
    keep: int = Field(1, ge=0, description="Earlier releases whose rows stay, for a quick way back.")
    patience_seconds: float = Field(
        60.0, ge=0, description="How long to try again where a reader holds a table that needs a new column."
    )

    def publish(self, release: ReleaseFiles, paths: CommunityPaths, settings: Settings) -> str:
        """Load the release beside the others, then have every view follow to it by one row.

        Raises:
            PublishError: readers keep the release that they have.
        """
        store = Store(self.schema_name)
        with connected(settings) as con, _told(con, store, release):
            lock_store(con, store)
            self._prepare(con, store, release.tables)
            load_release(con, store, release)
            switch_release(con, store, release.release_id)
            remove_old(con, store, self.keep)
        return f"release {release.release_id} in schema {self.schema_name}, {len(release.tables)} tables"

    def _prepare(self, con: psycopg.Connection, store: Store, tables: Sequence[PackageTable]) -> None:
        """Prepare tables and views, trying again as long as a reader or another change holds one that must change."""
        run(con, f"set lock_timeout = '{_LOCK_TIMEOUT}'")
        until, pause = time.monotonic() + self.patience_seconds, 0.1
        while True:
            try:
                return prepare_store(con, store, tables, self.readers)
            except _IN_THE_WAY:
                if time.monotonic() + pause > until:
                    raise
                time.sleep(pause)
                pause = min(2.0, pause * 2)


@contextmanager
def connected(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection to the configured database, each statement its own transaction unless one is opened.

    Raises:
        PublishError: no URL is set, or the server cannot be reached; without the URL's secret.
    """
    if settings.postgres_url is None:
        raise PublishError(
            "PostgreSQL: set THROUGHLINE_POSTGRES_URL, for example postgresql://user@host/database"
        )
    try:
        url = sa.make_url(settings.postgres_url.get_secret_value()).set(drivername="postgresql")
        con = psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=10,
            application_name="throughline publish",
        )
    except (psycopg.OperationalError, sa.exc.ArgumentError) as error:
        raise PublishError(
            f"PostgreSQL cannot be reached ({type(error).__name__}); readers keep what they have. "
            "Check THROUGHLINE_POSTGRES_URL and the server, then `throughline publish`."
        ) from None
    try:
        yield con
    finally:
        con.close()


@contextmanager
def _told(con: psycopg.Connection, store: Store, release: ReleaseFiles) -> Iterator[None]:
    """Turn a database error into a message that says which release readers have, without the details' values."""
    try:
        yield
    except psycopg.Error as error:
        why = (error.diag.message_primary or type(error).__name__).rstrip(".")
        raise PublishError(
            f"PostgreSQL: release {release.release_id} was not published: {why}. Readers keep {_kept(con, store)}. "
            "Mend it, then `throughline publish`."
        ) from None


def _kept(con: psycopg.Connection, store: Store) -> str:
    try:
        held = current_release(con, store)
    except psycopg.Error:
        return "the release that they have"
    return f"release {held}" if held else "nothing, as none was published yet"
