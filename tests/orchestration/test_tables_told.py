"""Every table that dbt builds is told to Dagster, or the night says so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from orchestration.assets.models import _every_table_told

CONTEXT = cast(
    "dg.AssetExecutionContext",
    SimpleNamespace(
        assets_def=SimpleNamespace(
            keys_by_output_name={n: dg.AssetKey(["marts", n]) for n in ("mart_one", "mart_two", "mart_old")}
        )
    ),
)


def _told(*names: str) -> list[Any]:
    events = iter([dg.Output(None, output_name=name) for name in names])
    return list(_every_table_told(CONTEXT, {"mart_old"}, events))


def test_a_night_in_which_every_table_was_told_goes_on() -> None:
    """If not, no night would end."""
    assert [event.output_name for event in _told("mart_one", "mart_two")] == ["mart_one", "mart_two"]


def test_a_table_that_dbt_did_not_tell_of_stops_the_night_with_its_name() -> None:
    """If not, gate and release are left out without a word, and the night counts as well."""
    with pytest.raises(dg.Failure, match="marts/mart_two"):
        _told("mart_one")
