"""Disparity tables: every group of every dimension of a table, by cohort, against its reference.

What belongs here: grouping, choosing the reference, putting measures together. What does not: formulas
(`proportions`, `disparity`, `scores`) and reading (`source`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from warehouse.statistics import disparity, proportions, scores
from warehouse.statistics.source import UNKNOWN, AnalysisInputError, Records

# A highest-performing group must be large enough not to be highest by chance; see the disparity definitions.
REFERENCE_LEAST_N = 30
EIGHTY_PERCENT = 0.8
ALPHA = 0.05
_BETWEEN = " / "
_MOST_CROSSED = 3


@dataclass(frozen=True)
class Choices:
    """How groups are compared.

    Attributes:
        reference: highest, lowest, largest, others (everybody else), whole (all), or a group's own name.
        direction: whether a higher or a lower outcome is better.
        minimum_n: groups smaller than this get no verdict.
        ppg_least: least margin of the percentage-point-gap method.
        ppg_at_rate: whether its margin is taken at the group's own rate (2022) or at one half (before).
        margin: practical margin within which a change is maintained.
    """

    reference: str = "highest"
    direction: str = "higher"
    minimum_n: int = 10
    ppg_least: float = 0.02
    ppg_at_rate: bool = True
    margin: float = 0.02


def dimensions(groups: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Each grouping column by itself, then their crossings, up to three at once."""
    most = min(len(groups), _MOST_CROSSED)
    return [crossed for size in range(1, most + 1) for crossed in combinations(groups, size)]


def disparity_table(records: Records, groups: tuple[str, ...], choices: Choices) -> pd.DataFrame:
    """One row a cohort, dimension and group, with every measure against its reference.

    For rates: n, successes, rate with its Wilson interval, gap with Newcombe's, ratio, 80 % index, proportionality
    index, percentage-point gap against everybody else (`ppg_others`) and against all (`ppg_overall`), people needed,
    p-values (two proportions; corrected over the cohort by Benjamini and Hochberg). For scores: mean, standard
    deviation, difference with Welch's interval, standardized difference.

    Raises:
        AnalysisInputError: the named reference group is in none of the dimensions.
    """
    parts = [
        _measured(cohort, dimension, part, records.kind, choices)
        for cohort, frame in _cohorts(records.frame)
        for dimension, part in _dimension_frames(frame, groups, records.kind)
    ]
    table = pd.concat(parts, ignore_index=True)
    if (
        choices.reference not in ("highest", "lowest", "largest", "others", "whole")
        and not table["reference_n"].notna().any()
    ):
        known = ", ".join(f"'{group}'" for group in table["group"].unique())
        raise AnalysisInputError(f"no group is named '{choices.reference}'. Groups: {known}")
    table["q_value"] = np.nan
    for _, rows in table.groupby("cohort", sort=False):
        table.loc[rows.index, "q_value"] = proportions.benjamini_hochberg(rows["p_value"])
    return table


def _cohorts(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for cohort in sorted(frame["cohort"].unique(), key=_natural):
        yield cohort, frame[frame["cohort"] == cohort]


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _dimension_frames(
    frame: pd.DataFrame, groups: tuple[str, ...], kind: str
) -> Iterator[tuple[str, pd.DataFrame]]:
    for crossed in dimensions(groups):
        label = frame[list(crossed)].agg(_BETWEEN.join, axis=1)
        yield " x ".join(crossed), _counted(frame.assign(group=label), kind)


def _counted(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    if kind == "rate":
        return frame.groupby("group", sort=True).agg(n=("n", "sum"), successes=("x", "sum")).reset_index()
    weighted = frame.assign(wx=frame["n"] * frame["x"], wxx=frame["n"] * frame["x"] ** 2)
    sums = (
        weighted.groupby("group", sort=True)
        .agg(n=("n", "sum"), wx=("wx", "sum"), wxx=("wxx", "sum"))
        .reset_index()
    )
    mean = sums["wx"] / sums["n"]
    deviations = (
        weighted["n"]
        * (weighted["x"] - weighted["group"].map(dict(zip(sums["group"], mean, strict=True)))) ** 2
    )
    squares = deviations.groupby(weighted["group"]).sum().reindex(sums["group"]).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.where(sums["n"] > 1, np.sqrt(squares / (sums["n"] - 1)), np.nan)
    return pd.DataFrame({"group": sums["group"], "n": sums["n"], "mean": mean, "sd": sd})


def _measured(cohort: str, dimension: str, frame: pd.DataFrame, kind: str, choices: Choices) -> pd.DataFrame:
    measured = _rates(frame, choices) if kind == "rate" else _scores(frame, choices)
    measured.insert(0, "cohort", cohort)
    measured.insert(1, "dimension", dimension)
    return measured


def _reference_row(frame: pd.DataFrame, value: str, choices: Choices) -> int | None:
    """Row of the reference group; None where the reference is no group of this dimension."""
    if choices.reference == "largest":
        return int(frame["n"].to_numpy().argmax())
    if choices.reference in ("highest", "lowest"):
        known = ~frame["group"].str.split(_BETWEEN, regex=False).map(lambda parts: UNKNOWN in parts)
        large = frame["n"] >= REFERENCE_LEAST_N
        pool = frame[known & large] if (known & large).any() else frame[known] if known.any() else frame
        values = pool[value].to_numpy()
        at = int(values.argmax() if choices.reference == "highest" else values.argmin())
        return int(pool.index[at])
    named = frame.index[frame["group"].str.casefold() == choices.reference.casefold()]
    return int(named[0]) if len(named) else None


def _rates(frame: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    x, n = frame["successes"].to_numpy(float), frame["n"].to_numpy(float)
    p = proportions.rate(x, n)
    frame = frame.assign(rate=p)
    frame["rate_low"], frame["rate_high"] = proportions.wilson(x, n)
    name, reference_x, reference_n = _rate_reference(frame, choices)
    reference = proportions.rate(reference_x, reference_n)
    higher = choices.direction == "higher"
    low, high = proportions.newcombe(reference_x, reference_n, x, n)
    frame["reference"], frame["reference_n"], frame["reference_rate"] = name, reference_n, reference
    # Positive: the group is worse off, whichever direction is better.
    frame["gap"] = reference - p if higher else p - reference
    frame["gap_low"], frame["gap_high"] = (low, high) if higher else (-high, -low)
    with np.errstate(divide="ignore", invalid="ignore"):
        frame["ratio"] = np.where(reference > 0, p / reference, np.nan)
        good = frame["ratio"] if higher else (1 - p) / np.where(reference < 1, 1 - reference, np.nan)
    frame["ratio_low"], frame["ratio_high"] = proportions.ratio_interval(x, n, reference_x, reference_n)
    frame["below_80_percent"] = [None if value != value else bool(value < EIGHTY_PERCENT) for value in good]
    frame["proportionality_index"] = disparity.proportionality_index(x, n)
    _add_ppg(frame, x, n, choices)
    frame["people_needed"] = disparity.people_needed(p, n, reference, higher)
    frame["p_value"] = proportions.p_two_sided(proportions.two_proportion_z(x, n, reference_x, reference_n))
    frame.loc[frame["group"] == name, ["p_value", "gap_low", "gap_high", "ratio_low", "ratio_high"]] = np.nan
    frame["verdict"] = _verdicts(frame, choices)
    return frame


def _rate_reference(frame: pd.DataFrame, choices: Choices) -> tuple[Any, np.ndarray, np.ndarray]:
    x, n = frame["successes"].to_numpy(float), frame["n"].to_numpy(float)
    size = len(frame)
    if choices.reference == "others":
        return "all others", x.sum() - x, n.sum() - n
    if choices.reference == "whole":
        return "all", np.full(size, x.sum()), np.full(size, n.sum())
    row = _reference_row(frame, "rate", choices)
    if row is None:
        return None, np.full(size, np.nan), np.full(size, np.nan)
    return frame.loc[row, "group"], np.full(size, x[row]), np.full(size, n[row])


def _add_ppg(frame: pd.DataFrame, x: np.ndarray, n: np.ndarray, choices: Choices) -> None:
    higher = choices.direction == "higher"
    p = frame["rate"].to_numpy()
    margin = disparity.ppg_margin(p, n, choices.ppg_least, choices.ppg_at_rate)
    frame["ppg_margin"] = margin
    for name, reference in (
        ("others", disparity.all_but_current(x, n)),
        ("overall", np.full(len(p), x.sum() / n.sum())),
    ):
        frame[f"{name}_rate"] = reference
        frame[f"ppg_{name}"] = p - reference
        flag = disparity.has_disproportionate_impact(p, reference, margin, higher)
        frame[f"impact_{name}"] = [
            None if np.isnan(value) or size < choices.minimum_n else bool(value)
            for value, size in zip(flag, n, strict=True)
        ]
        target = reference - margin if higher else reference + margin
        frame[f"needed_{name}"] = disparity.people_needed(p, n, reference, higher)
        frame[f"needed_{name}_no_impact"] = disparity.people_needed(p, n, target, higher)


def _verdicts(frame: pd.DataFrame, choices: Choices) -> np.ndarray:
    few = (frame["n"] < choices.minimum_n) | (frame["reference_n"] < choices.minimum_n)
    conditions = [
        frame["group"] == frame["reference"],
        frame["reference_n"].isna(),
        few,
        frame["gap_low"] > 0,
        frame["gap_high"] < 0,
    ]
    words = ["reference", "no reference", "too few people", "behind", "ahead"]
    return np.select([condition.to_numpy() for condition in conditions], words, "no difference shown")


def _scores(frame: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    frame = frame.copy()
    m, s, n = (frame[c].to_numpy(float) for c in ("mean", "sd", "n"))
    frame["mean_low"], frame["mean_high"] = scores.mean_interval(m, s, n)
    name, rm, rs, rn = _score_reference(frame, choices)
    higher = choices.direction == "higher"
    low, high, p_value = scores.difference_interval(rm, rs, rn, m, s, n)
    frame["reference"], frame["reference_n"], frame["reference_mean"] = name, rn, rm
    frame["gap"] = rm - m if higher else m - rm
    frame["gap_low"], frame["gap_high"] = (low, high) if higher else (-high, -low)
    frame["standardized_gap"] = scores.cohens_d(rm, rs, rn, m, s, n) * (1 if higher else -1)
    frame["hedges_g"] = frame["standardized_gap"] * scores.hedges_correction(rn, n)
    frame["p_value"] = p_value
    frame.loc[frame["group"] == name, ["p_value", "gap_low", "gap_high"]] = np.nan
    frame["verdict"] = _verdicts(frame, choices)
    return frame


def _score_reference(frame: pd.DataFrame, choices: Choices) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    m, s, n = (frame[c].to_numpy(float) for c in ("mean", "sd", "n"))
    size = len(frame)
    if choices.reference in ("others", "whole"):
        total, sums = n.sum(), (n * m).sum()
        squares = np.nansum((n - 1) * s**2) + (n * m**2).sum()
        if choices.reference == "whole":
            mean = sums / total
            sd = np.sqrt((squares - total * mean**2) / (total - 1))
            return "all", np.full(size, mean), np.full(size, sd), np.full(size, total)
        left = total - n
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = (sums - n * m) / left
            rest = squares - np.nan_to_num((n - 1) * s**2) - n * m**2
            sd = np.sqrt(np.maximum(0.0, rest - left * mean**2) / (left - 1))
        return "all others", mean, sd, left
    row = _reference_row(frame, "mean", choices)
    if row is None:
        nothing = np.full(size, np.nan)
        return None, nothing, nothing, nothing
    return frame.loc[row, "group"], np.full(size, m[row]), np.full(size, s[row]), np.full(size, n[row])


def summary_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row a cohort and dimension: the whole of it, the widest gap, and how unlike its groups are; for rates."""
    rows = []
    for (cohort, dimension), frame in table.groupby(["cohort", "dimension"], sort=False):
        n, p = frame["n"].to_numpy(float), frame["rate"].to_numpy(float)
        whole = float((n * p).sum() / n.sum())
        rows.append(
            {
                "cohort": cohort,
                "dimension": dimension,
                "groups": len(frame),
                "n": n.sum(),
                "rate": whole,
                "widest_gap": p.max() - p.min(),
                "between_group_variance": disparity.between_group_variance(p, n),
                "theil_index": disparity.theil_index(p, n) if whole > 0 else np.nan,
                "index_of_disparity": disparity.index_of_disparity(p, float(p.max())),
            }
        )
    return pd.DataFrame(rows)


def change_table(table: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """First against last cohort, a row a dimension and group in both: change of the rate and of the gap, with verdicts.

    Verdicts: improved, declined (Newcombe's interval leaves zero out and the corrected p-value is below 5 %),
    maintained (the 90 % interval lies within the practical margin), else not enough evidence; gaps likewise reduced,
    widened, persistent. `narrowed_by_reference` marks a gap reduced although the group itself did not improve.
    """
    cohorts = list(dict.fromkeys(table["cohort"]))
    if len(cohorts) < 2:
        return pd.DataFrame()
    keys = ["dimension", "group"]
    both = table[table["cohort"] == cohorts[-1]].merge(
        table[table["cohort"] == cohorts[0]], on=keys, suffixes=("", "_0")
    )
    if both.empty:
        return pd.DataFrame()
    x1, n1, x0, n0 = (both[c].to_numpy(float) for c in ("successes", "n", "successes_0", "n_0"))
    low, high = proportions.newcombe(x1, n1, x0, n0)
    low90, high90 = proportions.newcombe(x1, n1, x0, n0, 0.90)
    p = proportions.p_two_sided(proportions.two_proportion_z(x1, n1, x0, n0))
    change = both["rate"] - both["rate_0"]
    gap_low, gap_high = proportions.mover_difference(
        *(both[c].to_numpy(float) for c in ("gap", "gap_low", "gap_high", "gap_0", "gap_low_0", "gap_high_0"))
    )
    result = both[keys].assign(
        first_cohort=cohorts[0], last_cohort=cohorts[-1], first_rate=both["rate_0"], last_rate=both["rate"],
        change=change, change_low=low, change_high=high, p_value=p, q_value=proportions.benjamini_hochberg(p),
        first_gap=both["gap_0"], last_gap=both["gap"], gap_change=both["gap"] - both["gap_0"],
        gap_change_low=gap_low, gap_change_high=gap_high,
    )  # fmt: skip
    sign = 1 if choices.direction == "higher" else -1
    sure = result["q_value"] < ALPHA
    result["verdict"] = np.select(
        [sure & (low * sign > 0) & (high * sign > 0), sure & (low * sign < 0) & (high * sign < 0),
         (low90 > -choices.margin) & (high90 < choices.margin)],
        ["improved", "declined", "maintained"], "not enough evidence",
    )  # fmt: skip
    is_reference = both["group"] == both["reference"]
    result["gap_verdict"] = np.select(
        [is_reference, gap_high < 0, gap_low > 0], ["reference", "reduced", "widened"], "no change shown"
    )
    result["narrowed_by_reference"] = (result["gap_verdict"] == "reduced") & (change * sign <= 0)
    return result
