"""The smallest set of changes that would meet a gateway, against a search of all sets in random communities."""

from __future__ import annotations

import copy
import random
from datetime import date
from itertools import combinations

import pytest
from gateways import ORDER, OUTCOMES, TODAY, World, benchmarks, expected, fill, random_world

from warehouse.gateways import what_if
from warehouse.settings import CommunityPaths

# Every set of so many open things is tried in every community: 2 to this power.
MOST_OPEN = 11
Change = tuple[str, str]


def near_world(rng: random.Random) -> World:
    """A random community to which only a few things are lacking, so that all sets of them can be tried."""
    world = random_world(rng)
    lacking = rng.sample([b["benchmark_id"] for b in benchmarks()], rng.randint(0, 3))
    # Systems change is what several requirements count.
    lacking += rng.sample(
        [b["benchmark_id"] for b in benchmarks() if b["gateway"] == "systems_change"], rng.randint(0, 4)
    )
    measured = {b["measured_by"] for b in benchmarks() if b["measured_by"] and b["benchmark_id"] in lacking}
    world["attested"] = {
        name: rng.choice(["lapsed", None]) if name in lacking else "met" for name in world["attested"]
    }
    world["measured"] = {name: "not_met" if name in measured else "met" for name in world["measured"]}
    weak = rng.sample(OUTCOMES, rng.randint(0, 3))
    world["verdict"] = {
        o: rng.choice(["declined", "maintained"]) if o in weak else "improved" for o in OUTCOMES
    }
    world["last"] = dict.fromkeys(OUTCOMES, "improved")
    world["gaps"] = world["gaps"][:4]
    world["designated"] = date(2021, 6, 1) if rng.random() < 0.8 else None
    world["readings"] |= {
        "outcomes_required": rng.choice([4, 5, 7]),
        "gaps_required_transformation": rng.choice([0, 1, 2, 3]),
    }
    world["readings"]["gaps_required_ongoing"] = rng.choice([0, 1, 2])
    return world


def open_things(world: World) -> list[Change]:
    """What could still turn: each a change of its own."""
    found: list[Change] = []
    for b in benchmarks():
        is_met = world["attested"][b["benchmark_id"]] == "met"
        if not is_met or (b["measured_by"] and world["measured"][b["measured_by"]] != "met"):
            found.append(("benchmark", b["benchmark_id"]))
    found += [("outcome", o) for o in OUTCOMES if world["verdict"][o] != "improved"]
    found += [
        ("gap", gap["group_value"])
        for gap in world["gaps"]
        if gap["was_adverse_at_baseline"]
        and (gap["verdict"] not in ("reduced", "eliminated") or gap["is_levelling_down"])
    ]
    if not world["adjacent_improves"]:
        found.append(("adjacent", "poverty"))
    if world["designated"]:
        found.append(("benchmark", "SYC-EXAMPLE"))
    return found


def turned(world: World, changes: tuple[Change, ...]) -> World:
    """The community with these changes made."""
    then = copy.deepcopy(world)
    measured_by = {b["benchmark_id"]: b["measured_by"] for b in benchmarks()}
    for kind, name in changes:
        if name == "SYC-EXAMPLE":
            then["examples"].append(TODAY)
        elif kind == "benchmark":
            then["attested"][name] = "met"
            then["since"][name] = date(2024, 11, 1)
            if measured_by[name]:
                then["measured"][measured_by[name]] = "met"
        elif kind == "outcome":
            then["verdict"][name] = then["last"][name] = "improved"
        elif kind == "adjacent":
            then["adjacent_improves"] = True
        else:
            next(g for g in then["gaps"] if g["group_value"] == name).update(
                verdict="reduced", is_levelling_down=False
            )
    return then


def smallest(world: World) -> dict[str, int | None]:
    """Size of the smallest set that turns each gateway to met, by trying all; None where none does."""
    things = open_things(world)
    found: dict[str, int | None] = {}
    for size in range(len(things) + 1):
        for chosen in combinations(things, size):
            status = expected(turned(world, chosen))
            for gateway in status:
                if status[gateway] == "met":
                    found.setdefault(gateway, size)
        if len(found) == len(ORDER) + 1:
            break
    return {gateway: found.get(gateway) for gateway in (*ORDER, "ongoing_proof_point")}


def worlds(count: int) -> list[World]:
    """Random communities with few enough open things."""
    rng = random.Random(20241115)
    chosen: list[World] = []
    while len(chosen) < count:
        world = near_world(rng)
        if len(open_things(world)) <= MOST_OPEN:
            chosen.append(world)
    return chosen


@pytest.mark.parametrize("world", worlds(20), ids=lambda world: f"{len(open_things(world))}-open")
def test_the_smallest_set_is_the_smallest_and_suffices(community: CommunityPaths, world: World) -> None:
    """If not, a community works on more than it needs, or reaches what it was told and is not there."""
    fill(community, world)
    told = {change.gateway_id: change for change in what_if(community, [])}
    assert {gateway: change.missing_n for gateway, change in told.items()} == smallest(world)
    for gateway, change in told.items():
        if change.missing_n:
            assert len([s for s in change.smallest_set if not s.startswith("measured:")]) == change.missing_n
            then = {c.gateway_id: c.then for c in what_if(community, change.smallest_set)}
            assert (gateway, then[gateway]) == (gateway, "met")


def test_the_worlds_hold_what_the_search_is_for() -> None:
    """If they did not, the comparison would pass whatever the mart says."""
    sizes = [smallest(world) for world in worlds(20)]
    told = [size for by_gateway in sizes for size in by_gateway.values()]
    assert None in told and 0 in told and max(size for size in told if size is not None) >= 4
    assert len({by_gateway["ongoing_proof_point"] for by_gateway in sizes}) >= 4


def test_one_of_each_pillar_is_said_as_such(community: CommunityPaths) -> None:
    """If 'any two' of two pillars were said, two of one pillar would be met in vain."""
    world = near_world(random.Random(3))
    world["readings"] |= {"pillar_reading": "each_pillar", "stricter_evidence_counts": True}
    world["attested"] = {
        name: None if name.startswith(("SYC-COL", "SYC-EDM")) else "met" for name in world["attested"]
    }
    fill(community, world)
    told = {change.gateway_id: change.smallest_change for change in what_if(community, [])}["proof_point"]
    assert told and "PRF-BENCH: one of SYC-COL-1, SYC-COL-2 and one of SYC-EDM-1, SYC-EDM-2" in told


def test_what_no_change_can_meet_says_so(community: CommunityPaths) -> None:
    """If not, 'all of 1 gaps' reads as if it would do where two are asked for."""
    world = near_world(random.Random(3))
    world["gaps"] = [
        {"indicator_id": OUTCOMES[0], "dimension": "race", "group_value": "group0", "verdict": "persistent",
         "was_adverse_at_baseline": True, "is_levelling_down": False}
    ]  # fmt: skip
    world["designated"] = None
    world["readings"] |= {"gaps_required_transformation": 2, "gaps_required_ongoing": 1, "cumulative": False}
    fill(community, world)
    told = {change.gateway_id: change for change in what_if(community, [])}
    transformation, ongoing = told["systems_transformation"], told["ongoing_proof_point"]
    assert "SYT-GAP: all of 1 gaps not reduced yet, and 1 more than there is to count now" in str(
        transformation.smallest_change
    )
    assert "OPP-BENCH: nothing that is there to count now would suffice" in str(ongoing.smallest_change)
    assert "PRF-DESIGNATION" in ongoing.reason
    assert transformation.missing_n is ongoing.missing_n is None
    assert transformation.smallest_set == ongoing.smallest_set == []
