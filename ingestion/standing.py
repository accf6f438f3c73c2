"""How each partner's feed stands: last delivery, due date, lateness, acceptance, trend.

What belongs here: summing up the ledger. What does not: telling anybody (the command line, Dagster's assets).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import median
from typing import Any

from ingestion.contracts import load_contracts
from ingestion.due import next_due
from ingestion.mapping import load_mappings
from warehouse.community import Community
from warehouse.ledger import Ledger

# Deliveries before the last one that say what is usual.
_USUAL = 5


@dataclass(frozen=True)
class FeedStanding:
    """One configured partner and feed.

    Attributes:
        partner_id: who drops it.
        feed_id: what is dropped.
        last_delivery: day of the last accepted delivery; None before the first.
        due: day on which the next one is due; None before the first.
        state: on time, late or never delivered.
        deliveries: accepted ones so far.
        rows: their rows that were meant for this feed.
        acceptance: share of these rows that was accepted; None without rows.
        trend: rows of the last delivery against the median of the five before it, as a relative change.
    """

    partner_id: str
    feed_id: str
    last_delivery: date | None
    due: date | None
    state: str
    deliveries: int
    rows: int
    acceptance: float | None
    trend: float | None


def feed_standings(community: Community, ledger: Ledger, today: date) -> list[FeedStanding]:
    """One row a configured partner and feed, by name."""
    contracts = load_contracts()
    taken: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in ledger.delivery_rows():
        if row["status"] == "accepted":
            taken[row["partner_id"], row["feed_id"]].append(row)
    plans = {
        (m.partner_id, m.feed): (m.cadence or contracts[m.feed].cadence, m.due)
        for m in load_mappings(community)
    }
    return [_standing(*key, plans[key], taken.get(key, ()), today) for key in sorted(plans)]


def _standing(
    partner_id: str,
    feed_id: str,
    plan: tuple[str, str | None],
    taken: Sequence[Mapping[str, Any]],
    today: date,
) -> FeedStanding:
    accepted = sum(row["rows_accepted"] for row in taken)
    judged = sum(_judged(row) for row in taken)
    last = max((_day(row["received_at"]) for row in taken), default=None)
    due = next_due(*plan, last) if last else None
    return FeedStanding(
        partner_id,
        feed_id,
        last,
        due,
        "never delivered" if due is None else "late" if due < today else "on time",
        len(taken),
        judged,
        accepted / judged if judged else None,
        _trend([_judged(row) for row in taken]),
    )


def _judged(row: Mapping[str, Any]) -> int:
    return int(row["rows_accepted"] + row["rows_quarantined"])


def _trend(rows: Sequence[int]) -> float | None:
    before = rows[-1 - _USUAL : -1]
    usual = median(before) if before else 0
    return rows[-1] / usual - 1 if usual else None


def _day(moment: datetime | str) -> date:
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).date()
