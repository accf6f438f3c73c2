"""Holds: deliveries that the quality gate took out of force, with the rules that they break.

What belongs here: writing, lifting and reading holds. What does not: which delivery breaks what (`expectations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import orm

from warehouse.ledger.tables import Delivery, DeliveryEvent, HeldRule, Hold


def noted(hold: Hold) -> str:
    """The ids of the rules of a hold, as one text for the working database."""
    return ", ".join(rule.rule_id for rule in hold.rules)


class Holding:
    """The part of the ledger that knows of holds."""

    _engine: sa.Engine

    def hold(self, broken: Mapping[str, Sequence[HeldRule]], at: datetime) -> None:
        """Take deliveries out of force, all in one transaction; what they had replaced is in force again.

        Args:
            broken: the rules that each delivery breaks, by its id; one that is out of force already is left as it is.
            at: the moment of the decision.
        """
        with orm.Session(self._engine) as session, session.begin():
            for delivery_id, rules in sorted(broken.items()):
                delivery = session.get(Delivery, delivery_id)
                if delivery is None or delivery.status != "accepted" or delivery.withdrawn_at is not None:
                    continue
                delivery.withdrawn_at = naive(at)
                told = [asdict(rule) for rule in rules]
                session.add(DeliveryEvent(delivery_id=delivery_id, at=naive(at), kind="held", rules=told))

    def lift(self, delivery_ids: Sequence[str], at: datetime) -> None:
        """Put held deliveries back in force to be judged anew, because a rule that held them is another now."""
        with orm.Session(self._engine) as session, session.begin():
            for delivery_id in delivery_ids:
                delivery = session.get(Delivery, delivery_id)
                if delivery is None or delivery.withdrawn_at is None:
                    continue
                delivery.withdrawn_at = None
                # No rules: unlike the operator's word this is no reason to let it pass.
                event = DeliveryEvent(delivery_id=delivery_id, at=naive(at), kind="reinstated", rules=[])
                session.add(event)

    def holds(self) -> list[Hold]:
        """The deliveries that are held now, by partner, feed and number."""
        return [hold for hold in self._all_holds() if not hold.is_released]

    def released_holds(self) -> list[Hold]:
        """The deliveries that were held and that the operator put back, as they were held last."""
        return [hold for hold in self._all_holds() if hold.is_released]

    def ever_held(self) -> list[Delivery]:
        """Accepted deliveries that are or were held, by number: their receipts may have to say something else."""
        of_gate = sa.select(DeliveryEvent.delivery_id).where(DeliveryEvent.kind == "held")
        query = (
            sa.select(Delivery)
            .where(Delivery.status == "accepted", Delivery.delivery_id.in_(of_gate))
            .order_by(Delivery.delivery_seq)
        )
        with orm.Session(self._engine, expire_on_commit=False) as session:
            return list(session.scalars(query))

    def _all_holds(self) -> list[Hold]:
        query = (
            sa.select(Delivery, DeliveryEvent)
            .join(DeliveryEvent, DeliveryEvent.delivery_id == Delivery.delivery_id)
            .where(Delivery.status == "accepted")
            .order_by(Delivery.partner_id, Delivery.feed_id, Delivery.delivery_seq, DeliveryEvent.event_n)
        )
        found: dict[str, Hold] = {}
        with orm.Session(self._engine) as session:
            for delivery, event in session.execute(query):
                if event.kind == "held":
                    found[delivery.delivery_id] = _hold(delivery, event)
                elif event.kind == "reinstated" and event.rules is None:
                    released = found.get(delivery.delivery_id)
                    if released is not None:
                        found[delivery.delivery_id] = _hold(delivery, event, released)
                else:
                    found.pop(delivery.delivery_id, None)
        return list(found.values())


def _hold(delivery: Delivery, event: DeliveryEvent, released: Hold | None = None) -> Hold:
    rules = released.rules if released else tuple(HeldRule(**rule) for rule in event.rules or ())
    return Hold(
        delivery.delivery_id,
        delivery.partner_id,
        delivery.feed_id,
        event.at,
        rules,
        is_released=released is not None,
    )


def naive(moment: datetime) -> datetime:
    """A moment as the ledger keeps it: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
