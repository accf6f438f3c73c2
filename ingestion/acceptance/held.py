"""Receipts of deliveries that the quality gate holds, or held: the partner reads there what stands, and why.

What belongs here: writing them anew. What does not: the first receipt (`receive`) and the decision (`expectations`).
"""

from __future__ import annotations

from dataclasses import replace

from ingestion.acceptance.findings import Finding
from ingestion.acceptance.judge_file import Judgement
from ingestion.contracts import load_contracts
from ingestion.mapping import FeedMapping, load_mappings
from ingestion.receipts import Receipt, write_index, write_receipt
from warehouse.community import Community
from warehouse.ledger import Delivery, HeldRule, Ledger
from warehouse.settings import Settings


def as_judged(known: Delivery) -> Judgement:
    """What was found of an accepted delivery, as the ledger keeps it."""
    return Judgement(
        "accepted",
        records_read=known.records_read,
        rows_in=known.rows_in,
        accepted=known.rows_accepted,
        quarantined=known.rows_quarantined,
        refused=known.rows_refused,
        not_applicable=known.rows_not_applicable,
        findings=[Finding.model_validate(finding) for finding in known.findings],
        periods=dict(known.periods),
    )


def rewrite_receipts(community: Community, settings: Settings, ledger: Ledger) -> None:
    """Write the receipt of each delivery that is or was held as it stands now, and its partner's page."""
    mappings = {(m.partner_id, m.name): m for m in load_mappings(community)}
    partners = set()
    held = {hold.delivery_id: hold.rules for hold in ledger.holds()}
    for delivery in ledger.ever_held():
        mapping = mappings.get((delivery.partner_id, delivery.mapping))
        if mapping is None:
            continue
        partners.add(delivery.partner_id)
        _write(community, settings, ledger, mapping, delivery, held.get(delivery.delivery_id, ()))
    for partner_id in sorted(partners):
        write_index(
            community.paths.receipts / partner_id,
            community.partners[partner_id].name,
            ledger.partner_deliveries(partner_id),
            set(held),
        )


def _write(
    community: Community,
    settings: Settings,
    ledger: Ledger,
    mapping: FeedMapping,
    delivery: Delivery,
    rules: tuple[HeldRule, ...],
) -> None:
    judged = as_judged(delivery)
    told = [Finding(code=rule.rule_id, severity="hold", why=rule.why, fix=rule.fix) for rule in rules]
    status = "held" if rules else "withdrawn" if delivery.withdrawn_at else judged.status
    found = replace(judged, status=status, findings=[*told, *judged.findings])
    receipt = Receipt.of(
        community.partners[delivery.partner_id].name,
        mapping,
        load_contracts()[mapping.feed],
        delivery,
        found,
        ledger.previous(mapping.partner_id, mapping.name, delivery.delivery_seq),
        settings.clock(),
    )
    write_receipt(community.paths.receipts / delivery.partner_id, receipt)
