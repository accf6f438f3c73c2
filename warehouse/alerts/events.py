"""Which alerts a night is worth, in words that name no person, no file and no value from the data.

What belongs here: comparing a night with what was told before, and the words. What does not: sending (`send`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from warehouse.alerts.state import AlertState

Kind = Literal["failure", "block", "held", "late", "recovery"]
Result = Literal["ok", "failure", "block"]
_LINES = 12  # of a list in a message; the rest is counted


@dataclass(frozen=True)
class NightOutcome:
    """How a night went.

    Attributes:
        run_id: Dagster's id of the run.
        result: ok, failure (something broke) or block (the gate or disclosure control refused to publish).
        reasons: sentences that were written by us, never an exception's own words about data.
        late: feeds past their day, as partner/feed.
        release_id: the release that is current after the night; None before the first.
        held: deliveries that the quality gate holds, each by its id with a sentence that says why.
    """

    run_id: str
    result: Result
    reasons: Sequence[str] = ()
    late: Sequence[str] = ()
    release_id: str | None = None
    held: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Alert:
    """One message."""

    kind: Kind
    title: str
    body: str


def due_alerts(
    community: str, state: AlertState, night: NightOutcome, wanted: Sequence[str]
) -> tuple[list[Alert], AlertState]:
    """The alerts that a night calls for, and the state after them.

    A failed or blocked night is told each time; a late feed once, until it came; a held delivery once; a recovery once.

    Args:
        community: name of the partnership, for the title.
        state: what was told before.
        night: how it went.
        wanted: kinds that the community wants to be told of.
    """
    if night.run_id in state.told_runs:
        return [], state
    found: list[Alert] = []
    if night.result != "ok":
        found.append(_trouble(community, night))
    elif state.last != "ok":
        found.append(
            Alert(
                "recovery",
                f"{community}: the night works again",
                f"{_stands(night)}\nRun {night.run_id}.",
            )
        )
    held = [words for delivery, words in sorted(night.held.items()) if delivery not in state.held]
    if held:
        found.append(_held(community, held))
    newly = [feed for feed in night.late if feed not in state.late]
    came = [feed for feed in state.late if feed not in night.late]
    if newly:
        found.append(_late(community, newly))
    if came:
        found.append(Alert("recovery", f"{community}: late files have come", _listed(came)))
    after = state.after(night.run_id, night.result, list(night.late), sorted(night.held))
    return [alert for alert in found if alert.kind in wanted], after


def _trouble(community: str, night: NightOutcome) -> Alert:
    blocked = night.result == "block"
    title = "nothing was published" if blocked else "the night failed"
    closing = (
        "`throughline quality explain` tells more, with the fix of each rule."
        if blocked
        else "`throughline status` and the run's first screen in Dagster tell more; mend it and run `throughline run`."
    )
    body = f"{_listed(night.reasons)}\n\n{_stands(night)}\n{closing}\nRun {night.run_id}."
    return Alert("block" if blocked else "failure", f"{community}: {title}", body)


def _held(community: str, held: Sequence[str]) -> Alert:
    number = "a delivery is held" if len(held) == 1 else f"{len(held)} deliveries are held"
    closing = (
        "The last good deliveries stay in force, and the rest is published. Ask the partners' contacts for corrected files; "
        "`throughline quality explain` tells more."
    )
    return Alert("held", f"{community}: {number}", f"{_listed(held)}\n\n{closing}")


def _late(community: str, feeds: Sequence[str]) -> Alert:
    number = "a file is late" if len(feeds) == 1 else f"{len(feeds)} files are late"
    closing = "Ask the partner's contact; `throughline status` shows when each was due."
    return Alert("late", f"{community}: {number}", f"{_listed(feeds)}\n\n{closing}")


def _stands(night: NightOutcome) -> str:
    return (
        f"Published is release {night.release_id}." if night.release_id else "Nothing has been published yet."
    )


def _listed(items: Sequence[str]) -> str:
    lines = [f"- {item}" for item in items[:_LINES]]
    more = len(items) - _LINES
    return "\n".join([*lines, f"- and {more} more"] if more > 0 else lines)
