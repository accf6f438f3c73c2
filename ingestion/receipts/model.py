"""What a receipt says, in words, before it is written as a page or a table.

What belongs here: verdicts, counts, comparisons, dates. What does not: HTML and CSV (`write`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ingestion.contracts import FeedContract
from ingestion.due import next_due
from ingestion.mapping import FeedMapping
from warehouse.ledger import Delivery

if TYPE_CHECKING:
    from ingestion.acceptance.findings import Finding
    from ingestion.acceptance.judge_file import Judgement

VERDICTS = {
    "accepted": "The file was taken.",
    "refused": "The file was refused; what we had before stays in force.",
    "duplicate": "The same file came before; nothing was read again.",
    "held": (
        "The file was taken, and held: as a whole it breaks a rule, so the last good one stays in force. "
        "Send a corrected file; it needs no other step."
    ),
    "withdrawn": "The file was taken and withdrawn later.",
}
_MODES = {
    "full_snapshot": "It takes the place of the last file of this kind.",
    "school_year_snapshot": "For each school year in it, it takes the place of what came before for that year.",
    "increment": "It is added to what came before.",
    "upsert": "Its rows take the place of earlier ones with the same key.",
}


@dataclass(frozen=True)
class Receipt:
    """One receipt.

    Attributes:
        counts: what became of the rows, as (words, number, name in the CSV).
        changes: against the last accepted delivery, as (words, now, before).
        due: day on which the next file is due, as ISO text.
    """

    partner: str
    feed_title: str
    file_name: str
    delivery_id: str
    sequence: int
    moment: datetime
    status: str
    verdict: str
    counts: list[tuple[str, int, str]]
    findings: list[Finding]
    due: str
    changes: list[tuple[str, int, int]] = field(default_factory=list)
    compared_with: str = ""

    @classmethod
    def of(
        cls,
        partner: str,
        mapping: FeedMapping,
        contract: FeedContract,
        delivery: Delivery,
        judgement: Judgement,
        before: Delivery | None,
        now: datetime,
    ) -> Receipt:
        """The receipt for a delivery; a repeated one is dated by its repetition."""
        status = judgement.status
        moment = now.replace(tzinfo=None) if status == "duplicate" else delivery.received_at
        verdict = VERDICTS.get(status, status)
        if status == "accepted":
            verdict = f"{verdict} {_MODES[delivery.mode]}"
        cadence = mapping.cadence or contract.cadence
        return cls(
            partner=partner,
            feed_title=contract.title,
            file_name=delivery.file_name,
            delivery_id=delivery.delivery_id,
            sequence=delivery.delivery_seq,
            moment=moment,
            status=status,
            verdict=verdict,
            counts=_counts(judgement),
            findings=judgement.findings,
            due=next_due(cadence, mapping.due, moment.date()).isoformat(),
            changes=_changes(judgement, before) if before is not None and status == "accepted" else [],
            compared_with=f"{before.received_at:%Y-%m-%d}" if before is not None else "",
        )


def _counts(judgement: Judgement) -> list[tuple[str, int, str]]:
    if judgement.status == "refused":
        return [
            ("Rows in the file", judgement.rows_in, "rows_in_file"),
            ("Refused with the file", judgement.refused, "rows_refused"),
        ]
    return [
        ("Rows in the file", judgement.rows_in, "rows_in_file"),
        ("Taken", judgement.accepted, "rows_accepted"),
        ("Put aside (quarantined)", judgement.quarantined, "rows_quarantined"),
        ("Not meant for this feed", judgement.not_applicable, "rows_not_applicable"),
        ("Records that could not be read, besides", judgement.refused, "records_unreadable"),
    ]


def _changes(judgement: Judgement, before: Delivery) -> list[tuple[str, int, int]]:
    changes = [
        ("Rows in the file", judgement.rows_in, before.rows_in),
        ("Taken", judgement.accepted, before.rows_accepted),
        ("Put aside", judgement.quarantined, before.rows_quarantined),
    ]
    periods = sorted({*judgement.periods, *before.periods} - {"all"})
    changes += [
        (f"Taken for school year {period}", judgement.periods.get(period, 0), before.periods.get(period, 0))
        for period in periods
    ]
    was = {
        (f["code"], f["column"]): int(f["count"]) for f in before.findings if f["severity"] == "quarantine"
    }
    now = {(f.code, f.column): f.count for f in judgement.findings if f.severity == "quarantine"}
    for code, column in sorted({*was, *now}, key=str):
        words = f"Put aside by {code}" + (f" in {column}" if column else "")
        changes.append((words, now.get((code, column), 0), was.get((code, column), 0)))
    return changes
