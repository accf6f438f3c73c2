"""How a partner's feed stands, as the status command and Dagster's assets show it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ingestion.standing import FeedStanding, feed_standings
from tests.ingestion.conftest import START, Town

File = Callable[..., str]


def _standing(town: Town, days: int = 0) -> FeedStanding:
    (found,) = feed_standings(town.community, town.ledger, (START + timedelta(days=days)).date())
    return found


def test_a_feed_that_never_came_is_not_late(enrolled: Town) -> None:
    """If not, a new partner starts with a reproach."""
    found = _standing(enrolled)
    assert (found.state, found.due, found.deliveries, found.acceptance) == ("never delivered", None, 0, None)


def test_state_acceptance_and_trend_follow_the_deliveries(enrolled: Town, enrollment: File) -> None:
    """If not, nobody notices the partner who stopped sending, or sends half."""
    enrolled.take("enroll1.csv", enrollment(40))
    bad = "99,Ann,Lee,13/45/2015,F,W,2023-24,Oak,03,08/21/2023\n"
    enrolled.take("enroll2.csv", enrollment(39, more=bad))
    found = _standing(enrolled)
    assert (found.state, found.deliveries, found.rows) == ("on time", 2, 80)
    assert found.acceptance == 79 / 80
    assert found.trend == 0
    assert found.last_delivery == (START + timedelta(days=1)).date()
    assert found.due is not None and found.due > START.date()
    assert _standing(enrolled, days=800).state == "late"
