"""Rates, gaps and trends in pandas, written from the definitions alone: nothing of the models or their macros is used.

Sources: Wilson (1927), Newcombe (1998, method 10), Benjamini and Hochberg (1995), MOVER (Zou and Donner 2008), the
percentage-point-gap method of the California Community Colleges (2022), the 80 % rule (29 CFR 1607.4(D)).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm
from statsmodels.stats.multitest import multipletests

GROUPS = ["race_group", "gender_group", "economic_group"]
Z95, Z90 = norm.ppf(0.975), norm.ppf(0.95)


def rates(people: pd.DataFrame, by: list[str], most: int = 3) -> pd.DataFrame:
    """Counts and rates of each combination of at most so many groups; `all` stands for everybody.

    Args:
        people: a row a person, indicator, cohort year and group, with `status`.
        by: columns that always part the people (indicator, year, place).
        most: how many groups are crossed at most.
    """
    parts = []
    for size in range(most + 1):
        for chosen in combinations(GROUPS, size):
            part = (
                people.assign(one=1)
                .pivot_table(
                    index=[*by, *chosen], columns="status", values="one", aggfunc="sum", fill_value=0
                )
                .reindex(columns=["met", "not_met", "excluded", "not_measured"], fill_value=0)
                .reset_index()
            )
            for other in set(GROUPS) - set(chosen):
                part[other] = "all"
            parts.append(part)
    found = pd.concat(parts, ignore_index=True)
    found["numerator_n"] = found["met"]
    found["denominator_n"] = found["met"] + found["not_met"]
    found["eligible_n"] = found[["met", "not_met", "excluded", "not_measured"]].sum(axis=1)
    measurable = found["eligible_n"] - found["excluded"]
    found["rate"] = found["numerator_n"] / found["denominator_n"].where(found["denominator_n"] > 0)
    found["coverage_rate"] = found["denominator_n"] / measurable.where(measurable > 0)
    found["rate_low"], found["rate_high"] = wilson(found["numerator_n"], found["denominator_n"], Z95)
    return found


def wilson(x: pd.Series, n: pd.Series, z: float) -> tuple[pd.Series, pd.Series]:
    """Score interval of a proportion."""
    n = n.where(n > 0)
    p = x / n
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return ((middle - half) / (1 + z * z / n)).clip(0, 1), ((middle + half) / (1 + z * z / n)).clip(0, 1)


def newcombe(
    x1: pd.Series, n1: pd.Series, x2: pd.Series, n2: pd.Series, z: float = Z95
) -> tuple[pd.Series, pd.Series]:
    """Hybrid score interval of p1 - p2."""
    p1, p2 = x1 / n1, x2 / n2
    (l1, u1), (l2, u2) = wilson(x1, n1, z), wilson(x2, n2, z)
    low = p1 - p2 - np.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    return low, p1 - p2 + np.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)


def gaps(rated: pd.DataFrame, direction: dict[str, str]) -> pd.DataFrame:
    """Each group against the best one that is large enough, within indicator, year and dimension."""
    found = rated[(rated["denominator_n"] > 0) & (rated[GROUPS] != "all").any(axis=1)].copy()
    found["dimension"] = [
        "_".join(name.split("_")[0] for name, value in zip(GROUPS, row, strict=True) if value != "all")
        for row in found[GROUPS].to_numpy()
    ]
    found["group_value"] = [" / ".join(v for v in row if v != "all") for row in found[GROUPS].to_numpy()]
    higher = found["indicator_id"].map(direction) == "higher"
    found["goodness"] = found["rate"].where(higher, -found["rate"])
    found["small"] = (found["denominator_n"] < 30) | found["group_value"].str.contains("unknown")
    series = ["indicator_id", "cohort_year", "dimension"]
    best = (
        found.sort_values(
            ["small", "goodness", "denominator_n", "group_value"], ascending=[True, False, False, True]
        )
        .groupby(series, as_index=False)
        .first()[[*series, "group_value", "denominator_n", "numerator_n", "rate"]]
        .rename(columns={"group_value": "reference_value", "denominator_n": "m", "numerator_n": "y", "rate": "reference_rate"})
    )  # fmt: skip
    found = found.merge(best, on=series)
    higher = found["indicator_id"].map(direction) == "higher"
    x, n, y, m = found["numerator_n"], found["denominator_n"], found["y"], found["m"]
    up, down = newcombe(y, m, x, n), newcombe(x, n, y, m)
    found["gap"] = (found["reference_rate"] - found["rate"]).where(
        higher, found["rate"] - found["reference_rate"]
    )
    found["gap_low"], found["gap_high"] = up[0].where(higher, down[0]), up[1].where(higher, down[1])
    all_n = found.groupby(series)["denominator_n"].transform("sum")
    all_x = found.groupby(series)["numerator_n"].transform("sum")
    others = (all_x - x) / (all_n - n).where(all_n > n)
    found["ppg"] = (found["rate"] - others).where(higher, others - found["rate"])
    found["ppg_margin"] = np.maximum(1.96 * np.sqrt(found["rate"] * (1 - found["rate"]) / n), 0.02)
    found["people_needed_n"] = np.maximum(0, np.ceil(found["gap"] * n - 1e-9))
    good, best_good = (
        found["rate"].where(higher, 1 - found["rate"]),
        found["reference_rate"].where(higher, 1 - found["reference_rate"]),
    )
    found["is_below_80_percent"] = (good / best_good < 0.8).where(found["reference_rate"] > 0)
    overall = all_x / all_n
    found["proportionality_index"] = good / overall.where(higher, 1 - overall)
    return found


def verdicts(
    change: pd.Series, wide: tuple[pd.Series, pd.Series], narrow: tuple[pd.Series, pd.Series], q: pd.Series, higher: pd.Series, margin: float
) -> pd.Series:  # fmt: skip
    """Improved or declined beyond noise, maintained within the margin, else not enough evidence."""
    found = pd.Series("not_enough_evidence", index=change.index)
    found[(narrow[0] > -margin) & (narrow[1] < margin)] = "maintained"
    rose, fell = (wide[0] > 0) & (q < 0.05), (wide[1] < 0) & (q < 0.05)
    found[(rose & higher) | (fell & ~higher)] = "improved"
    found[(fell & higher) | (rose & ~higher)] = "declined"
    return found.where(change.notna(), "not_measured")


def trends(
    rated: pd.DataFrame, enough: pd.Series, baseline: dict[str, int], direction: dict[str, str], margin: float
) -> pd.DataFrame:
    """The latest year with enough data against the baseline year, for every series."""
    series = ["indicator_id", *GROUPS]
    use = rated[enough].sort_values("cohort_year")
    latest = use.groupby(series, as_index=False).last()
    start = use["indicator_id"].map(baseline).fillna(0)
    late_enough = use[use["cohort_year"] >= start]
    first = pd.concat([late_enough, use]).drop_duplicates(series)
    both = latest.merge(first, on=series, suffixes=("", "_0"))
    return _compared(both[both["cohort_year_0"] < both["cohort_year"]].copy(), direction, margin)


def steps(rated: pd.DataFrame, enough: pd.Series, direction: dict[str, str], margin: float) -> pd.DataFrame:
    """The latest year with enough data against the one before it, for every series."""
    series = ["indicator_id", *GROUPS]
    use = rated[enough].sort_values("cohort_year")
    latest = use.groupby(series, as_index=False).last()
    before = use.merge(latest[[*series, "cohort_year"]], on=series, suffixes=("", "_last"))
    before = before[before["cohort_year"] < before["cohort_year_last"]].groupby(series, as_index=False).last()
    return _compared(latest.merge(before, on=series, suffixes=("", "_0")), direction, margin)


def _compared(both: pd.DataFrame, direction: dict[str, str], margin: float) -> pd.DataFrame:
    x, n, x0, n0 = (both[c] for c in ("numerator_n", "denominator_n", "numerator_n_0", "denominator_n_0"))
    both["change"] = x / n - x0 / n0
    both["change_low"], both["change_high"] = newcombe(x, n, x0, n0)
    pooled = (x + x0) / (n + n0)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n0))
    both["p_value"] = 2 * norm.sf(np.abs(np.where(error > 0, both["change"] / error.where(error > 0, 1), 0)))
    both["q_value"] = corrected(both, "p_value", [(both[g] == "all") for g in GROUPS])
    higher = both["indicator_id"].map(direction) == "higher"
    narrow = newcombe(x, n, x0, n0, Z90)
    wide = (both["change_low"], both["change_high"])
    both["verdict"] = verdicts(both["change"], wide, narrow, both["q_value"], higher, margin)
    return both


def corrected(frame: pd.DataFrame, p: str, families: list[pd.Series]) -> pd.Series:
    """False discovery rate within each family."""
    q = pd.Series(np.nan, index=frame.index)
    for _, rows in frame.groupby(families):
        q[rows.index] = multipletests(rows[p], method="fdr_bh")[1]
    return q


def gap_trends(
    gap: pd.DataFrame,
    enough_years: set[tuple[str, int]],
    baseline: dict[str, int],
    direction: dict[str, str],
    margin: float,
) -> pd.DataFrame:
    """The gap of the latest year against that of the baseline year, the reference group of the baseline kept."""
    series = ["indicator_id", "dimension", "group_value"]
    fit = gap[
        (gap["denominator_n"] >= 10)
        & np.array([key in enough_years for key in zip(gap["indicator_id"], gap["cohort_year"], strict=True)])
    ]
    fit = fit.sort_values("cohort_year")
    last = fit.groupby(series, as_index=False).last()
    first = (
        fit[fit["cohort_year"] >= fit["indicator_id"].map(baseline).fillna(0)]
        .groupby(series, as_index=False)
        .first()
    )
    both = first.merge(last, on=series, suffixes=("_0", ""))
    both = both[
        (both["cohort_year"] > both["cohort_year_0"]) & (both["group_value"] != both["reference_value_0"])
    ]
    stick = gap[
        ["indicator_id", "dimension", "cohort_year", "group_value", "rate", "denominator_n", "numerator_n"]
    ].rename(
        columns={"group_value": "reference_value_0", "rate": "r1", "denominator_n": "m1", "numerator_n": "y1"}
    )
    both = both.merge(stick, on=["indicator_id", "dimension", "cohort_year", "reference_value_0"])
    sign = both["indicator_id"].map(direction).map({"higher": 1.0, "lower": -1.0})
    up = newcombe(both["y1"], both["m1"], both["numerator_n"], both["denominator_n"])
    down = newcombe(both["numerator_n"], both["denominator_n"], both["y1"], both["m1"])
    both["latest_gap"] = sign * (both["r1"] - both["rate"])
    low, high = up[0].where(sign > 0, down[0]), up[1].where(sign > 0, down[1])
    both["change"] = both["latest_gap"] - both["gap_0"]
    both["change_low"] = both["change"] - np.sqrt(
        (both["latest_gap"] - low) ** 2 + (both["gap_high_0"] - both["gap_0"]) ** 2
    )
    both["change_high"] = both["change"] + np.sqrt(
        (high - both["latest_gap"]) ** 2 + (both["gap_0"] - both["gap_low_0"]) ** 2
    )
    variance = sum(
        both[p] * (1 - both[p]) / both[n]
        for p, n in (
            ("rate", "denominator_n"),
            ("r1", "m1"),
            ("rate_0", "denominator_n_0"),
            ("reference_rate_0", "m_0"),
        )
    )
    error = np.sqrt(variance)
    both["p_value"] = np.where(
        error > 0, 2 * norm.sf(np.abs(both["change"] / error.where(error > 0, 1))), 1.0
    )
    both["q_value"] = corrected(both, "p_value", [both["dimension"]])
    up_90 = newcombe(both["y1"], both["m1"], both["numerator_n"], both["denominator_n"], Z90)
    down_90 = newcombe(both["numerator_n"], both["denominator_n"], both["y1"], both["m1"], Z90)
    low_90, high_90 = up_90[0].where(sign > 0, down_90[0]), up_90[1].where(sign > 0, down_90[1])
    found = pd.Series("not_enough_evidence", index=both.index)
    found[(both["change_low"] > -margin) & (both["change_high"] < margin)] = "persistent"
    found[(both["change_low"] > 0) & (both["q_value"] < 0.05)] = "widened"
    found[(both["change_high"] < 0) & (both["q_value"] < 0.05)] = "reduced"
    found[(low_90 > -margin) & (high_90 < margin) & (both["change_high"] < 0)] = "eliminated"
    both["verdict"] = found
    return both


def dimensions(gap: pd.DataFrame) -> pd.DataFrame:
    """How unlike the groups of each dimension are: variance, Theil's index, index of disparity (Pearcy and Keppel 2002)."""
    rows = []
    for key, groups in gap.groupby(["indicator_id", "cohort_year", "dimension"]):
        n, p = groups["denominator_n"].to_numpy(float), groups["rate"].to_numpy(float)
        if len(p) < 2:
            continue
        mean, best = np.average(p, weights=n), groups["reference_rate"].iloc[0]
        relative = p[p > 0] / mean if mean else p[:0]
        rows.append(
            (
                *key,
                np.average((p - mean) ** 2, weights=n),
                (n[p > 0] * relative * np.log(relative)).sum() / n.sum() if mean else np.nan,
                100 * np.abs(p - best).sum() / (len(p) - 1) / best if best else np.nan,
            )
        )
    names = ["between_group_variance", "theil_index", "index_of_disparity"]
    return pd.DataFrame(rows, columns=["indicator_id", "cohort_year", "dimension", *names])


def score_gaps(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean of each group against the best of at least 30, in standard deviations pooled over both; `group_value`, `score`."""
    each = scores.groupby([*by, "group_value"])["score"].agg(["size", "mean", "var"]).reset_index()
    each["small"] = (each["size"] < 30) | (each["group_value"] == "unknown")
    order = each.sort_values(["small", "mean", "size", "group_value"], ascending=[True, False, False, True])
    each = each.merge(order.drop_duplicates(by), on=by, suffixes=("", "_r"))
    each = each[each["group_value"] != each["group_value_r"]].copy()
    a, b = each["size"], each["size_r"]
    pooled = ((a - 1) * each["var"] + (b - 1) * each["var_r"]) / (a + b - 2)
    each["score_gap"] = each["mean_r"] - each["mean"]
    each["standardized_gap"] = each["score_gap"] / np.sqrt(pooled.where(pooled > 0))
    each["gap_standard_error"] = np.sqrt(each["var"] / a + each["var_r"] / b)
    return each
