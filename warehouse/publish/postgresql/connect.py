"""Connecting to a database, executing statements, and trying again where a lock is held.

What belongs here: what every target in PostgreSQL needs. What does not: any table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from pydantic import SecretStr

from warehouse.publish.base import PublishError

# While a lock is waited for, readers queue behind it: never longer than this.
_LOCK_TIMEOUT = "200ms"
_IN_THE_WAY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


@contextmanager
def connected(secret: SecretStr | None, variable: str) -> Iterator[psycopg.Connection]:
    """A connection in which each statement is its own transaction unless one is opened.

    Args:
        secret: the database's SQLAlchemy or libpq URL.
        variable: the environment variable that it comes from, for messages.

    Raises:
        PublishError: no URL is set, or the server cannot be reached; without the URL's secret.
    """
    if secret is None:
        raise PublishError(f"PostgreSQL: set {variable}, for example postgresql://user@host/database")
    try:
        url = sa.make_url(secret.get_secret_value()).set(drivername="postgresql")
        con = psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            connect_timeout=10,
            application_name="throughline publish",
        )
    except (psycopg.OperationalError, sa.exc.ArgumentError) as error:
        raise PublishError(
            f"PostgreSQL cannot be reached ({type(error).__name__}); readers keep what they have. "
            f"Check {variable} and the server, then `throughline publish`."
        ) from None
    try:
        yield con
    finally:
        con.close()


def run(
    con: psycopg.Connection, statement: str, parameters: Sequence[Any] | None = None
) -> psycopg.Cursor[tuple[Any, ...]]:
    """Execute a statement composed from quoted names; values are bound."""
    return con.execute(statement.encode(), parameters)


def try_again(con: psycopg.Connection, step: Callable[[], None], patience: float) -> None:
    """Do a step whose locks a reader may hold; try again for so many seconds, never waiting long for one lock.

    Raises:
        psycopg.errors.LockNotAvailable: somebody stayed in the way.
    """
    run(con, f"set lock_timeout = '{_LOCK_TIMEOUT}'")
    until, pause = time.monotonic() + patience, 0.1
    while True:
        try:
            return step()
        except _IN_THE_WAY:
            if time.monotonic() + pause > until:
                raise
            time.sleep(pause)
            pause = min(2.0, pause * 2)
