"""How each partner's agreement stands today, and deliveries that were held for as long as it allows.

What belongs here: dates. What does not: removing anything for good (`destroy`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from warehouse.agreements.certificate import destroyed_under
from warehouse.community import Community
from warehouse.ledger import Delivery, Ledger
from warehouse.settings import Settings

# Days before the end of an agreement from which its renewal is asked for.
_NOTICE_DAYS = 60


@dataclass(frozen=True)
class AgreementStanding:
    """One partner's agreement today.

    Attributes:
        partner_id: whose data is held under it.
        agreement_id: reference of the signed document.
        state: in force, ends soon, ended, not yet in force, not signed, or destroyed.
        effective: first day in force.
        expires: last day in force.
        purposes: what the data may be used for.
        feeds: feeds allowed; empty allows all that are configured.
        retention_days: for how long a delivery may be held.
        deliveries: accepted deliveries held, in force or not.
        overdue: those of them held longer than that.
        advice: what to do, if anything.
    """

    partner_id: str
    agreement_id: str
    state: str
    effective: date | None
    expires: date | None
    purposes: list[str]
    feeds: list[str]
    retention_days: int | None
    deliveries: int
    overdue: int
    advice: str


def agreement_standings(community: Community, ledger: Ledger, settings: Settings) -> list[AgreementStanding]:
    """One row a configured partner, by name."""
    today = settings.clock().date()
    held: dict[str, list[Delivery]] = {}
    for delivery in ledger.latest_deliveries(limit=1_000_000):
        if delivery.status == "accepted":
            held.setdefault(delivery.partner_id, []).append(delivery)
    return [_standing(community, name, held.get(name, []), today) for name in sorted(community.partners)]


def withdraw_overdue(community: Community, ledger: Ledger, settings: Settings) -> list[Delivery]:
    """Take deliveries out of force that were held longer than their agreement allows; returns them."""
    today = settings.clock().date()
    withdrawn = []
    for name, partner in sorted(community.partners.items()):
        if partner.agreement.retention_days is None:
            continue
        for delivery in ledger.partner_deliveries(name, limit=1_000_000):
            in_force = delivery.status == "accepted" and delivery.withdrawn_at is None
            if in_force and _is_overdue(delivery, partner.agreement.retention_days, today):
                ledger.withdraw(delivery.delivery_id, settings.clock())
                withdrawn.append(delivery)
    return withdrawn


def _standing(community: Community, name: str, held: list[Delivery], today: date) -> AgreementStanding:
    agreement = community.partners[name].agreement
    overdue = sum(_is_overdue(delivery, agreement.retention_days, today) for delivery in held)
    state = _state(community, name, today)
    return AgreementStanding(
        name,
        agreement.agreement_id,
        state,
        agreement.effective,
        agreement.expires,
        agreement.purposes,
        agreement.feeds,
        agreement.retention_days,
        len(held),
        overdue,
        _advice(name, state, bool(held), overdue),
    )


def _state(community: Community, name: str, today: date) -> str:
    agreement = community.partners[name].agreement
    if destroyed_under(community.paths, name, agreement.agreement_id):
        return "destroyed"
    if agreement.expires and agreement.expires < today:
        return "ended"
    if agreement.effective and agreement.effective > today:
        return "not yet in force"
    if agreement.agreement_id == "unsigned":
        return "not signed"
    if agreement.expires and agreement.expires <= today + timedelta(days=_NOTICE_DAYS):
        return "ends soon"
    return "in force"


def _advice(name: str, state: str, holds: bool, overdue: int) -> str:
    if state == "ended" and holds:
        return f"Renew it in partner.yml, or `throughline agreement destroy --partner {name}`."
    if overdue:
        return f"{overdue} held too long: `throughline agreement destroy --partner {name} --overdue`."
    return {
        "ends soon": "Renew it, and write the new dates into partner.yml.",
        "not signed": "Sign one, and write its reference into partner.yml.",
        "destroyed": "New data needs a new agreement with another reference.",
    }.get(state, "")


def overdue_deliveries(deliveries: list[Delivery], retention_days: int | None, today: date) -> list[str]:
    """Ids of the deliveries held longer than allowed."""
    return [d.delivery_id for d in deliveries if _is_overdue(d, retention_days, today)]


def _is_overdue(delivery: Delivery, retention_days: int | None, today: date) -> bool:
    return retention_days is not None and delivery.received_at.date() + timedelta(days=retention_days) < today
