"""Bringing a ledger to the present schema when it is opened, whatever version wrote it.

What belongs here: finding out its version and running alembic. What does not: the steps (`migrations/versions`).
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa

_VERSION = "alembic_version"  # alembic's own table
_FIRST = "0001"  # the schema of ledgers from before migrations


_DAMAGED = (
    "The ledger's database {} is damaged. Nothing was touched. "
    "Restore the community from its backup: throughline restore."
)


class LedgerError(RuntimeError):
    """The ledger cannot be used; says what to do."""


def migrate(engine: sa.Engine) -> None:
    """Bring a ledger to the present schema; a new one gets its tables.

    Every step is one transaction, so a ledger that was cut off stands at a version and is brought on by the next.

    Raises:
        LedgerError: a newer version of Throughline wrote it, or its database cannot be reached.
    """
    try:
        _refuse_if_damaged(engine)
        found = version(engine)
        if found == newest():
            return
        if found is not None and found not in versions():
            raise LedgerError(
                f"The ledger is at version {found}, which this Throughline does not know (its newest is {newest()}). "
                "A newer one wrote it: install that one again, or restore the backup from before."
            )
        _run(engine, found)
    except sa.exc.OperationalError as error:
        raise LedgerError(
            f"The ledger's database {_place(engine)} cannot be used ({type(error.orig).__name__}). "
            "Check that it runs and that THROUGHLINE_LEDGER_URL names it."
        ) from None
    except sa.exc.DatabaseError:
        raise LedgerError(_DAMAGED.format(_place(engine))) from None


def _refuse_if_damaged(engine: sa.Engine) -> None:
    """SQLite tells of a damaged page only when it comes across it, which may be in the middle of a night."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as con:
            if con.scalar(sa.text("pragma quick_check(1)")) != "ok":
                raise LedgerError(_DAMAGED.format(_place(engine)))


def version(engine: sa.Engine) -> str | None:
    """The version of a ledger; None for a database without one. Ledgers from before migrations are the first."""
    inspector = sa.inspect(engine)
    if inspector.has_table(_VERSION):
        with engine.connect() as con:
            found = con.scalar(sa.text(f"select version_num from {_VERSION}"))
        if found is not None:
            return str(found)
    return _FIRST if inspector.has_table("delivery") else None


@cache
def versions() -> tuple[str, ...]:
    """All versions that this Throughline knows, oldest first."""
    steps = files("warehouse.ledger.migrations") / "versions"
    return tuple(sorted(item.name[1:5] for item in steps.iterdir() if item.name.startswith("v")))


def newest() -> str:
    """The version of the present schema."""
    return versions()[-1]


def _run(engine: sa.Engine, found: str | None) -> None:
    # Imported only when there is something to do: most ledgers are opened as they are.
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(str(files("warehouse.ledger.migrations")))))
    with engine.connect() as con:
        config.attributes["connection"] = con
        if found == _FIRST and not sa.inspect(engine).has_table(_VERSION):
            command.stamp(config, _FIRST)
        command.upgrade(config, "head")
        con.commit()


def _place(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=True)
