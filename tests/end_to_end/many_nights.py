"""Many long lives of communities, to the lake and linkage: `make test-nights`. NIGHTS says how many."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ingestion.test_any_order_of_nights import Nights


def test_any_order_gives_the_lake_and_persons_of_one_clean_run() -> None:
    """If not, what is counted depends on when a partner sent, or on a night that was cut off."""
    lives = settings(
        max_examples=int(os.environ.get("NIGHTS", "100")),
        stateful_step_count=14,
        deadline=None,
        database=None,
        print_blob=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Nights, settings=lives)
