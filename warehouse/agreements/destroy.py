"""Destroying what was held under a partner's agreement: the order of removal, proof and certificate.

What belongs here: the order, and taking up again what was cut off. What does not: each place's removal (`stores`).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from warehouse import duck
from warehouse.agreements import stores
from warehouse.agreements.certificate import Certificate, folder, write_certificate
from warehouse.agreements.search import search_everywhere
from warehouse.agreements.standing import overdue_deliveries
from warehouse.community import Community
from warehouse.ledger import Delivery, Ledger
from warehouse.run_lock import run_lock
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import access_log, attach_vault, compact_vault, derived_key, vault_key

_KEPT = [
    "Published releases: aggregates under disclosure control, which name no person.",
    "The ledger's counts and hashes of the deliveries, without file names, and the receipts: the record of what was received.",
    "The vault's access log and this certificate.",
]
_ELSEWHERE = [
    "Backups made with `throughline backup` before this day: destroy them where they are kept.",
    "Publishing targets with student-level rows (PostgreSQL): the next `throughline run` takes these rows out.",
]


class DestructionError(RuntimeError):
    """Nothing can be destroyed as asked; the message says why."""


def destroy_partner(
    community: Community,
    settings: Settings,
    partner_id: str,
    *,
    signer: str,
    only_overdue: bool = False,
) -> tuple[Certificate, Path]:
    """Remove everything held of a partner, or the deliveries held too long, and prove it by search.

    Identifiers, lake files, originals, quarantined rows, linkage's memory of the persons whom nobody else delivered,
    undelivered drops and the working databases go; the crosswalk is made anew from what is left. A run that is cut
    off is finished by calling this again.

    Args:
        community: whose partner.
        settings: vault key and clock.
        partner_id: the partner.
        signer: who asks for it, for the certificate.
        only_overdue: only deliveries held longer than the agreement's `retention_days`.

    Returns:
        The certificate and its file.

    Raises:
        DestructionError: unknown partner, or nothing to destroy.
        RunLockedError: a run is at work.
        RemainsFoundError: the search found something; no certificate is written.
    """
    with run_lock(community.paths):
        return _destroy(community, settings, partner_id, signer, only_overdue=only_overdue)


def _destroy(
    community: Community, settings: Settings, partner_id: str, signer: str, *, only_overdue: bool
) -> tuple[Certificate, Path]:
    paths = community.paths
    ledger = Ledger.open(paths, settings)
    scope = "overdue" if only_overdue else "partner"
    journal = folder(paths) / f"{partner_id}.{scope}.unfinished"
    chosen = _chosen(community, settings, ledger, partner_id, journal, only_overdue=only_overdue)
    _begin(journal, chosen)
    ledger.destroy([d.delivery_id for d in chosen], settings.clock())
    removed: Counter[str] = Counter(_removed_before(journal))
    con = duck.connect(
        memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=paths.temp
    )
    try:
        attach_vault(con, paths, settings, purpose=f"destruction under the agreement of {partner_id}")
        removed.update(stores.from_vault(con, [d.delivery_id for d in chosen]))
        con.execute("detach vault")
        removed.update(stores.files_of(paths, chosen))
        if not only_overdue:
            removed.update(stores.folders_of(paths, partner_id))
        removed.update(stores.working_copies(paths))
        _begin(journal, chosen, removed)
        _relink(community, settings, ledger)
        attach_vault(con, paths, settings, purpose=f"proof of destruction for {partner_id}")
        searched, keys = search_everywhere(con, paths, chosen)
        stores.drop_keys(con)
    finally:
        con.close()
    compact_vault(paths, settings)
    certificate = _certificate(
        community, settings, partner_id, scope, chosen, dict(removed), searched, keys, signer
    )
    target = write_certificate(paths, certificate)
    journal.unlink()
    return certificate, target


def _relink(community: Community, settings: Settings, ledger: Ledger) -> None:
    """Crosswalk and linkage anew from the deliveries left."""
    from warehouse.linkage import LinkageConfig, run_linkage  # takes seconds to import

    config = LinkageConfig.of(community)
    run_linkage(community.paths, settings, config, ledger.current_deliveries(), "destruction")


def _chosen(
    community: Community,
    settings: Settings,
    ledger: Ledger,
    partner_id: str,
    journal: Path,
    *,
    only_overdue: bool,
) -> list[Delivery]:
    known = ledger.partner_deliveries(partner_id, limit=1_000_000)
    if journal.exists():
        begun = set(json.loads(journal.read_text(encoding="utf-8"))["deliveries"])
        return [d for d in known if d.delivery_id in begun or not only_overdue]
    known = [d for d in known if d.status != "destroyed"]
    if only_overdue:
        partner = community.partners.get(partner_id)
        days = partner.agreement.retention_days if partner else None
        if days is None:
            raise DestructionError(
                f"the agreement of '{partner_id}' names no retention_days, so nothing is held too long."
            )
        wanted = set(overdue_deliveries(known, days, settings.clock().date()))
        known = [d for d in known if d.delivery_id in wanted]
    if not known:
        names = ", ".join(sorted(community.partners)) or "none"
        raise DestructionError(f"nothing is held of '{partner_id}' to destroy. Partners configured: {names}.")
    return known


def _begin(journal: Path, chosen: Sequence[Delivery], removed: Counter[str] | None = None) -> None:
    journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = journal.with_suffix(".part")
    done = dict(removed) if removed is not None else _removed_before(journal)
    document = {"deliveries": [d.delivery_id for d in chosen], "removed": done}
    with beside.open("w", encoding="utf-8") as out:
        json.dump(document, out)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(journal)


def _removed_before(journal: Path) -> dict[str, int]:
    if not journal.exists():
        return {}
    return dict(json.loads(journal.read_text(encoding="utf-8"))["removed"])


def _certificate(
    community: Community,
    settings: Settings,
    partner_id: str,
    scope: str,
    chosen: Sequence[Delivery],
    removed: dict[str, int],
    searched: dict[str, int],
    keys: int,
    signer: str,
) -> Certificate:
    paths: CommunityPaths = community.paths
    partner = community.partners.get(partner_id)
    entries = access_log.verify(paths, derived_key(vault_key(settings, paths), "access_log"))
    return Certificate(
        partner_id=partner_id,
        agreement_id=partner.agreement.agreement_id if partner else "unsigned",
        scope=scope,
        deliveries=sorted(d.delivery_id for d in chosen),
        removed=removed,
        searched=searched,
        keys_searched=keys,
        kept=_KEPT,
        elsewhere=_ELSEWHERE,
        signer=signer,
        destroyed_at=settings.clock().isoformat(timespec="seconds"),
        access_log_head=entries[-1].chain if entries else "",
    )
