"""Why a run failed, in words that may leave this machine.

What belongs here: reading a run's events. What does not: telling anybody (`alerts`, `cli`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import dagster as dg

# Errors whose messages we write ourselves, and write without values from the data.
_OURS = (
    "ConfigurationError", "AlertError", "VaultKeyError", "MappingError", "ContractError", "SuiteError", "RunLockedError",
    "ReleaseError", "VaultBusyError", "VaultLostError", "AccessLogError", "LedgerError", "LakeError",
)  # fmt: skip


def reason(event: dg.DagsterEvent) -> str:
    """Why a step failed, for whoever may see this machine."""
    return _told(event)[0]


def failed_steps(events: Sequence[dg.DagsterEvent]) -> list[tuple[str, str]]:
    """The steps that failed, each with a reason that can be sent: a foreign library's message may quote the data."""
    found = []
    for event in events:
        if event.event_type_value == "STEP_FAILURE":
            words, sendable = _told(event)
            found.append(
                (event.step_key or "run", " ".join(words.split())[:600] if sendable else _unsaid(event))
            )
    return found


def _told(event: dg.DagsterEvent) -> tuple[str, bool]:
    with suppress(AttributeError):
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            return str(data.user_failure_data.description), True
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            words = " ".join(error.message.split())[:2000]
            ours = error.cls_name in _OURS
            return (words.partition(f"{error.cls_name}: ")[2] or words) if ours else words, ours
    return event.message or "failed", False


def _unsaid(event: dg.DagsterEvent) -> str:
    name = "an error"
    with suppress(AttributeError):
        error = event.step_failure_data.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None and error.cls_name:
            name = error.cls_name
    return f"{name}; its words may quote the data and stay in Dagster"
