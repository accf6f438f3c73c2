"""The framework's rules, in Python from their wording alone, against the models on random communities."""

from __future__ import annotations

import random

import duckdb
import pytest
from gateways import expected, fill, random_world

from warehouse.gateways import WhatIfError, what_if
from warehouse.report_card.catalogue import load_catalogue
from warehouse.settings import CommunityPaths


@pytest.mark.parametrize("seed", range(25))
def test_the_models_judge_as_the_framework_says(community: CommunityPaths, seed: int) -> None:
    """If not, a community is told a gateway that it has not reached, or kept from one that it has."""
    world = random_world(random.Random(seed))
    fill(community, world)
    found = what_if(community, [])
    assert {change.gateway_id: change.then for change in found} == expected(world)
    for change in found:
        assert (change.smallest_change is None) == (
            change.reason == "All requirements are met." or ":" not in change.reason.split("Earlier")[0]
        )


def test_every_measurement_speaks_spanish(golden: duckdb.DuckDBPyConnection) -> None:
    """If not, a figure more or less in a sentence leaves it in English on the Spanish page."""
    spanish = load_catalogue("es")
    told = golden.sql("select measured_by, detail from marts.mart_gateway_measurement").fetchall()
    assert len(told) == 10
    assert [name for name, detail in told if 'lang="en"' in spanish.detail(name, detail)] == []


def test_a_what_if_changes_the_answer_and_no_data(community: CommunityPaths) -> None:
    """If not, trying something out changes what is published."""
    world = random_world(random.Random(1))
    world["attested"] = dict.fromkeys(world["attested"], "met")
    world["measured"] = dict.fromkeys(world["measured"], "met")
    world["attested"]["EXP-SCV-1"] = None
    world["readings"] |= {
        "benchmarks_required": 1.0,
        "cumulative": True,
        "include_secondary_benchmarks": True,
    }
    fill(community, world)
    before = community.warehouse.read_bytes()
    first = {change.gateway_id: change for change in what_if(community, [])}["exploring"]
    assert (first.then, first.smallest_change) == ("not_met", "EXP-BENCH: all of EXP-SCV-1")
    then = {change.gateway_id: change.then for change in what_if(community, ["benchmark:EXP-SCV-1=met"])}
    assert then["exploring"] == "met"
    assert community.warehouse.read_bytes() == before


def test_a_benchmark_of_another_edition_does_not_count(community: CommunityPaths) -> None:
    """If it did, a community would be asked for what its edition of the framework does not ask."""
    world = random_world(random.Random(1))
    world["attested"] = dict.fromkeys(world["attested"], "met")
    world["measured"] = dict.fromkeys(world["measured"], "met")
    fill(community, world)
    other = "select * replace ('OLD-1' as benchmark_id, '2013' as edition_id) from seeds.framework_benchmark limit 1"
    with duckdb.connect(str(community.warehouse)) as con:
        con.execute(f"insert into seeds.framework_benchmark {other}")
    try:
        assert {change.gateway_id: change.then for change in what_if(community, [])} == expected(world)
    finally:
        with duckdb.connect(str(community.warehouse)) as con:
            con.execute("delete from seeds.framework_benchmark where benchmark_id = 'OLD-1'")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("benchmark:XYZ=met", "EXP-SCV-1"),
        ("benchmark:EXP-SCV-1=great", "in_progress"),
        ("weather:rain=met", "benchmark"),
        ("outcomes_required=nine", "Outcomes maintained"),
        ("nothing", "NAME=VALUE"),
    ],
)
def test_a_change_that_cannot_be_made_says_what_can(
    community: CommunityPaths, setting: str, told: str
) -> None:
    """If not, a typing slip reads as 'this would change nothing'."""
    with pytest.raises(WhatIfError, match=told):
        what_if(community, [setting])
