"""Receiving: every settled file, to its end, in an order in which a crash at any point does no harm.

What belongs here: the order of the steps. What does not: the steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from ingestion.acceptance import store
from ingestion.acceptance.findings import Finding
from ingestion.acceptance.judge_file import Judgement, judge_file
from ingestion.contracts import load_contracts
from ingestion.landing import Pending, scan
from ingestion.mapping import FeedMapping, load_mappings
from ingestion.receipts import write_receipt
from warehouse import duck
from warehouse.community import Community
from warehouse.ledger import Delivery, LakeFile, Ledger
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, derived_key, encrypt_file, set_key_variables, vault_key


@dataclass(frozen=True)
class DeliveryOutcome:
    """What came of one file by one mapping.

    Attributes:
        status: accepted, refused, duplicate or unknown.
    """

    partner_id: str
    feed_id: str
    file_name: str
    status: str
    judgement: Judgement = field(default_factory=lambda: Judgement("unknown"))
    delivery_id: str = ""
    receipt: Path | None = None

    @property
    def findings(self) -> list[Finding]:
        """Everything found in the file."""
        return self.judgement.findings

    @property
    def summary(self) -> str:
        """One sentence for a log; it names the partner's file and counts, never a value."""
        j = self.judgement
        return (
            f"{self.partner_id}: {self.file_name} -> {self.feed_id}: {self.status}, {j.rows_in:,} rows, "
            f"{j.accepted:,} accepted, {j.quarantined:,} quarantined"
        )


@dataclass(frozen=True)
class _Desk:
    """What receiving works with: one connection for all files, so that many small ones cost little each."""

    community: Community
    settings: Settings
    ledger: Ledger
    con: duckdb.DuckDBPyConnection
    archive_key: bytes
    quarantine_key: bytes

    @property
    def paths(self) -> CommunityPaths:
        return self.community.paths


def receive_all(
    community: Community, settings: Settings, progress: Callable[[str], None] | None = None
) -> list[DeliveryOutcome]:
    """Take every file that has settled; a file or partner that fails stops no other.

    Returns:
        One outcome a file and mapping, and one a file that no mapping takes.
    """
    found = scan(community, settings)
    outcomes = [
        DeliveryOutcome(
            u.partner_id,
            "-",
            u.path.name,
            "unknown",
            Judgement(
                "unknown", findings=[Finding(code="unknown_file", severity="warn", why=u.why, fix=u.fix)]
            ),
        )
        for u in found.unknown
    ]
    if not found.pending:
        return outcomes
    with _desk(community, settings) as desk:
        for pending in found.pending:
            if progress:
                progress(f"Taking {pending.partner_id}: {pending.path.name}")
            outcomes += _receive(desk, pending)
    return outcomes


def check_file(
    path: Path, partner_id: str, community: Community, settings: Settings
) -> list[DeliveryOutcome]:
    """Judge a file as a delivery would be judged, and store nothing; one outcome a mapping that takes it."""
    contracts = load_contracts()
    mappings = [m for m in load_mappings(community) if m.partner_id == partner_id and m.takes(path.name)]
    if not mappings:
        finding = Finding(
            code="unknown_file",
            severity="refuse",
            why=f"No mapping of partner '{partner_id}' takes a file of this name.",
            fix="Add a pattern to a mapping, or `throughline onboard FILE --partner P`.",
        )
        return [
            DeliveryOutcome(partner_id, "-", path.name, "unknown", Judgement("unknown", findings=[finding]))
        ]
    ledger = Ledger.open(community.paths, settings)
    outcomes = []
    for mapping in mappings:
        con = duck.connect(memory_limit=settings.memory_limit, temp_directory=community.paths.temp)
        try:
            judgement = _judge(con, path, mapping, settings, ledger, community)
        finally:
            con.close()
        outcomes.append(
            DeliveryOutcome(partner_id, contracts[mapping.feed].feed, path.name, judgement.status, judgement)
        )
    return outcomes


@contextmanager
def _desk(community: Community, settings: Settings) -> Iterator[_Desk]:
    paths = community.paths
    master = vault_key(settings, paths)
    con = duck.connect(memory_limit=settings.memory_limit, temp_directory=paths.temp)
    try:
        attach_vault(con, paths, settings, purpose="acceptance: store identifiers of new deliveries")
        set_key_variables(con, derived_key(master, "source_person_key"))
        ledger = Ledger.open(paths, settings)
        yield _Desk(
            community,
            settings,
            ledger,
            con,
            derived_key(master, "archive"),
            derived_key(master, "quarantine"),
        )
    finally:
        con.close()


def _receive(desk: _Desk, pending: Pending) -> list[DeliveryOutcome]:
    """Archive, accept by every mapping, and only then take the file out of the drop folder."""
    sha256 = store.file_hash(pending.path)
    archived = desk.paths.archive / pending.partner_id / f"{sha256}.enc"
    if not archived.exists():
        archived.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        encrypt_file(pending.path, archived, desk.archive_key)
    outcomes = [_deliver(desk, pending, mapping, sha256) for mapping in pending.mappings]
    pending.path.unlink()
    with suppress(OSError):
        if pending.path.parent != desk.paths.landing / pending.partner_id:
            pending.path.parent.rmdir()
    return outcomes


def _deliver(desk: _Desk, pending: Pending, mapping: FeedMapping, sha256: str) -> DeliveryOutcome:
    identity = f"{pending.partner_id}|{mapping.name}|{sha256}"
    delivery_id = hashlib.sha256(identity.encode()).hexdigest()[:16]
    known = desk.ledger.find(delivery_id)
    name = pending.path.name
    if known is not None and known.status == "accepted":
        finding = Finding(
            code="same_file_again",
            severity="note",
            why=f"The same bytes came on {known.received_at:%Y-%m-%d}; nothing was read again.",
            fix="Nothing to do.",
        )
        judgement = Judgement(
            "duplicate", rows_in=known.rows_in, accepted=known.rows_accepted, findings=[finding]
        )
        return _with_receipt(
            desk,
            mapping,
            DeliveryOutcome(pending.partner_id, mapping.feed, name, "duplicate", judgement, delivery_id),
            known.delivery_seq,
        )
    sequence = known.delivery_seq if known else desk.ledger.next_sequence()
    judgement = _judge(desk.con, pending.path, mapping, desk.settings, desk.ledger, desk.community)
    files: list[LakeFile] = []
    if judgement.status == "accepted":
        files = _store(
            desk,
            mapping,
            store.Target(pending.partner_id, _issuer(desk, mapping), delivery_id, sequence),
            judgement,
        )
    _record(desk, mapping, pending.path, delivery_id, sequence, sha256, judgement, files)
    outcome = DeliveryOutcome(
        pending.partner_id, mapping.feed, name, judgement.status, judgement, delivery_id
    )
    return _with_receipt(desk, mapping, outcome, sequence)


def _judge(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    mapping: FeedMapping,
    settings: Settings,
    ledger: Ledger,
    community: Community,
) -> Judgement:
    contract = load_contracts()[mapping.feed]
    barred = _barred(community, mapping, settings)
    if barred is not None:
        return Judgement("refused", findings=[barred])
    previous = ledger.previous(mapping.partner_id, mapping.name)
    mode = mapping.delivery_mode or contract.delivery_mode
    before = previous.rows_accepted if previous and mode == "full_snapshot" else None
    try:
        return judge_file(con, path, mapping, contract, settings, before)
    except duckdb.Error as error:
        # The error's text may quote the file, so only its kind is told.
        finding = Finding(
            code="mapping_failed",
            severity="refuse",
            why=f"The mapping could not be applied ({type(error).__name__}).",
            fix=f"Check the expressions in {Path(mapping.path).name} against the file's columns.",
        )
        return Judgement("refused", findings=[finding])


def _barred(community: Community, mapping: FeedMapping, settings: Settings) -> Finding | None:
    """Whether the partner's agreement keeps this feed out today."""
    agreement = community.partners[mapping.partner_id].agreement
    today = settings.clock().date()
    if agreement.feeds and mapping.feed not in agreement.feeds:
        why = f"The agreement {agreement.agreement_id} does not cover the feed {mapping.feed}."
    elif agreement.expires and agreement.expires < today:
        why = f"The agreement {agreement.agreement_id} expired on {agreement.expires}."
    elif agreement.effective and agreement.effective > today:
        why = f"The agreement {agreement.agreement_id} takes effect on {agreement.effective}."
    else:
        return None
    return Finding(
        code="agreement", severity="refuse", why=why, fix="Renew or extend the agreement in partner.yml."
    )


def _issuer(desk: _Desk, mapping: FeedMapping) -> str:
    if isinstance(mapping.issuer, str):
        return mapping.issuer
    return desk.community.partners[mapping.partner_id].issuer or mapping.partner_id


def _store(desk: _Desk, mapping: FeedMapping, target: store.Target, judgement: Judgement) -> list[LakeFile]:
    contract = load_contracts()[mapping.feed]
    store.split_rows(desk.con, mapping, contract, target)
    store.to_vault(desk.con, contract, target)
    if judgement.quarantined:
        store.to_quarantine(desk.con, desk.paths, target, desk.quarantine_key)
    mode = mapping.delivery_mode or contract.delivery_mode
    files = store.to_lake(desk.con, desk.paths, contract, mode, target)
    desk.con.execute("drop table if exists kept; drop table if exists judged")
    return files


def _record(
    desk: _Desk,
    mapping: FeedMapping,
    path: Path,
    delivery_id: str,
    sequence: int,
    sha256: str,
    judgement: Judgement,
    files: list[LakeFile],
) -> None:
    contract = load_contracts()[mapping.feed]
    delivery = Delivery(
        delivery_id=delivery_id,
        delivery_seq=sequence,
        partner_id=mapping.partner_id,
        feed_id=mapping.feed,
        mapping=mapping.name,
        mode=mapping.delivery_mode or contract.delivery_mode,
        file_name=path.name,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        received_at=desk.settings.clock().replace(tzinfo=None),
        status=judgement.status,
        records_read=judgement.records_read,
        rows_in=judgement.rows_in,
        rows_accepted=judgement.accepted if judgement.status == "accepted" else 0,
        rows_quarantined=judgement.quarantined,
        rows_refused=judgement.refused,
        rows_not_applicable=judgement.not_applicable,
        findings=[finding.model_dump() for finding in judgement.findings],
    )
    desk.ledger.record(delivery, files)


def _with_receipt(
    desk: _Desk, mapping: FeedMapping, outcome: DeliveryOutcome, sequence: int
) -> DeliveryOutcome:
    contract = load_contracts()[mapping.feed]
    receipt = write_receipt(
        desk.paths.receipts / outcome.partner_id,
        partner=desk.community.partners[outcome.partner_id].name,
        feed_title=contract.title,
        file_name=outcome.file_name,
        moment=desk.settings.clock(),
        sequence=sequence,
        status=outcome.status,
        judgement=outcome.judgement,
        cadence=mapping.cadence or contract.cadence,
    )
    return replace(outcome, receipt=receipt)
