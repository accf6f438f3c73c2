"""Measures of the groups of one dimension where the outcome is a score.

What belongs here: putting the formulas together. What does not: formulas (`scores`, `ordinal`), the choice of the
reference (`choices`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from warehouse.statistics import ordinal, scores
from warehouse.statistics.choices import Choices, Reference, is_reference, reference_of
from warehouse.statistics.proportions import Array

# Mean, standard deviation, people, and the people of a simple sample that would tell as much.
Moments = tuple[Array, Array, Array, Array]
# What says nothing of a group that is itself the reference.
_OF_TWO = ["p_value", "gap_low", "gap_high", "gap_low_90", "gap_high_90", "gap_standard_error"]


def score_measures(records: pd.DataFrame, choices: Choices, leveled: bool = False) -> pd.DataFrame:
    """Every measure of each group.

    Args:
        records: `group`, `n` (people), `squares` (of their weights), `x` (their score; not a number where there is
            none), `missing`.
        choices: how groups are compared.
        leveled: whether the scores are the numbers of ordered levels.
    """
    frame = moments(records)
    m, s, n, e = moments_of(frame)
    frame["mean_low"], frame["mean_high"] = scores.mean_interval(m, s, e)
    frame = score_gap(frame, choices)
    if "sd" not in records:
        reference = reference_of(frame["group"], n, m, choices)
        _add_v(frame, records, reference, 1 if choices.higher else -1, leveled)
    return frame


def score_gap(frame: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """The frame (`group`, `mean`, `sd`, `n`, `effective_n`) with its gaps; positive: the group is worse off."""
    groups = m, _, n, _ = moments_of(frame)
    reference = reference_of(frame["group"], n, m, choices)
    yardstick = reference_moments(reference, groups, choices)
    low, high, p_value = mean_gap_limits(groups, yardstick, reference.kind)
    low_90, high_90, _ = mean_gap_limits(groups, yardstick, reference.kind, 0.90)
    higher, gap = choices.higher, yardstick[0] - m if choices.higher else m - yardstick[0]
    standardized, corrected = _standardized(gap, groups, yardstick, reference.kind)
    frame = frame.assign(
        reference=pd.Series([reference.name] * len(frame), dtype=object, index=frame.index),
        is_reference=is_reference(frame, reference) == 1,
        reference_n=yardstick[2], reference_effective_n=yardstick[3], reference_mean=yardstick[0], gap=gap,
        gap_low=low if higher else -high, gap_high=high if higher else -low,
        gap_low_90=low_90 if higher else -high_90, gap_high_90=high_90 if higher else -low_90,
        gap_standard_error=_gap_standard_error(groups, yardstick, reference.kind),
        standardized_gap=standardized, hedges_g=corrected, p_value=p_value,
    )  # fmt: skip
    frame.loc[frame["is_reference"], _OF_TWO] = np.nan
    return frame


def moments_of(frame: pd.DataFrame) -> Moments:
    """Mean, standard deviation, people and effective people of each row."""
    m, s, n, e = (frame[column].to_numpy(float) for column in ("mean", "sd", "n", "effective_n"))
    return m, s, n, e


def moments(records: pd.DataFrame) -> pd.DataFrame:
    """People, mean and standard deviation of each group, every record counted as often as it stands for."""
    seen = records[records["x"].notna()]
    sums = (
        seen.assign(wx=seen["n"] * seen["x"])
        .groupby("group")
        .agg(n=("n", "sum"), squares=("squares", "sum"), wx=("wx", "sum"), rows=("x", "size"))
    ).reindex(sorted(records["group"].unique()))
    n = sums["n"] = sums["n"].fillna(0.0)
    sums["missing_n"] = records.groupby("group")["missing"].sum().reindex(sums.index)
    e = sums["effective_n"] = (n**2 / sums["squares"]).fillna(0.0)
    sums["mean"] = sums["wx"] / n.where(n > 0)
    squares = (seen["n"] * (seen["x"] - seen["group"].map(sums["mean"])) ** 2).groupby(seen["group"]).sum()
    if "sd" in seen:
        squares += ((seen["n"] - 1) * seen["sd"] ** 2).groupby(seen["group"]).sum(min_count=1)
    sums["sd"] = np.sqrt(squares.reindex(sums.index) / n * e / (e - 1).where(e > 1))
    if "sd" not in seen:
        # One row of many people is their mean: it tells nothing of how they differ.
        sums["sd"] = sums["sd"].where((sums["rows"] > 1) | (n <= 1))
    return sums.reset_index()[["group", "n", "effective_n", "missing_n", "mean", "sd"]]


def reference_moments(reference: Reference, groups: Moments, choices: Choices) -> Moments:
    """Mean, standard deviation, people and effective people of the reference, for each group."""
    size = len(groups[2])
    if reference.row is not None:
        return _everywhere(size, *(float(values[reference.row]) for values in groups))
    if reference.kind in ("target", "none"):
        return _everywhere(
            size, choices.target if reference.kind == "target" else np.nan, np.nan, np.nan, np.nan
        )
    own = _sums(groups)
    whole = [np.full(size, values.sum()) for values in own]
    if reference.kind == "whole":
        return _pooled(*whole)
    return _pooled(*(everybody - values for everybody, values in zip(whole, own, strict=True)))


def _everywhere(size: int, *values: float | None) -> Moments:
    m, s, n, e = (np.full(size, value, dtype=float) for value in values)
    return m, s, n, e


def _sums(groups: Moments) -> Moments:
    """People, sum of scores, of their squares and of the squares of weights."""
    m, s, n, e = groups
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(e > 1, s**2 * n * (e - 1) / e, 0.0)
        weights = np.where(n > 0, n**2 / e, 0.0)
    return n, np.nan_to_num(n * m), np.nan_to_num(inside) + np.nan_to_num(n * m**2), weights


def _pooled(n: Array, sums: Array, squares: Array, weights: Array) -> Moments:
    """Mean, standard deviation, people and effective people from sums."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(n > 0, sums / n, np.nan)
        e = np.where(n > 0, n**2 / weights, 0.0)
        sd = np.where(e > 1, np.sqrt(np.maximum(0.0, squares / n - mean**2) * e / (e - 1)), np.nan)
    return mean, sd, n, e


def mean_gap_limits(
    groups: Moments, yardstick: Moments, kind: str, confidence: float = 0.95
) -> tuple[Array, Array, Array]:
    """Limits of reference minus group, and the two-sided p-value: Welch's.

    Against the whole, which contains the group: those against all others scaled by one minus the group's share.
    Against a number: Student's interval of the group.
    """
    m, s, n, e = groups
    rm = yardstick[0]
    if kind == "target":
        low, high = scores.mean_interval(m, s, e, confidence)
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = 2 * stats.t.sf(np.abs((m - rm) / (s / np.sqrt(e))), e - 1)
        return rm - high, rm - low, p_value
    scale = np.ones(len(n))
    if kind == "whole":
        scale = 1 - n / yardstick[2]
        yardstick = _without(groups, yardstick)
    rm, rs, _, re = yardstick
    low, high, p_value = scores.difference_interval(rm, rs, re, m, s, e, confidence)
    return low * scale, high * scale, p_value


def _without(groups: Moments, whole: Moments) -> Moments:
    """Moments of all others, from those of all."""
    others = (everybody - own for everybody, own in zip(_sums(whole), _sums(groups), strict=True))
    return _pooled(*others)


def _gap_standard_error(groups: Moments, yardstick: Moments, kind: str) -> Array:
    """Standard error of the gap by the spread of both."""
    _, s, n, e = groups
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "target":
            return s / np.sqrt(e)
        scale = 1 - n / yardstick[2] if kind == "whole" else np.ones(len(n))
        _, rs, _, re = _without(groups, yardstick) if kind == "whole" else yardstick
        return np.sqrt(s**2 / e + rs**2 / re) * scale


def _standardized(gap: Array, groups: Moments, yardstick: Moments, kind: str) -> tuple[Array, Array]:
    """Gap over the pooled standard deviation of both; against the whole over its own, against a number the group's."""
    _, s, _, e = groups
    _, rs, _, re = yardstick
    alone = np.ones(len(e))
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "whole":
            return gap / rs, gap / rs * scores.hedges_correction(re, alone)
        if kind == "target":
            return gap / s, gap / s * scores.hedges_correction(e, alone)
        standardized = gap / scores.pooled_sd(rs, re, s, e)
    return standardized, standardized * scores.hedges_correction(re, e)


def _add_v(
    frame: pd.DataFrame, records: pd.DataFrame, reference: Reference, sign: int, leveled: bool
) -> None:
    """V against the reference; with ordered levels also by the line through the cut points."""
    counts = _counts(records, frame["group"])
    if reference.kind == "others":
        other = counts.sum(axis=1, keepdims=True) - counts
    elif reference.kind == "whole":
        other = np.repeat(counts.sum(axis=1, keepdims=True), counts.shape[1], axis=1)
    elif reference.row is not None:
        other = np.repeat(counts[:, [reference.row]], counts.shape[1], axis=1)
    else:
        other = np.zeros(counts.shape)
    frame["chance_reference_higher"] = ordinal.probability_higher(counts, other)
    frame["v_statistic"] = sign * ordinal.v_statistic(frame["chance_reference_higher"])
    if leveled:
        by_cut = [
            ordinal.v_from_levels(one, two) if one.sum() and two.sum() else np.nan
            for one, two in zip(counts.T, other.T, strict=True)
        ]
        frame["v_from_levels"] = sign * np.array(by_cut)


def _counts(records: pd.DataFrame, groups: pd.Series) -> Array:
    """People by value of the score, lowest first, and group."""
    seen = records[records["x"].notna()]
    values, position = np.unique(seen["x"].to_numpy(float), return_inverse=True)
    column = seen["group"].map({group: at for at, group in enumerate(groups)}).to_numpy()
    counts = np.zeros((len(values), len(groups)))
    np.add.at(counts, (position, column), seen["n"].to_numpy(float))
    return counts
