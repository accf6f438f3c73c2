"""The PostgreSQL target: prepare, load beside, switch, remove what is old.

What belongs here: options, connection, the order of the steps. What does not: statements on tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from pydantic import Field

from warehouse.publish.base import PublishError, PublishTarget
from warehouse.publish.package import ReleaseFiles
from warehouse.publish.postgresql.connect import connected, try_again
from warehouse.publish.postgresql.load import load_release, remove_old, switch_release
from warehouse.publish.postgresql.store import Store, current_release, lock_store, prepare_store
from warehouse.settings import CommunityPaths, Settings


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
        with connected(settings.postgres_url, "THROUGHLINE_POSTGRES_URL") as con, _told(con, store, release):
            lock_store(con, store)
            try_again(
                con, lambda: prepare_store(con, store, release.tables, self.readers), self.patience_seconds
            )
            load_release(con, store, release)
            switch_release(con, store, release.release_id)
            remove_old(con, store, self.keep)
        return f"release {release.release_id} in schema {self.schema_name}, {len(release.tables)} tables"


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
