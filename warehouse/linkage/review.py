"""The queue of pairs that a person has to decide, and the decisions that linkage obeys for ever.

What belongs here: what waits, in which order, and recording decisions. What does not: showing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import duckdb

Decision = Literal["match", "non_match", "unsure"]

# What a reviewer compares, side by side; names of columns of vault.identifier_record.
SHOWN = (
    "first_name", "middle_name", "last_name", "name_suffix", "preferred_name", "birth_date", "sex",
    "street_address", "city", "postal_code", "phone", "guardian_first_name", "guardian_last_name", "state_student_id",
)  # fmt: skip


@dataclass(frozen=True)
class ReviewPair:
    """A pair in the queue with all that each source says of its person; stays in memory.

    Attributes:
        left_key: source person.
        right_key: the other.
        reason: why linkage did not decide it.
        probability: of a match, by the model; hidden from reviewers unless they ask, since it sways them.
        left_partner: partner of the first.
        right_partner: partner of the second.
        left: distinct values by column.
        right: distinct values by column.
    """

    left_key: str
    right_key: str
    reason: str
    probability: float
    left_partner: str
    right_partner: str
    left: dict[str, list[str]]
    right: dict[str, list[str]]


def store_queue(con: duckdb.DuckDBPyConnection, sequence: int) -> None:
    """Replace the queue by the pairs that the linkage just made leaves to review; part of its transaction."""
    con.execute("delete from vault.link_review")
    con.execute(
        """insert into vault.link_review
        select left_node, right_node, reason, weight, probability, $s from decided_edge where outcome = 'review'""",
        {"s": sequence},
    )


def queue_length(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Pairs that wait, by reason; those decided since the last linkage are left out."""
    rows = con.execute(f"select reason, count(*) from ({_WAITING}) group by 1 order by 1").fetchall()
    return {str(reason): int(count) for reason, count in rows}


_WAITING = """
    select r.* from vault.link_review as r
    where (r.left_key, r.right_key) not in (
        select (left_key, right_key) from vault.link_decision)"""


def pending(con: duckdb.DuckDBPyConnection, limit: int = 20) -> list[ReviewPair]:
    """The next pairs, those first whose decision tells most: equal odds, and many deliveries behind them."""
    rows = con.execute(
        f"""with weight as (
            select source_person_key as node, count(distinct delivery_id) as n, min(partner_id) as partner_id
            from vault.identifier_record group by 1
        )
        select w.left_key, w.right_key, w.reason, w.probability, l.partner_id, r.partner_id
        from ({_WAITING}) as w join weight as l on l.node = w.left_key join weight as r on r.node = w.right_key
        order by abs(w.probability - 0.5) / ln(1 + l.n + r.n), w.left_key, w.right_key limit $n""",
        {"n": limit},
    ).fetchall()
    return [
        ReviewPair(left, right, reason, odds, one, other, describe(con, left), describe(con, right))
        for left, right, reason, odds, one, other in rows
    ]


def describe(con: duckdb.DuckDBPyConnection, source_person_key: str) -> dict[str, list[str]]:
    """Every distinct value that a source gave of one person, newest first, by column."""
    lists = ", ".join(
        f"list({name}::varchar order by delivery_seq desc) filter ({name} is not null) as {name}"
        for name in SHOWN
    )
    row = con.execute(
        f"select {lists} from vault.identifier_record where source_person_key = $k", {"k": source_person_key}
    ).fetchone()
    return {name: list(dict.fromkeys(values or [])) for name, values in zip(SHOWN, row or (), strict=True)}


def record_decision(
    con: duckdb.DuckDBPyConnection,
    left_key: str,
    right_key: str,
    decision: Decision,
    reviewer: str,
    decided_at: datetime,
    note: str | None = None,
) -> None:
    """Keep a decision; the newest one of a pair is obeyed from the next linkage on, older ones stay on record.

    Raises:
        ValueError: the two are the same, or one is unknown to the vault.
    """
    left, right = sorted((left_key, right_key))
    row = con.execute(
        "select count(distinct source_person_key) from vault.identifier_record where source_person_key in ($l, $r)",
        {"l": left, "r": right},
    ).fetchone()
    if not row or row[0] != 2:
        raise ValueError("A decision needs two different source persons that the vault knows.")
    con.execute(
        """insert into vault.link_decision
        select coalesce(max(decision_n), 0) + 1, $l, $r, $d, $who, $at, $note from vault.link_decision""",
        {"l": left, "r": right, "d": decision, "who": reviewer, "at": decided_at, "note": note},
    )


def agreement(con: duckdb.DuckDBPyConnection) -> tuple[int, float | None]:
    """Pairs that two reviewers decided apart from each other, and Cohen's kappa of their agreement.

    kappa = (observed - expected) / (1 - expected), Cohen 1960; None with no such pair.
    """
    rows = con.execute(
        """with one as (
            select left_key, right_key, reviewer, arg_max(decision, decision_n) as decision, min(decision_n) as n
            from vault.link_decision where decision <> 'unsure' group by 1, 2, 3
        )
        select a.decision = 'match', b.decision = 'match' from one as a join one as b using (left_key, right_key)
        where a.n < b.n"""
    ).fetchall()
    if not rows:
        return 0, None
    total = len(rows)
    observed = sum(a == b for a, b in rows) / total
    yes_a, yes_b = sum(a for a, _ in rows) / total, sum(b for _, b in rows) / total
    expected = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
    return total, 1.0 if expected == 1 else cast(float, (observed - expected) / (1 - expected))
