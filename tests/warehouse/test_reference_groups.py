"""The reference groups that a community may name are the groups that there are."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import get_args

import pytest

from warehouse.community import ConfigurationError, load_community
from warehouse.community.config import RaceGroup

_SEED = Path(__file__).parents[2] / "dbt_project" / "seeds" / "race_group.csv"


def test_every_race_group_may_be_named() -> None:
    """If not, a group of a new roll-up cannot be compared with."""
    with _SEED.open(encoding="utf-8") as stream:
        groups = {row["race_group"] for row in csv.DictReader(stream)}
    assert set(get_args(RaceGroup)) == groups - {"unknown"}


def test_a_group_that_there_is_not_is_told_with_its_line_and_what_is_allowed(tmp_path: Path) -> None:
    """If not, a slip of the pen silently compares everybody with the best group."""
    text = "community_id: town\nname: Town\nreference_groups:\n  gender: mail\n"
    (tmp_path / "community.yml").write_text(text, encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=r"community\.yml:4: reference_groups\.gender: .*'female', 'male'"
    ):
        load_community(tmp_path)
