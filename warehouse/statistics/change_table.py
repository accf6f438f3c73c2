"""First against last cohort: how each group's outcome and gap changed, and what may be said of it.

What belongs here: pairing cohorts, verdicts of change. What does not: measures of one cohort (`tables`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from warehouse.statistics import proportions, scores
from warehouse.statistics.choices import ALPHA, Choices
from warehouse.statistics.estimate_table import Z_90, estimate_gap
from warehouse.statistics.proportions import Z_95, Array
from warehouse.statistics.rate_table import rate_gap
from warehouse.statistics.score_table import score_gap
from warehouse.statistics.source import UNKNOWN, AnalysisInputError
from warehouse.statistics.tables import natural

_DIMENSION = ["outcome", "within", "dimension"]


def change_table(
    table: pd.DataFrame, choices: Choices, first: str | None = None, last: str | None = None
) -> pd.DataFrame:
    """A row an outcome, part, dimension and group in both cohorts: change of the outcome and of the gap, with verdicts.

    A reference that is one group stays the group that it was in the first cohort, so that a change of the best group
    is no change of the gap. The p-values are corrected together (Benjamini and Hochberg), those of gaps apart.

    Raises:
        AnalysisInputError: a named cohort is not there.
    """
    cohorts = sorted(table["cohort"].unique(), key=natural)
    cohorts = [cohort for cohort in cohorts if cohort != UNKNOWN] or cohorts
    first, last = _named(first, cohorts, 0), _named(last, cohorts, -1)
    measured = table[table["n"] > 0]
    parts = []
    for key, rows in measured.groupby(_DIMENSION, sort=False):
        then, now = rows[rows["cohort"] == first], rows[rows["cohort"] == last]
        if first == last or then.empty or now.empty:
            continue
        part = _dimension(then, now, choices)
        for at, (name, value) in enumerate(zip(_DIMENSION, cast("tuple[str, ...]", key), strict=True)):
            part.insert(at, name, value)
        parts.append(part)
    if not parts:
        return pd.DataFrame()
    result = pd.concat(parts, ignore_index=True)
    result.insert(4, "first_cohort", first)
    result.insert(5, "last_cohort", last)
    return _judged(result, choices)


def _named(wanted: str | None, cohorts: list[str], default: int) -> str:
    if wanted is None:
        return cohorts[default]
    if wanted not in cohorts:
        raise AnalysisInputError(f"no cohort is named '{wanted}'. Cohorts: {', '.join(cohorts)}")
    return wanted


# By kind of outcome: column of the value, and the columns that the gap of a cohort is worked out from.
_KINDS = {
    "rate": ("rate", ["effective_n", "successes"]),
    "mean": ("mean", ["effective_n", "mean", "sd"]),
    "estimate": ("estimate", ["effective_n", "estimate", "standard_error"]),
}


def _dimension(then: pd.DataFrame, now: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """Changes of one dimension's groups that are in both cohorts."""
    kind = next(kind for kind in _KINDS if kind in then and then[kind].notna().any())
    value, counted = _KINDS[kind]
    own = then[then["is_reference"]]["group"]
    kept = replace(choices, reference=str(own.iloc[0]), reference_is_name=True) if len(own) else choices
    whole = now[["all_successes", "all_n"]].iloc[0]
    now = now[["group", "n", *counted]].reset_index(drop=True)
    if kind == "rate":
        all_of_it = now[["successes", "n"]].sum() if whole.isna().any() else whole
        now = rate_gap(now, kept, (float(all_of_it.iloc[0]), float(all_of_it.iloc[1])))
    else:
        now = score_gap(now, kept) if kind == "mean" else estimate_gap(now, kept)
    both = now.merge(then, on="group", suffixes=("", "_0"))
    result = both[["group"]].copy()
    result["reference"] = both["reference_0"]
    result["is_reference"] = both["is_reference_0"].astype(bool)
    result["first_n"], result["last_n"] = both["n_0"], both["n"]
    result["least_effective_n"] = both[["effective_n_0", "effective_n"]].min(axis=1)
    result["first_value"], result["last_value"] = both[f"{value}_0"], both[value]
    result["change"] = result["last_value"] - result["first_value"]
    names = ("change_low", "change_high", "change_low_90", "change_high_90", "p_value")
    limits = {"rate": _rate_change, "mean": _mean_change, "estimate": _estimate_change}[kind](both)
    result = result.assign(**dict(zip(names, limits, strict=True)))
    # Two points of a rate are worth telling; what is on a scale only its user knows.
    usual = 0.02 if kind == "rate" else np.nan
    result["margin"] = usual if choices.margin is None else choices.margin
    return _with_gap_change(result, both, f"reference_{value}", choices)


def _estimate_change(both: pd.DataFrame) -> tuple[Array, ...]:
    change = (both["estimate"] - both["estimate_0"]).to_numpy(float)
    error = np.hypot(both["standard_error"].to_numpy(float), both["standard_error_0"].to_numpy(float))
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = proportions.p_two_sided(change / np.where(error > 0, error, np.nan))
    return (
        change - Z_95 * error,
        change + Z_95 * error,
        change - Z_90 * error,
        change + Z_90 * error,
        p_value,
    )


def _rate_change(both: pd.DataFrame) -> tuple[Array, ...]:
    e, e_0 = (both[c].to_numpy(float) for c in ("effective_n", "effective_n_0"))
    counts = (both["rate"].to_numpy(float) * e, e, both["rate_0"].to_numpy(float) * e_0, e_0)
    wide, narrow = proportions.newcombe(*counts), proportions.newcombe(*counts, confidence=0.90)
    return (*wide, *narrow, proportions.p_two_sided(proportions.two_proportion_z(*counts)))


def _mean_change(both: pd.DataFrame) -> tuple[Array, ...]:
    m, s, e, m0, s0, e0 = (
        both[c].to_numpy(float) for c in ("mean", "sd", "effective_n", "mean_0", "sd_0", "effective_n_0")
    )
    low, high, p_value = scores.difference_interval(m, s, e, m0, s0, e0)
    low_90, high_90, _ = scores.difference_interval(m, s, e, m0, s0, e0, 0.90)
    return low, high, low_90, high_90, p_value


def _with_gap_change(
    result: pd.DataFrame, both: pd.DataFrame, reference: str, choices: Choices
) -> pd.DataFrame:
    """Change of the gap with MOVER's limits, a test by its standard error, and who moved."""
    numbers = {
        name: both[name].to_numpy(float)
        for column in ("gap", "gap_low", "gap_high", "gap_standard_error", reference)
        for name in (column, f"{column}_0")
    }
    change = numbers["gap"] - numbers["gap_0"]
    low, high = proportions.mover_difference(
        *(numbers[name] for name in ("gap", "gap_low", "gap_high", "gap_0", "gap_low_0", "gap_high_0"))
    )
    error = np.hypot(numbers["gap_standard_error"], numbers["gap_standard_error_0"])
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = np.where(
            error > 0, proportions.p_two_sided(change / error), np.where(error == 0, 1.0, np.nan)
        )
    sign = 1 if choices.higher else -1
    fell = sign * (numbers[reference] - numbers[f"{reference}_0"]) < 0
    found = result.assign(
        first_gap=numbers["gap_0"], last_gap=numbers["gap"], gap_change=change,
        gap_change_low=low, gap_change_high=high, gap_p_value=p_value,
        last_gap_low_90=both["gap_low_90"], last_gap_high_90=both["gap_high_90"],
        smallest_detectable_gap_change=2.8 * error, was_behind=numbers["gap_low_0"] > 0,
        narrowed_by_reference=(change < 0) & fell & ~(sign * result["change"].to_numpy() > 0),
    )  # fmt: skip
    gap_numbers = [c for c in found.columns if "gap" in c]
    found.loc[found["is_reference"], gap_numbers] = np.nan
    return found


def _judged(result: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """Verdicts beyond noise, and the plain comparison of points beside them."""
    result["q_value"] = proportions.benjamini_hochberg(result["p_value"])
    result["gap_q_value"] = proportions.benjamini_hochberg(result["gap_p_value"])
    few = result["least_effective_n"] < choices.minimum_n
    sure, margin = result["q_value"] < ALPHA, result["margin"]
    better, worse = (result["change_low"] > 0, result["change_high"] < 0)
    if not choices.higher:
        better, worse = worse, better
    inside = (result["change_low_90"] > -margin) & (result["change_high_90"] < margin)
    result["verdict"] = np.select(
        [few, sure & better, sure & worse, inside],
        ["too few people", "improved", "declined", "maintained"],
        "not enough evidence",
    )
    result["gap_verdict"] = _gap_verdicts(result, few)
    sign = 1 if choices.higher else -1
    near = result["change"].abs() <= margin.fillna(0.0)
    result["plain"] = np.select([near, sign * result["change"] > 0], ["maintained", "improved"], "declined")
    return result


def _gap_verdicts(result: pd.DataFrame, few: pd.Series) -> Array:
    sure, margin = result["gap_q_value"] < ALPHA, result["margin"]
    gone = (result["last_gap_low_90"] > -margin) & (result["last_gap_high_90"] < margin)
    steady = (result["gap_change_low"] > -margin) & (result["gap_change_high"] < margin)
    narrower, wider = result["gap_change_high"] < 0, result["gap_change_low"] > 0
    ahead = result["first_gap"] <= 0
    conditions = [
        result["is_reference"],
        few,
        result["gap_change"].isna(),
        ahead & sure & narrower,
        ahead & (result["last_gap"] <= 0) & sure & wider,
        gone & narrower & sure,
        sure & narrower,
        sure & wider,
        steady,
    ]
    words = [
        "reference", "too few people", "no reference", "further ahead", "less ahead", "eliminated", "reduced",
        "widened", "persistent",
    ]  # fmt: skip
    found: Array = np.select(
        [condition.to_numpy(bool) for condition in conditions], words, "not enough evidence"
    )
    return found
