"""Alerts on linkage are rare while nothing changes, and come when a source is linked worse."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from expectations.model import LinkageFigure, load_suites
from expectations.run import LINKAGE, run_suites
from tests.expectations.rejected import fill
from warehouse.configured import CONFIG_TABLES

SUITE = next(suite for suite in load_suites() if suite.table == LINKAGE)
RULES = ("match_rate_fell", "more_in_the_grey_zone", "rows_lost_their_person")
NIGHTS, SOURCES, GROUPS = 200, 20, 16


def _told(before: pd.DataFrame, now: pd.DataFrame, rule: str) -> int:
    """How many of the nights the rule speaks in; `night` is part of the feed's name."""
    con = duckdb.connect()
    con.execute("create schema config; create schema marts")
    con.register("before_frame", before)
    con.register("now_frame", now)
    con.execute("create table config.linkage_history as from before_frame")
    con.execute(f"create table {LINKAGE} as from now_frame")
    asked = next(r for r in SUITE.rules if r.id == f"mart_linkage_quality_{rule}")
    query = (
        asked.asked(str(asked.violations))
        .replace("{table}", LINKAGE)
        .replace("select 1 from", "select told.feed_id from", 1)
    )
    return len({row[0].split()[0] for row in con.execute(query).fetchall()})


def _night(seed: int, matched: float = 0.9, grey: float = 0.02, lost: float = 0.01) -> pd.DataFrame:
    """Two hundred nights of a community, drawn anew; half a night's people are far more than change in any real one."""
    rng = np.random.default_rng(seed)
    size = np.random.default_rng(1).integers(60, 6000, SOURCES * GROUPS)
    nights = [f"{night} source{n % SOURCES}" for night in range(NIGHTS) for n in range(SOURCES * GROUPS)]
    people = np.tile(size, NIGHTS)
    group = np.tile(np.arange(SOURCES * GROUPS) // SOURCES, NIGHTS)
    return pd.DataFrame(
        {
            "feed_id": nights,
            "partner_id": "p",
            "dimension": np.where(group == 0, "all", "race"),
            "group_value": group.astype(str),
            "person_n": people,
            "matched_n": rng.binomial(people, matched),
            "source_person_n": people,
            "grey_zone_rate": rng.binomial(people, grey) / people,
            "row_n": people,
            "unlinked_row_n": rng.binomial(people, lost),
        }
    )


@pytest.mark.parametrize("rule", RULES)
def test_chance_alone_is_seldom_told(rule: str) -> None:
    """If it often is, nobody reads alerts any more."""
    assert _told(_night(2), _night(3), rule) <= 0.05 * NIGHTS


@pytest.mark.parametrize("rule", RULES)
def test_worse_linkage_is_told(rule: str) -> None:
    """If not, a partner's changed file biases every joined figure for years."""
    worse = _night(4, matched=0.8, grey=0.1, lost=0.08)
    assert _told(_night(2), worse, rule) == NIGHTS
    assert _told(worse, _night(2), rule) == 0  # better is no alarm


def test_the_report_remembers_how_people_were_linked(tmp_path: Path) -> None:
    """If not, there is nothing to hold the next night against."""
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as con:
        fill(con, LINKAGE, SUITE.rules)
    figures = run_suites(database, "r", [SUITE]).linkage
    assert {figure.feed_id for figure in figures} >= {"g", "h", "i"}
    assert set(LinkageFigure.model_fields) == set(CONFIG_TABLES["linkage_history"])
