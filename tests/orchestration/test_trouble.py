"""What is said of a failed run to people outside: our own words, never a foreign library's."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from orchestration.trouble import failed_steps, reason
from warehouse.community import ConfigurationError


def _foreign() -> None:
    raise ValueError("cannot convert 'Ada Lovelace' to a date")


def _ours() -> None:
    raise ConfigurationError("community.yml line 3: no such policy")


def _gate() -> None:
    raise dg.Failure("The quality gate stopped the release.")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (_foreign, "ValueError; its words may quote the data and stay in Dagster"),
        (_ours, "community.yml line 3: no such policy"),
        (_gate, "The quality gate stopped the release."),
    ],
)
def test_only_our_own_words_leave_the_machine(step: Callable[[], None], told: str) -> None:
    """If not, an alert mails a child's name around; or says nothing of use."""

    @dg.op(name="work")
    def work() -> None:
        step()

    @dg.job
    def night() -> None:
        work()

    events = night.execute_in_process(raise_on_error=False).all_events
    assert failed_steps(events) == [("work", told)]
    assert any(
        "Ada" in reason(e) or told in reason(e) for e in events if e.event_type_value == "STEP_FAILURE"
    )
