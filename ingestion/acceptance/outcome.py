"""What came of one file by one mapping.

What belongs here: the result type and its wording for logs. What does not: how it comes about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ingestion.acceptance.findings import Finding
from ingestion.acceptance.judge_file import Judgement


@dataclass(frozen=True)
class DeliveryOutcome:
    """What came of one file by one mapping.

    Attributes:
        status: accepted, refused, duplicate (the same bytes came before), unknown (no mapping takes it) or failed
            (an error of the platform; the file stays in the drop folder for the next run).
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
        counts = f"{j.rows_in:,} rows, {j.accepted:,} accepted, {j.quarantined:,} quarantined"
        told = (
            counts
            if self.status in ("accepted", "duplicate")
            else "; ".join(f.why for f in self.findings[:2])
        )
        return f"{self.partner_id}: {self.file_name} -> {self.feed_id}: {self.status}, {told}"


def without_delivery(
    partner_id: str, file_name: str, status: str, finding: Finding, feed_id: str = "-"
) -> DeliveryOutcome:
    """The outcome of a file that is no delivery: unknown, or not to be worked on now."""
    return DeliveryOutcome(partner_id, feed_id, file_name, status, Judgement(status, findings=[finding]))
