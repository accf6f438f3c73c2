"""Invented communities for the gateway tests: what is stated, measured and judged there, and what follows from it.

What belongs here: the framework's rules in Python, from their wording alone, and a database filled with a community.
What does not: expectations (`test_gateway_rules.py`, `test_smallest_change.py`).
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from warehouse.settings import CommunityPaths

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
OUTCOMES = (
    "kindergarten_readiness", "early_grade_reading", "middle_grade_math", "high_school_graduation",
    "postsecondary_enrollment", "postsecondary_completion", "employment",
)  # fmt: skip
TODAY = date(2024, 11, 15)
ORDER = ("exploring", "emerging", "sustaining", "systems_change", "proof_point", "systems_transformation")
World = dict[str, Any]


def benchmarks() -> list[dict[str, str]]:
    with (SEEDS / "framework_benchmark.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def random_world(rng: random.Random) -> World:
    """Statements, measurements and verdicts of an invented community, and its readings."""
    willing = rng.choice([0.5, 0.9, 1.0])
    measures = sorted({b["measured_by"] for b in benchmarks() if b["measured_by"]})
    return {
        "attested": {
            b["benchmark_id"]: "met" if rng.random() < willing else rng.choice(["in_progress", "lapsed", None])
            for b in benchmarks()
        },
        "since": {b["benchmark_id"]: date(rng.randint(2015, 2023), 5, 1) for b in benchmarks()},
        "measured": {m: "met" if rng.random() < willing else "not_met" for m in measures},
        "designated": rng.choice([None, date(2018, 6, 1)]),
        "examples": [date(year, 3, 1) for year in range(2016, 2022) if rng.random() < 0.15],
        "adjacent_improves": rng.random() < 0.8,
        "verdict": {o: rng.choice(["improved", "maintained", "declined", "not_enough_evidence"]) for o in OUTCOMES},
        "last": {o: rng.choice(["improved", "maintained", "declined"]) for o in OUTCOMES},
        "gaps": [
            {
                "indicator_id": rng.choice(OUTCOMES[:5]), "dimension": "race", "group_value": f"group{n}",
                "verdict": rng.choice(["reduced", "eliminated", "persistent", "not_enough_evidence"]),
                "was_adverse_at_baseline": rng.random() < 0.8, "is_levelling_down": rng.random() < 0.2,
            }
            for n in range(rng.randint(0, 9))
        ],
        "readings": {
            "benchmarks_required": rng.choice([1.0, 0.75, 0.5]),
            "cumulative": rng.random() < 0.7,
            "pillar_reading": rng.choice(["each_pillar", "any_four"]),
            "stricter_evidence_counts": rng.random() < 0.7,
            "outcomes_required": rng.choice([3, 4]),
            "gaps_required_ongoing": 2,
            "gaps_required_transformation": rng.choice([2, 4]),
            "include_secondary_benchmarks": rng.random() < 0.5,
        },
    }  # fmt: skip


def judged(met: int, unknown: int, required: int) -> str:
    return "met" if met >= required else "cannot_tell" if met + unknown >= required else "not_met"


def together(parts: list[str]) -> str:
    return "not_met" if "not_met" in parts else "met" if set(parts) == {"met"} else "cannot_tell"


def benchmark_status(world: World, benchmark: dict[str, str]) -> str:
    """Attested and measured; where both speak, the stricter counts unless configured otherwise."""
    attested = world["attested"][benchmark["benchmark_id"]] == "met"
    if benchmark["evidence"] != "both":
        return "met" if attested else "not_met"
    measured = world["measured"][benchmark["measured_by"]] == "met"
    both = attested and measured if world["readings"]["stricter_evidence_counts"] else attested or measured
    return "met" if both else "not_met"


def expected(world: World) -> dict[str, str]:
    """Status of every gateway, from the framework's page alone."""
    readings = world["readings"]
    status: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for b in benchmarks():
        first_three = b["gateway"] in ORDER[:3]
        if readings["include_secondary_benchmarks"] or not (first_three and "-INV-" in b["benchmark_id"]):
            status[b["gateway"]][b["benchmark_id"]] = (b["pillar"], benchmark_status(world, b))

    def by_share(gateway: str) -> str:
        listed = [s for _, s in status[gateway].values()]
        return judged(listed.count("met"), 0, -int(-readings["benchmarks_required"] * len(listed) // 1))

    change = status["systems_change"]
    met_ids = {name for name, (_, s) in change.items() if s == "met"}
    held = sum(world["verdict"][o] in ("improved", "maintained") for o in OUTCOMES)
    improving = sum(world["verdict"][o] == "improved" and world["last"][o] != "declined" for o in OUTCOMES)
    unknown = sum(world["verdict"][o] == "not_enough_evidence" for o in OUTCOMES)
    adverse = [g for g in world["gaps"] if g["was_adverse_at_baseline"]]
    reduced = sum(g["verdict"] in ("reduced", "eliminated") and not g["is_levelling_down"] for g in adverse)
    gap_unknown = sum(g["verdict"] == "not_enough_evidence" for g in adverse)
    if readings["pillar_reading"] == "each_pillar":
        pillars = judged(len({change[name][0] for name in met_ids}), 0, 4)
    else:
        pillars = judged(len(met_ids), 0, 4)
    if world["designated"] is None:
        further = "not_met"
    else:
        at_designation = sum(
            world["attested"][name] == "met" and world["since"][name] <= world["designated"]
            for name in change
        )
        at_designation += sum(day <= world["designated"] for day in world["examples"])
        further = judged(len(met_ids) + len(world["examples"]), 0, at_designation + 1)
    need = readings["outcomes_required"]
    own = {gateway: by_share(gateway) for gateway in ORDER[:4]}
    own["proof_point"] = together([pillars, judged(held, unknown, need)])
    own["ongoing_proof_point"] = together(
        [
            further,
            judged(held, unknown, need),
            judged(reduced, gap_unknown, readings["gaps_required_ongoing"]),
        ]
    )
    own["systems_transformation"] = together(
        [
            by_share("systems_transformation"),
            judged(improving, unknown, need),
            judged(reduced, gap_unknown, readings["gaps_required_transformation"]),
            "met" if world["adjacent_improves"] else "not_met",
        ]
    )
    if not readings["cumulative"]:
        return own
    result = {}
    for gateway in own:
        before = (
            ORDER[: ORDER.index("proof_point") + 1]
            if gateway == "ongoing_proof_point"
            else ORDER[: ORDER.index(gateway)]
        )
        earlier = together([own[g] for g in before]) if before else "met"
        result[gateway] = own[gateway] if earlier == "met" else together([own[gateway], earlier])
    return result


def fill(paths: CommunityPaths, world: World) -> None:
    with duckdb.connect(str(paths.warehouse)) as con:
        for name, value in {**world["readings"], "as_of_date": TODAY, "geography_id": "here"}.items():
            con.execute(f"update config.community set {name} = $v", {"v": value})
        for table in (
            "core.fct_benchmark_evidence", "marts.mart_gateway_measurement", "marts.mart_indicator_trend",
            "marts.mart_gap_trend", "core.fct_community_measure",
        ):  # fmt: skip
            con.execute(f"delete from {table}")
        con.execute("delete from config.indicator_choice where role = 'adjacent'")
        con.execute(
            "insert into config.indicator_choice by name select 'poverty' as indicator_id, 'adjacent' as role, 'lower' as direction"
        )
        evidence = [(b, s, world["since"][b]) for b, s in world["attested"].items() if s]
        evidence += [("SYC-EXAMPLE", "met", day) for day in world["examples"]]
        evidence += [("PRF-DESIGNATION", "met", world["designated"])] if world["designated"] else []
        con.executemany(
            "insert into core.fct_benchmark_evidence (benchmark_id, status, effective_date, delivery_seq, source_row) values (?, ?, ?, 1, 1)",
            evidence,
        )
        con.executemany(
            "insert into marts.mart_gateway_measurement (measured_by, status) values (?, ?)",
            list(world["measured"].items()),
        )
        con.executemany(
            """insert into marts.mart_indicator_trend (indicator_id, organization_key, geography_id, race_scheme, race_group,
            gender_group, economic_group, verdict_vs_baseline, verdict_vs_previous) values (?, 'all', 'here', 'federal7', 'all', 'all', 'all', ?, ?)""",
            [(o, world["verdict"][o], world["last"][o]) for o in OUTCOMES],
        )
        for gap in world["gaps"]:
            row = {**gap, "geography_id": "here", "organization_key": "all", "race_scheme": "federal7"}
            con.execute(
                f"insert into marts.mart_gap_trend ({', '.join(row)}) values ({', '.join(f'${name}' for name in row)})",
                row,
            )
        later = 10.0 if world["adjacent_improves"] else 30.0
        for first, last, estimate in ((2010, 2014, 20.0), (2018, 2022, later)):
            con.execute(
                """insert into core.fct_community_measure (measure_id, geography_id, period_start_year, period_end_year, estimate,
                standard_error, value_status, subgroup) values ('poverty', 'here', ?, ?, ?, 0.5, 'exact', 'all')""",
                [first, last, estimate],
            )
