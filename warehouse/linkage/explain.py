"""Why two records link or do not: the match weights of every comparison, as a waterfall.

What belongs here: weights of one pair under the model in force. What does not: identifiers (`review.describe`).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from html import escape

import duckdb
from splink import Linker

from warehouse.linkage.model import register
from warehouse.linkage.state import load_state


class NoExplanationError(ValueError):
    """The pair cannot be explained; the message says why."""


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall: a comparison, what was found, and the log2 odds that it adds."""

    comparison: str
    finding: str
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Weights of a pair: the prior, each comparison, their sum, and what linkage and reviewers made of it."""

    steps: list[Step]
    weight: float
    probability: float
    same_person: bool
    waits: str | None
    decisions: list[tuple[str, str, str]]
    model_version: str


def explain(con: duckdb.DuckDBPyConnection, left: str, right: str) -> Explanation:
    """Explain a pair of source persons by their best pair of records.

    Raises:
        NoExplanationError: no model was estimated yet, or linkage does not know one of the two.
    """
    state = load_state(con)
    if state is None or state.basis.model is None:
        raise NoExplanationError("No model is in force yet; `throughline run` links first.")
    con.execute(
        "create or replace table explained as select * from vault.link_record where node in ($l, $r)",
        {"l": left, "r": right},
    )
    row = con.execute("select count(distinct node) from explained").fetchone()
    if not row or row[0] != 2:
        raise NoExplanationError("The last linkage does not know both; are these two source person keys?")
    settings = copy.deepcopy(state.basis.model.settings)
    settings["retain_intermediate_calculation_columns"] = True
    settings["blocking_rules_to_generate_predictions"] = [
        {"blocking_rule": "l.node <> r.node", "sql_dialect": "duckdb"}
    ]
    linker = Linker(register(con, "explained"), settings, log_level=None)
    predicted = linker.inference.predict(warning_mode="never").physical_name
    best = con.execute(f"select * from {predicted} order by match_weight desc limit 1").fetch_arrow_table()
    found = best.to_pylist()[0]
    linker.table_management.delete_tables_created_by_splink_from_db()
    con.execute("drop table explained")
    return _told(con, settings, found, sorted((left, right)), state.basis.model.version)


def _told(
    con: duckdb.DuckDBPyConnection,
    settings: dict[str, object],
    found: dict[str, float],
    pair: list[str],
    version: str,
) -> Explanation:
    prior = float(settings["probability_two_random_records_match"])  # type: ignore[arg-type]
    steps = [Step("before looking", "any two records", math.log2(prior / (1 - prior)))]
    for comparison in settings["comparisons"]:  # type: ignore[attr-defined]
        name = comparison["output_column_name"]
        adjustments = [
            value for key, value in found.items() if key.startswith("mw_tf_adj_") and name in key and value
        ]
        weight = (found.get(f"mw_{name}") or 0.0) + sum(adjustments)
        steps.append(Step(name.replace("_", " "), _label(comparison, int(found[f"gamma_{name}"])), weight))
    decisions = con.execute(
        """select decision, reviewer, decided_at::varchar from vault.link_decision
        where left_key = $l and right_key = $r order by decision_n""",
        {"l": pair[0], "r": pair[1]},
    ).fetchall()
    waits = con.execute(
        "select reason from vault.link_review where left_key = $l and right_key = $r",
        {"l": pair[0], "r": pair[1]},
    ).fetchone()
    same = con.execute(
        """select count(distinct person_key) = 1 from vault.person_record
        where valid_to is null and source_person_key in ($l, $r)""",
        {"l": pair[0], "r": pair[1]},
    ).fetchone()
    return Explanation(
        steps,
        float(found["match_weight"]),
        float(found["match_probability"]),
        bool(same and same[0]),
        str(waits[0]) if waits else None,
        [(str(d), str(w), str(at)) for d, w, at in decisions],
        version,
    )


def _label(comparison: dict[str, object], value: int) -> str:
    """The words of a level; Splink counts the levels that are not null from the last, which is 0."""
    levels = list(comparison["comparison_levels"])  # type: ignore[call-overload]
    if value < 0:
        return "nothing to compare"
    real = [level for level in levels if not level.get("is_null_level")]
    return str(real[len(real) - 1 - value].get("label_for_charts", "")).lower()


def waterfall_svg(explanation: Explanation) -> str:
    """The waterfall as a drawing for a local page; holds no identifier."""
    bars, at = [], 0.0
    for step in explanation.steps:
        bars.append((f"{step.comparison}: {step.finding}", at, at + step.weight, step.weight))
        at += step.weight
    bars.append(("sum", 0.0, at, at))
    low = min(0.0, *(min(a, b) for _, a, b, _ in bars))
    high = max(0.0, *(max(a, b) for _, a, b, _ in bars))
    unit = 360 / max(high - low, 1.0)
    drawn = [
        f'<g transform="translate(0,{place * 24})"><text x="0" y="16">{escape(label)}</text>'
        f'<rect x="{380 + (min(a, b) - low) * unit:.1f}" y="3" width="{max(abs(b - a) * unit, 1):.1f}" height="18" '
        f'fill="{"#2a7f62" if weight >= 0 else "#b3472f"}"/><text x="760" y="16">{weight:+.1f}</text></g>'
        for place, (label, a, b, weight) in enumerate(bars)
    ]
    zero = 380 - low * unit
    return (
        f'<svg role="img" aria-label="match weights" viewBox="0 0 810 {len(bars) * 24}" width="810" font-size="13">'
        f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{len(bars) * 24}" stroke="#888"/>{"".join(drawn)}</svg>'
    )
