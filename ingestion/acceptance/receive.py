"""Receiving: every settled file, to its end, in an order in which a crash at any point does no harm.

What belongs here: the order of the steps. What does not: the steps.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.acceptance import store
from ingestion.acceptance.desk import Desk, delivery_id_of, fingerprint_of, mode_of, open_desk
from ingestion.acceptance.earlier import earlier_deliveries
from ingestion.acceptance.findings import Finding
from ingestion.acceptance.held import as_judged
from ingestion.acceptance.judge_file import Judgement, judge_file
from ingestion.acceptance.outcome import DeliveryOutcome, without_delivery
from ingestion.acceptance.requests import without_removed
from ingestion.contracts import load_contracts
from ingestion.landing import Pending, printable_name, scan
from ingestion.mapping import FeedMapping, load_partner_mappings
from ingestion.receipts import Receipt, write_index, write_receipt
from warehouse import duck
from warehouse.agreements.certificate import destroyed_under
from warehouse.community import Community
from warehouse.ledger import Delivery, LakeFile, Ledger
from warehouse.settings import Settings
from warehouse.vault import encrypt_file

_TAKEN = ("accepted", "refused")


class _ChangedWhileReadError(Exception):
    """A file grew or was replaced while it was read; it is left for the next run."""


@dataclass(frozen=True)
class _Content:
    """A pending file with the hash of its content and the state in which it was hashed."""

    pending: Pending
    sha256: str
    state: tuple[int, int, int]


def receive_all(
    community: Community, settings: Settings, progress: Callable[[str], None] | None = None
) -> list[DeliveryOutcome]:
    """Take every file that has settled; a file or partner that fails stops no other.

    Returns:
        One outcome a file and mapping, and one a file that is not taken, in order of partner and file name.
    """
    found = scan(community, settings)
    outcomes = [
        without_delivery(
            u.partner_id, printable_name(u.path), "unknown",
            Finding(code=u.code, severity="warn", why=u.why, fix=u.fix),
        )
        for u in found.unknown
    ]  # fmt: skip
    contents = []
    for pending in found.pending:
        try:
            contents.append(_content(pending))
        except OSError as error:
            outcomes.append(_failed(pending, error))
    if not contents:
        return outcomes
    ids = [delivery_id_of(m, content.sha256) for content in contents for m in content.pending.mappings]
    with open_desk(community, settings, ids) as desk:
        for content in contents:
            if progress:
                progress(f"Taking {content.pending.partner_id}: {printable_name(content.pending.path)}")
            outcomes += _receive(desk, content)
        for partner_id in sorted({content.pending.partner_id for content in contents}):
            deliveries = desk.ledger.partner_deliveries(partner_id)
            held = {hold.delivery_id for hold in desk.ledger.holds()}
            name = community.partners[partner_id].name
            write_index(desk.paths.receipts / partner_id, name, deliveries, held)
    return outcomes


def check_file(
    path: Path, partner_id: str, community: Community, settings: Settings
) -> list[DeliveryOutcome]:
    """Judge a file as a delivery would be judged, and store nothing; one outcome a mapping that takes it."""
    mappings = [m for m in load_partner_mappings(community, partner_id) if m.takes(path.name)]
    if not mappings:
        finding = Finding(
            code="unknown_file",
            severity="refuse",
            why=f"No mapping of partner '{partner_id}' takes a file of this name.",
            fix="Add a pattern to a mapping, or `throughline onboard FILE --partner P`.",
        )
        return [without_delivery(partner_id, printable_name(path), "unknown", finding)]
    known = settings.ledger_url or community.paths.ledger.exists()
    ledger = Ledger.open(community.paths, settings) if known else None
    outcomes = []
    for mapping in mappings:
        con = duck.connect(
            memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=community.paths.temp
        )
        try:
            judgement = _judge(con, path, mapping, settings, ledger, community)
        finally:
            con.close()
        outcomes.append(
            DeliveryOutcome(partner_id, mapping.feed, printable_name(path), judgement.status, judgement)
        )
    return outcomes


def _content(pending: Pending) -> _Content:
    state = _state(pending.path)
    return _Content(pending, store.file_hash(pending.path), state)


def _state(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _receive(desk: Desk, content: _Content) -> list[DeliveryOutcome]:
    """Archive, accept by every mapping, write receipts, and only then take the file out of the drop folder."""
    pending = content.pending
    outcomes: list[DeliveryOutcome] = []
    try:
        _unchanged(content)
        allowed = any(_barred(desk.community, m, desk.settings) is None for m in pending.mappings)
        if allowed:
            _archive(desk, content)
        outcomes = [_deliver(desk, content, mapping) for mapping in pending.mappings]
        if any(f.code == "removed_on_request" for outcome in outcomes for f in outcome.findings):
            _archived(desk, content).unlink(missing_ok=True)
        if allowed:  # else it stays the partner's: not kept, and taken once an agreement allows it
            pending.path.unlink()
        _finish(desk, outcomes)
        with suppress(OSError):
            if pending.path.parent != desk.paths.landing / pending.partner_id:
                pending.path.parent.rmdir()
    except Exception as error:
        # Whatever went wrong, the other partners' files still count; this one stays for the next run.
        return [*outcomes, _failed(pending, error)]
    finally:
        store.forget(desk.con)
    return outcomes


def _archive(desk: Desk, content: _Content) -> None:
    archived = _archived(desk, content)
    if not archived.exists():
        archived.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        encrypt_file(content.pending.path, archived, desk.archive_key)


def _archived(desk: Desk, content: _Content) -> Path:
    return desk.paths.archive / content.pending.partner_id / f"{content.sha256}.enc"


def _unchanged(content: _Content) -> None:
    if _state(content.pending.path) != content.state:
        raise _ChangedWhileReadError


def _finish(desk: Desk, outcomes: list[DeliveryOutcome]) -> None:
    done = [outcome for outcome in outcomes if outcome.status in _TAKEN and outcome.receipt is not None]
    receipts = [
        outcome.receipt.relative_to(desk.paths.data).as_posix()
        for outcome in done
        if outcome.receipt is not None
    ]
    desk.ledger.finish([outcome.delivery_id for outcome in done], receipts)


def _failed(pending: Pending, error: Exception) -> DeliveryOutcome:
    # The error's text may quote the file, so only its kind is told.
    if isinstance(error, _ChangedWhileReadError):
        finding = Finding(
            code="changed_while_read", severity="warn", why="The file changed while it was read.",
            fix="Nothing to do: it is taken by the next run.",
        )  # fmt: skip
    else:
        finding = Finding(
            code="failed", severity="warn", why=f"The platform could not work on it ({type(error).__name__}).",
            fix="It stays in the drop folder and is tried again; tell the data engineer if it happens twice.",
        )  # fmt: skip
    feed = pending.mappings[0].feed if pending.mappings else "-"
    return without_delivery(pending.partner_id, printable_name(pending.path), "failed", finding, feed)


def _deliver(desk: Desk, content: _Content, mapping: FeedMapping) -> DeliveryOutcome:
    """Take one file by one mapping, or recognize that it was taken before."""
    delivery_id = delivery_id_of(mapping, content.sha256)
    known = desk.ledger.find(delivery_id)
    if known is not None and known.status == "accepted":
        return _again(desk, content, mapping, known)
    own = known.delivery_seq if known is not None and not known.is_finished else None
    judgement = _judge(
        desk.con, content.pending.path, mapping, desk.settings, desk.ledger, desk.community, own
    )
    _unchanged(content)
    sequence, received_at = desk.ledger.next_sequence(), desk.settings.clock().replace(tzinfo=None)
    if known is not None and not known.is_finished:
        sequence, received_at = known.delivery_seq, known.received_at
    files: list[LakeFile] = []
    before = desk.ledger.previous(mapping.partner_id, mapping.name)
    if judgement.plan is not None:
        target = store.Target(mapping.partner_id, _issuer(desk, mapping), delivery_id, sequence)
        files, judgement = _store(desk, judgement, target)
    delivery = _delivery(mapping, content, delivery_id, sequence, received_at, judgement)
    desk.ledger.record(delivery, files)
    return _with_receipt(desk, mapping, delivery, judgement, before)


def _again(desk: Desk, content: _Content, mapping: FeedMapping, known: Delivery) -> DeliveryOutcome:
    """The same bytes once more: either a run was cut off before its end, or the partner sent them twice."""
    judgement = as_judged(known)
    if not known.is_finished:
        before = desk.ledger.previous(mapping.partner_id, mapping.name, known.delivery_seq)
        return _with_receipt(desk, mapping, known, judgement, before)
    day = f"{known.received_at:%Y-%m-%d}"
    withdrawn = known.withdrawn_at is not None
    held = known.delivery_id in {hold.delivery_id for hold in desk.ledger.holds()}
    finding = Finding(
        code="same_file_again",
        severity="warn" if withdrawn else "note",
        why=f"The same bytes came on {day}; nothing was read again."
        + (
            f" That delivery {'is held' if held else 'was withdrawn since'} and stays so."
            if withdrawn
            else ""
        ),
        fix=f"`throughline delivery reinstate {known.delivery_id}` puts it back."
        if withdrawn
        else "Nothing to do.",
    )
    repeated = replace(judgement, status="duplicate", findings=[finding])
    return _with_receipt(desk, mapping, known, repeated, None)


def _judge(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    mapping: FeedMapping,
    settings: Settings,
    ledger: Ledger | None,
    community: Community,
    own_sequence: int | None = None,
) -> Judgement:
    contract = load_contracts()[mapping.feed]
    barred = _barred(community, mapping, settings)
    if barred is not None:
        return Judgement("refused", findings=[barred])
    before: dict[str, int] = {}
    if ledger is not None and mode_of(mapping) in ("full_snapshot", "school_year_snapshot"):
        before = ledger.rows_in_force(mapping.partner_id, mapping.name)
    try:
        earlier = earlier_deliveries(community, settings, ledger, mapping, own_sequence)
        return judge_file(con, path, mapping, contract, settings, before, earlier)
    except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
        # These come before any row is read, so their text quotes the mapping and never the file.
        detail = ": " + " ".join(str(error).split("\n")[0].split())[:200]
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        detail = f" ({type(error).__name__})"
    finding = Finding(
        code="mapping_failed",
        severity="refuse",
        why=f"The mapping could not be applied{detail}.",
        fix=f"Check the expressions in {Path(mapping.path).name} against the file's columns.",
    )
    return Judgement("refused", findings=[finding])


def _barred(community: Community, mapping: FeedMapping, settings: Settings) -> Finding | None:
    """Whether the partner's agreement keeps this feed out today."""
    agreement = community.partners[mapping.partner_id].agreement
    today = settings.clock().date()
    destroyed = destroyed_under(community.paths, mapping.partner_id, agreement.agreement_id)
    if destroyed:
        why = f"Everything held under the agreement {agreement.agreement_id} was destroyed on {destroyed.destroyed_at[:10]}."
    elif agreement.feeds and mapping.feed not in agreement.feeds:
        why = f"The agreement {agreement.agreement_id} does not cover the feed {mapping.feed}."
    elif agreement.expires and agreement.expires < today:
        why = f"The agreement {agreement.agreement_id} expired on {agreement.expires}."
    elif agreement.effective and agreement.effective > today:
        why = f"The agreement {agreement.agreement_id} takes effect on {agreement.effective}."
    else:
        return None
    return Finding(
        code="agreement",
        severity="refuse",
        why=f"{why} The file was neither read nor kept.",
        fix="Sign a new agreement or extend it, and write it into partner.yml; the file is then taken by the next run.",
    )


def _issuer(desk: Desk, mapping: FeedMapping) -> str:
    if isinstance(mapping.issuer, str):
        return mapping.issuer
    return desk.community.partners[mapping.partner_id].issuer or mapping.partner_id


def _store(desk: Desk, judgement: Judgement, target: store.Target) -> tuple[list[LakeFile], Judgement]:
    plan = judgement.plan
    assert plan is not None  # noqa: S101 - a file without a plan was refused before
    store.split_rows(desk.con, plan, target)
    judgement = without_removed(desk.con, judgement)
    store.to_vault(desk.con, plan, target, replace=target.delivery_id in desk.cut_off)
    if judgement.quarantined:
        store.to_quarantine(desk.con, desk.paths, plan, target, desk.quarantine_key)
    files = store.to_lake(desk.con, desk.paths, plan, judgement.periods, target)
    return files, judgement


def _delivery(
    mapping: FeedMapping,
    content: _Content,
    delivery_id: str,
    sequence: int,
    received_at: datetime,
    judgement: Judgement,
) -> Delivery:
    return Delivery(
        delivery_id=delivery_id,
        delivery_seq=sequence,
        partner_id=mapping.partner_id,
        feed_id=mapping.feed,
        mapping=mapping.name,
        mode=mode_of(mapping),
        file_name=printable_name(content.pending.path),
        sha256=content.sha256,
        size_bytes=content.state[0],
        received_at=received_at,
        status=judgement.status,
        records_read=judgement.records_read,
        rows_in=judgement.rows_in,
        rows_accepted=judgement.accepted,
        rows_quarantined=judgement.quarantined,
        rows_refused=judgement.refused,
        rows_not_applicable=judgement.not_applicable,
        findings=[finding.model_dump() for finding in judgement.findings],
        periods=judgement.periods,
        fingerprint=fingerprint_of(mapping),
        receipt=None,
        is_finished=False,
        withdrawn_at=None,
    )


def _with_receipt(
    desk: Desk, mapping: FeedMapping, delivery: Delivery, judgement: Judgement, before: Delivery | None
) -> DeliveryOutcome:
    receipt = write_receipt(
        desk.paths.receipts / mapping.partner_id,
        Receipt.of(
            desk.community.partners[mapping.partner_id].name,
            mapping,
            load_contracts()[mapping.feed],
            delivery,
            judgement,
            before,
            desk.settings.clock(),
        ),
    )
    return DeliveryOutcome(
        mapping.partner_id,
        mapping.feed,
        delivery.file_name,
        judgement.status,
        judgement,
        delivery.delivery_id,
        receipt,
    )
