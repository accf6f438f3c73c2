"""What receiving works with: one connection, ledger, vault and keys for all files of a run.

What belongs here: opening and closing them. What does not: the order of a file's steps (`receive`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from ingestion.contracts import FeedContract, load_contracts
from ingestion.mapping import FeedMapping
from warehouse import duck
from warehouse.community import Community
from warehouse.ledger import Ledger
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, derived_key, set_key_variables, vault_key


@dataclass(frozen=True)
class Desk:
    """Everything that receiving needs; many small files share it, so that each costs little.

    Attributes:
        cut_off: deliveries of which the vault holds rows though the ledger does not know them as accepted, because
            a run was cut off between the two.
    """

    community: Community
    settings: Settings
    ledger: Ledger
    con: duckdb.DuckDBPyConnection
    archive_key: bytes
    quarantine_key: bytes
    cut_off: frozenset[str]

    @property
    def paths(self) -> CommunityPaths:
        """The community's folders."""
        return self.community.paths


@contextmanager
def open_desk(community: Community, settings: Settings, delivery_ids: Sequence[str]) -> Iterator[Desk]:
    """Open connection, vault and ledger for a run that may take the deliveries named."""
    paths = community.paths
    master = vault_key(settings, paths)
    con = duck.connect(
        memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=paths.temp
    )
    try:
        attach_vault(con, paths, settings, purpose="acceptance: store identifiers of new deliveries")
        set_key_variables(con, derived_key(master, "source_person_key"))
        ledger = Ledger.open(paths, settings)
        yield Desk(
            community,
            settings,
            ledger,
            con,
            derived_key(master, "archive"),
            derived_key(master, "quarantine"),
            _cut_off(con, delivery_ids),
        )
    finally:
        con.close()


def delivery_id_of(mapping: FeedMapping, sha256: str) -> str:
    """Identity of a file's content as taken by a mapping."""
    return hashlib.sha256(f"{mapping.partner_id}|{mapping.name}|{sha256}".encode()).hexdigest()[:16]


def fingerprint_of(mapping: FeedMapping) -> str:
    """Fingerprint of the contract and the mapping by which a file is judged."""
    contract: FeedContract = load_contracts()[mapping.feed]
    text = contract.model_dump_json() + mapping.model_dump_json(exclude={"path"})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mode_of(mapping: FeedMapping) -> str:
    """Delivery mode of a mapping."""
    return mapping.delivery_mode or load_contracts()[mapping.feed].delivery_mode


def _cut_off(con: duckdb.DuckDBPyConnection, delivery_ids: Sequence[str]) -> frozenset[str]:
    rows = con.execute(
        "select distinct delivery_id from vault.identifier_record where delivery_id in (select unnest($ids::varchar[]))",
        {"ids": list(delivery_ids)},
    ).fetchall()
    return frozenset(row[0] for row in rows)
