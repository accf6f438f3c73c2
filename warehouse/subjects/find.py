"""From a partner's own id to the person's records in all sources.

What belongs here: looking up inside the vault. What does not: what is done with the records.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.community import Community
from warehouse.settings import Settings
from warehouse.vault import attach_vault, derived_key, set_key_variables, source_person_key_sql, vault_key


class SubjectNotFoundError(LookupError):
    """No record under this id; the message never repeats it."""


@dataclass(frozen=True)
class Subject:
    """One person as a request means it.

    Attributes:
        source_person_keys: pseudonyms of the records meant, the named one first.
        person_key: the person's key; None before the first linkage.
        partners: records by partner.
    """

    source_person_keys: tuple[str, ...]
    person_key: str | None
    partners: dict[str, int]


def open_vault(
    con: duckdb.DuckDBPyConnection,
    community: Community,
    settings: Settings,
    *,
    purpose: str,
    read_only: bool = False,
) -> None:
    """Attach the vault for a request, on record, with the key that names source persons."""
    attach_vault(con, community.paths, settings, purpose=purpose, read_only=read_only)
    master = vault_key(settings, community.paths)
    set_key_variables(con, derived_key(master, "source_person_key"))


def find_subject(
    con: duckdb.DuckDBPyConnection,
    community: Community,
    partner_id: str,
    local_id: str,
    *,
    only_named: bool = False,
) -> Subject:
    """The records of a person by a partner's own id, with those that linkage joins to them.

    Args:
        con: with the vault attached by `open_vault`.
        community: whose partner.
        partner_id: whose id it is.
        local_id: the id as the partner writes it.
        only_named: keep to the record that was named.

    Raises:
        SubjectNotFoundError: nothing is held under this id.
    """
    partner = community.partners.get(partner_id)
    issuer = (partner.issuer if partner else None) or partner_id
    row = con.execute(
        f"select {source_person_key_sql('$issuer', '$id')}", {"issuer": issuer, "id": local_id}
    ).fetchone()
    named = str(row[0]) if row else ""
    held = con.execute(
        "select count(*) from vault.identifier_record where source_person_key = $key", {"key": named}
    ).fetchone()
    if not held or not held[0]:
        raise SubjectNotFoundError(
            f"nothing is held of '{partner_id}' under the id given. Check the partner (one of "
            f"{', '.join(sorted(community.partners))}) and the id as that partner writes it."
        )
    person = con.execute(
        "select person_key from vault.person_record where source_person_key = $key and valid_to is null",
        {"key": named},
    ).fetchone()
    keys = [named]
    if person and not only_named:
        keys += [
            other[0]
            for other in con.execute(
                """select source_person_key from vault.person_record
                where person_key = $person and valid_to is null and source_person_key <> $key order by 1""",
                {"person": person[0], "key": named},
            ).fetchall()
        ]
    counts = con.execute(
        """select partner_id, count(distinct source_person_key) from vault.identifier_record
        where source_person_key in (select unnest($keys::varchar[])) group by 1 order by 1""",
        {"keys": keys},
    ).fetchall()
    return Subject(tuple(keys), str(person[0]) if person else None, dict(counts))
