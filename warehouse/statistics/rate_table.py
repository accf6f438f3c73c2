"""Measures of the groups of one dimension where the outcome is met or not.

What belongs here: putting the formulas together. What does not: formulas (`proportions`, `disparity`), the choice of
the reference (`choices`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.statistics import disparity, proportions
from warehouse.statistics.choices import Choices, is_reference, reference_counts, reference_of
from warehouse.statistics.proportions import Array
from warehouse.statistics.shrinkage import shrunken_rates

# Those who met it, people, and the people of a simple sample that would tell as much (fewer where people weigh unlike).
Counts = tuple[Array, Array, Array]
# Slack for floating point, so that an index at the cut-off is not below it.
_ROUNDING = 1e-9
# What says nothing of a group that is itself the reference.
_OF_TWO = [
    "p_value", "gap_low", "gap_high", "gap_low_90", "gap_high_90", "gap_standard_error", "ratio_low", "ratio_high",
]  # fmt: skip


def rate_measures(
    frame: pd.DataFrame, choices: Choices, whole: tuple[float, float] | None = None
) -> pd.DataFrame:
    """Every measure of each group.

    Args:
        frame: `group`, `n` (people measured), `effective_n`, `successes`, `missing_n`.
        choices: how groups are compared.
        whole: those who met it and all people, where the groups do not add up to everybody.
    """
    frame = frame.copy()
    x, n, e = _counts(frame)
    p = proportions.rate(x, n)
    frame["rate"] = p
    frame["rate_low"], frame["rate_high"] = proportions.wilson(p * e, e)
    frame["shrunken_rate"] = shrunken_rates(p * e, e)
    whole = whole or (x.sum(), n.sum())
    frame = rate_gap(frame, choices, whole)
    r = frame["reference_rate"].to_numpy(float)
    _add_indices(frame, (x, n, r), whole, choices)
    _add_impact(frame, (x, n, r), whole, choices)
    return frame


def _counts(frame: pd.DataFrame) -> Counts:
    x, n, e = (frame[column].to_numpy(float) for column in ("successes", "n", "effective_n"))
    return x, n, e


def rate_gap(frame: pd.DataFrame, choices: Choices, whole: tuple[float, float]) -> pd.DataFrame:
    """The frame with reference, gap, its limits, test and ratio; positive: worse off, whichever direction is better."""
    group = _counts(frame)
    x, n, _ = group
    p = proportions.rate(x, n)
    reference = reference_of(frame["group"], n, p, choices)
    yardstick = reference_counts(reference, group, whole)
    r = np.full(len(n), choices.target) if reference.kind == "target" else proportions.rate(*yardstick[:2])
    low, high, p_value = gap_limits(group, yardstick, r, reference.kind)
    low_90, high_90, _ = gap_limits(group, yardstick, r, reference.kind, 0.90)
    higher = choices.higher
    # A whole contains the group, a target has no sample: the interval of two independent rates is theirs in neither case.
    unlike = np.nan if reference.kind in ("whole", "target") else 1.0
    ratio_low, ratio_high = proportions.ratio_interval(*_alike(group), *_alike(yardstick))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(r > 0, p / r, np.nan)
    frame = frame.assign(
        rate=p,
        reference=pd.Series([reference.name] * len(frame), dtype=object, index=frame.index),
        is_reference=is_reference(frame, reference) == 1,
        reference_n=yardstick[1], reference_effective_n=yardstick[2], reference_rate=r,
        gap=r - p if higher else p - r,
        gap_low=low if higher else -high, gap_high=high if higher else -low,
        gap_low_90=low_90 if higher else -high_90, gap_high_90=high_90 if higher else -low_90,
        gap_standard_error=_gap_standard_error(group, yardstick, reference.kind),
        ratio=ratio, ratio_low=ratio_low * unlike, ratio_high=ratio_high * unlike, p_value=p_value,
    )  # fmt: skip
    frame.loc[frame["is_reference"], _OF_TWO] = np.nan
    return frame


def _alike(counts: Counts) -> tuple[Array, Array]:
    """Those who met it and people, as a simple sample that tells as much."""
    x, n, e = counts
    return proportions.rate(x, n) * e, e


def _others(group: Counts, whole: Counts) -> Counts:
    """All but the group itself, where the whole contains it."""
    squares = [proportions.rate(n**2, e) for _, n, e in (group, whole)]
    n = whole[1] - group[1]
    return (
        whole[0] - group[0],
        n,
        np.nan_to_num(proportions.rate(n**2, squares[1] - np.nan_to_num(squares[0]))),
    )


def _gap_standard_error(group: Counts, yardstick: Counts, kind: str) -> Array:
    """Standard error of the gap by the rates of both, unpooled."""
    own = _variance(*_alike(group))
    if kind == "target":
        return np.sqrt(own)
    if kind == "whole":
        others = _variance(*_alike(_others(group, yardstick)))
        return np.sqrt(own + others) * (1 - proportions.rate(group[1], yardstick[1]))
    return np.sqrt(own + _variance(*_alike(yardstick)))


def _variance(x: Array, n: Array) -> Array:
    p = proportions.rate(x, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(n > 0, p * (1 - p) / n, np.nan)


def gap_limits(
    group: Counts, yardstick: Counts, reference_rate: Array, kind: str, confidence: float = 0.95
) -> tuple[Array, Array, Array]:
    """Limits of reference minus group, and the two-sided p-value.

    Against a group or all others: Newcombe's interval and the pooled two-proportion test. Against the whole, which
    contains the group: those against all others, scaled by one minus the group's share, which is exact. Against a
    number: Wilson's limits of the group, and the score test of one proportion.
    """
    x, n = _alike(group)
    r = reference_rate
    if kind == "target":
        low, high = proportions.wilson(x, n, confidence)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (proportions.rate(x, n) - r) / np.sqrt(r * (1 - r) / n)
        return r - high, r - low, proportions.p_two_sided(z)
    scale = np.ones(len(n))
    if kind == "whole":
        scale = 1 - proportions.rate(group[1], yardstick[1])
        yardstick = _others(group, yardstick)
    rx, rn = _alike(yardstick)
    low, high = proportions.newcombe(rx, rn, x, n, confidence)
    z = proportions.two_proportion_z(rx, rn, x, n)
    return low * scale, high * scale, np.where((n > 0) & (rn > 0), proportions.p_two_sided(z), np.nan)


def _favourable(x: Array, n: Array, choices: Choices) -> Array:
    """People with the good outcome: those who met it, or, where lower is better, those who did not."""
    return x if choices.higher else n - x


def _add_indices(
    frame: pd.DataFrame, counts: tuple[Array, Array, Array], whole: tuple[float, float], choices: Choices
) -> None:
    """Proportionality and 80 % index of the good outcome, whether they fall short, and whom it would take."""
    x, n, r = counts
    told = frame["effective_n"].to_numpy(float)
    good, best, of_all = _favourable(x, n, choices), r if choices.higher else 1 - r, _whole(whole, choices)
    with np.errstate(divide="ignore", invalid="ignore"):
        index_80 = np.where(best > 0, proportions.rate(good, n) / best, np.nan)
    index = disparity.proportionality_index(good, n, of_all)
    cutoff = choices.index_cutoff
    frame["proportionality_index"] = index
    frame["outcome_share"] = proportions.rate(x, np.full(len(x), whole[0]))
    frame["population_share"] = proportions.rate(n, np.full(len(n), whole[1]))
    frame["share_ratio"] = frame["outcome_share"] / frame["population_share"].where(n > 0)
    frame["impact_pi"] = _flags(index < cutoff - _ROUNDING, index, told, choices)
    frame["needed_pi"] = disparity.people_needed_for_index(good, n, 1.0, of_all)
    frame["needed_pi_no_impact"] = disparity.people_needed_for_index(good, n, cutoff, of_all)
    frame["index_80"] = index_80
    frame["impact_80"] = _flags(index_80 < cutoff - _ROUNDING, index_80, told, choices)
    frame["needed_80_no_impact"] = disparity.people_needed(proportions.rate(good, n), n, cutoff * best)


def _whole(whole: tuple[float, float], choices: Choices) -> tuple[float, float]:
    """Everybody with the good outcome, and everybody."""
    return whole if choices.higher else (whole[1] - whole[0], whole[1])


def _add_impact(
    frame: pd.DataFrame, counts: tuple[Array, Array, Array], whole: tuple[float, float], choices: Choices
) -> None:
    """The percentage-point gap against the reference, all others and all: sign as in the method, negative is behind."""
    x, n, r = counts
    told = frame["effective_n"].to_numpy(float)
    good, of_all = _favourable(x, n, choices), _whole(whole, choices)
    p = proportions.rate(good, n)
    margin = disparity.ppg_margin(p, told, choices.ppg_least, choices.ppg_at_rate, choices.ppg_edge_rate)
    frame["ppg_margin"] = margin
    yardsticks = {
        "reference": r if choices.higher else 1 - r,
        "others": disparity.all_but_current(good, n, of_all),
        "overall": proportions.rate(np.full(len(p), of_all[0]), np.full(len(p), of_all[1])),
    }
    for name, against in yardsticks.items():
        if name != "reference":
            frame[f"{name}_rate"] = against if choices.higher else 1 - against
        frame[f"ppg_{name}"] = p - against
        flag = disparity.has_disproportionate_impact(p, against, margin)
        frame[f"impact_{name}"] = _flags(flag == 1, flag, told, choices)
        needed = "people_needed" if name == "reference" else f"needed_{name}"
        frame[needed] = disparity.people_needed(p, n, against)
        frame[f"needed_{name}_no_impact"] = disparity.people_needed(p, n, against - margin)


def _flags(hit: npt.NDArray[np.bool_], value: Array, n: Array, choices: Choices) -> list[bool | None]:
    """Yes or no; neither where it is not known or the group is too small to say."""
    unsaid = np.isnan(value) | (n < choices.impact_minimum_n)
    return [None if skip else bool(yes) for yes, skip in zip(hit, unsaid, strict=True)]
