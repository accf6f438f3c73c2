"""A corrected identifier, in what is held and in what is still to come.

What belongs here: identifiers. What does not: other facts, which the partner corrects at the source.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from warehouse import duck
from warehouse.community import Community
from warehouse.duck import quote_identifier
from warehouse.ledger import Ledger
from warehouse.run_lock import run_lock
from warehouse.settings import Settings
from warehouse.subjects.find import Subject, find_subject, open_vault
from warehouse.subjects.lake_rows import replace_value
from warehouse.vault import IDENTIFIER_COLUMNS

# Identifiers that may be corrected; ids of a system are that system's own to correct.
CORRECTABLE: tuple[str, ...] = tuple(
    name for name in IDENTIFIER_COLUMNS if not name.endswith(("_id", "social_security_number"))
)
# What the lake keeps of an identifier: column and the SQL that makes it of the corrected value.
_KEPT_OF = {"birth_date": ("birth_year", "year({})"), "postal_code": ("zip_code", "nullif(left({}, 5), '')")}


class SubjectRequestError(ValueError):
    """A correction that cannot be made; the message says what can."""


def correct_subject(
    community: Community, settings: Settings, partner_id: str, local_id: str, values: Mapping[str, str]
) -> tuple[Subject, int]:
    """Correct identifiers in the named record, and in every later delivery of it.

    The correction stands until another one; the partner's other records of the person are not touched, as each
    source answers for its own. Run again after a crash, it ends as if it had run once.

    Args:
        community: whose partner.
        settings: vault key and clock.
        partner_id: whose id it is.
        local_id: the id as the partner writes it.
        values: new values by identifier, one of CORRECTABLE; dates as YYYY-MM-DD.

    Returns:
        The person, and how many rows of the lake changed.

    Raises:
        SubjectNotFoundError: nothing is held under this id.
        SubjectRequestError: an identifier that cannot be corrected, or a value of the wrong kind.
    """
    paths = community.paths
    con = duck.connect(memory_limit=settings.memory_limit, temp_directory=paths.temp)
    try:
        with run_lock(paths):
            open_vault(con, community, settings, purpose="subject request: correction")
            _check(con, values)
            subject = find_subject(con, community, partner_id, local_id, only_named=True)
            key = subject.source_person_keys[0]
            changed = 0
            ledger = Ledger.open(paths, settings)
            for name, value in values.items():
                if name in _KEPT_OF:
                    kept, sql = _KEPT_OF[name]
                    row = con.execute(
                        f"select ({sql.format(_typed(name))})::varchar", {"value": value}
                    ).fetchone()
                    changed += replace_value(con, paths, ledger, [key], kept, str(row[0]) if row else "")
            _write(con, settings, key, values)
    finally:
        con.close()
    return subject, changed


def _check(con: duckdb.DuckDBPyConnection, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name not in CORRECTABLE:
            raise SubjectRequestError(
                f"'{name}' cannot be corrected here; these can: {', '.join(CORRECTABLE)}. Other facts are corrected by the "
                "partner, whose next file replaces this one."
            )
        row = con.execute(f"select try({_typed(name)}) is null", {"value": value}).fetchone()
        if row and row[0]:
            raise SubjectRequestError(f"the new value of '{name}' is not a date; write YYYY-MM-DD.")


def _typed(name: str) -> str:
    return "$value::date" if name == "birth_date" else "$value::varchar"


def _write(con: duckdb.DuckDBPyConnection, settings: Settings, key: str, values: Mapping[str, str]) -> None:
    con.execute("begin")
    try:
        for name, value in values.items():
            con.execute(
                f"update vault.identifier_record set {quote_identifier(name)} = {_typed(name)} where source_person_key = $key",
                {"value": value, "key": key},
            )
            con.execute(
                "delete from vault.subject_correction where source_person_key = $key and column_name = $name",
                {"key": key, "name": name},
            )
            con.execute(
                "insert into vault.subject_correction values ($key, $name, $value, $at)",
                {"key": key, "name": name, "value": value, "at": settings.clock()},
            )
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
