"""Removing one person everywhere, now and from every later delivery.

What belongs here: the order. What does not: rewriting lake files (`lake_rows`), the vault's tables and the proof
(`warehouse.agreements`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import duckdb

from warehouse import duck
from warehouse.agreements import stores
from warehouse.agreements.search import search_everywhere
from warehouse.community import Community
from warehouse.duck import quote_identifier, sql_literal
from warehouse.ledger import Ledger
from warehouse.run_lock import run_lock
from warehouse.settings import CommunityPaths, Settings
from warehouse.subjects.find import Subject, find_subject, open_vault
from warehouse.subjects.lake_rows import drop_rows
from warehouse.vault import compact_vault, derived_key, vault_key

_KEY_NAME = "quarantine"


def remove_subject(
    community: Community, settings: Settings, partner_id: str, local_id: str, *, only_named: bool = False
) -> tuple[Subject, dict[str, int]]:
    """Remove a person's records from vault, lake, quarantine, originals and working databases, and prove it.

    Only the pseudonyms stay, in the vault, so that acceptance leaves the person out of later deliveries. Published
    aggregates stay until the next release.

    Args:
        community: whose partner.
        settings: vault key and clock.
        partner_id: whose id it is.
        local_id: the id as the partner writes it.
        only_named: keep to the record that was named.

    Returns:
        The person, and what was removed by place.

    Raises:
        SubjectNotFoundError: nothing is held under this id.
        RemainsFoundError: the search found something.
    """
    paths = community.paths
    ledger = Ledger.open(paths, settings)
    con = duck.connect(memory_limit=settings.memory_limit, temp_directory=paths.temp)
    try:
        with run_lock(paths):
            open_vault(con, community, settings, purpose="subject request: removal")
            subject = find_subject(con, community, partner_id, local_id, only_named=only_named)
            removed = _remove(con, community, settings, ledger, subject.source_person_keys)
            con.execute("detach vault")
            _relink(community, settings, ledger)
            open_vault(con, community, settings, purpose="subject request: proof of removal")
            search_everywhere(con, paths, [])
            stores.drop_keys(con)
    finally:
        con.close()
    compact_vault(paths, settings)
    return subject, removed


def _remove(
    con: duckdb.DuckDBPyConnection,
    community: Community,
    settings: Settings,
    ledger: Ledger,
    keys: Sequence[str],
) -> dict[str, int]:
    """The vault last, so that a removal that was cut off finds the person again."""
    paths = community.paths
    con.execute(
        """insert into vault.removed_subject select key, $at from unnest($keys::varchar[]) as given(key)
        where key not in (select source_person_key from vault.removed_subject)""",
        {"keys": list(keys), "at": settings.clock()},
    )
    ids, deliveries = _traces(con, keys)
    rows, with_rows = drop_rows(con, paths, ledger, keys)
    removed = {
        "lake rows": rows,
        "quarantined rows": _from_quarantine(con, paths, settings, ids),
        "archived originals": _originals(paths, ledger, deliveries | with_rows),
        **stores.working_copies(paths),
    }
    removed.update(stores.forget_persons(con, keys))
    return removed


def _traces(con: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> tuple[dict[str, set[str]], set[str]]:
    """The person's ids as each partner writes them, and the deliveries that brought the person."""
    rows = con.execute(
        """select local_person_id, state_student_id, delivery_id, partner_id from vault.identifier_record
        where source_person_key in (select unnest($keys::varchar[]))""",
        {"keys": list(keys)},
    ).fetchall()
    ids: dict[str, set[str]] = {}
    for local, state, _, partner_id in rows:
        ids.setdefault(partner_id, set()).update(v.strip() for v in (local, state) if v and v.strip())
    return ids, {row[2] for row in rows}


def _from_quarantine(
    con: duckdb.DuckDBPyConnection, paths: CommunityPaths, settings: Settings, ids: dict[str, set[str]]
) -> int:
    """Drop quarantined rows of a partner of which any cell is one of the person's ids there."""
    key = base64.b64encode(derived_key(vault_key(settings, paths), "quarantine")).decode()
    con.execute(f"pragma add_parquet_key('{_KEY_NAME}', '{key}')")
    encryption = f"encryption_config = {{footer_key: '{_KEY_NAME}'}}"
    dropped = 0
    for partner_id, file in [
        (p, f) for p in sorted(ids) for f in sorted((paths.quarantine / p).glob("*.parquet"))
    ]:
        listed = ", ".join(sql_literal(one) for one in sorted(ids[partner_id])) or "null"
        source = f"read_parquet({sql_literal(str(file))}, {encryption})"
        names = [row[0] for row in con.execute(f"describe select * from {source}").fetchall()]
        cells = [quote_identifier(name) for name in names if name not in ("source_row", "_reasons")]
        theirs = " or ".join(f"trim({cell}::varchar) in ({listed})" for cell in cells) or "false"
        row = con.execute(f"select count(*) from {source} where {theirs}").fetchone()
        if row and row[0]:
            _write_quarantine(con, file, f"select * from {source} where not coalesce({theirs}, false)")
            dropped += int(row[0])
    return dropped


def _write_quarantine(con: duckdb.DuckDBPyConnection, file: Path, query: str) -> None:
    beside = file.with_name(f".{file.name}.part")
    con.execute(
        f"copy ({query}) to {sql_literal(str(beside))} "
        f"(format parquet, compression zstd, encryption_config {{footer_key: '{_KEY_NAME}'}})"
    )
    beside.chmod(0o600)
    beside.replace(file)


def _originals(paths: CommunityPaths, ledger: Ledger, delivery_ids: set[str]) -> int:
    count = 0
    for delivery_id in sorted(delivery_ids):
        delivery = ledger.find(delivery_id)
        original = paths.archive / delivery.partner_id / f"{delivery.sha256}.enc" if delivery else None
        if original is not None and original.exists():
            original.unlink()
            count += 1
    return count


def _relink(community: Community, settings: Settings, ledger: Ledger) -> None:
    from warehouse.linkage import LinkageConfig, run_linkage  # takes seconds to import

    config = LinkageConfig.of(community)
    run_linkage(community.paths, settings, config, ledger.current_deliveries(), "subject request")
