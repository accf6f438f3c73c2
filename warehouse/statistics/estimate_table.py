"""Measures of the groups of one dimension where each has an estimate with its own standard error, as surveys publish.

What belongs here: putting them together. What does not: people counted one by one (`rate_table`, `score_table`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from warehouse.statistics import proportions
from warehouse.statistics.choices import Choices, Reference, is_reference, reference_of
from warehouse.statistics.proportions import Z_95, Array
from warehouse.statistics.source import AnalysisInputError

Z_90 = 1.6448536269514722
_OF_TWO = ["p_value", "gap_low", "gap_high", "gap_low_90", "gap_high_90", "gap_standard_error", "ratio_low", "ratio_high"]  # fmt: skip


def estimate_measures(records: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """Every measure of each group.

    The error of a difference is the root of the sum of both squares, as of independent samples; intervals are normal.
    That is how the National Center for Education Statistics and the Census Bureau compare published estimates.

    Args:
        records: `group`, `n`, `x` (the estimate), `error`, `missing`; `sd` of the people where it is known.
        choices: how groups are compared; everybody else or all are known only where there are counts.

    Raises:
        AnalysisInputError: a group has several estimates, or the reference needs counts.
    """
    if choices.wanted in ("others", "whole"):
        raise AnalysisInputError(
            f"reference '{choices.wanted}' needs counts, and estimates with errors have none; name a group or a number"
        )
    several = records["group"][records["group"].duplicated()]
    if len(several):
        raise AnalysisInputError(
            f"group '{several.iloc[0]}' has several estimates, whose errors do not add up; part them with --cohort or "
            "--within, or leave the error away and name --weight"
        )
    frame = records.rename(columns={"x": "estimate", "error": "standard_error", "missing": "missing_n"})
    columns = ["group", "n", "missing_n", "estimate", "standard_error", *(["sd"] if "sd" in frame else [])]
    frame = frame[columns].sort_values("group").reset_index(drop=True)
    frame["n"] = frame["n"].where(frame["estimate"].notna(), 0.0)
    frame["effective_n"] = np.where(frame["n"] > 0, np.inf, 0.0)
    frame["estimate_low"] = frame["estimate"] - Z_95 * frame["standard_error"]
    frame["estimate_high"] = frame["estimate"] + Z_95 * frame["standard_error"]
    return estimate_gap(frame, choices)


def estimate_gap(frame: pd.DataFrame, choices: Choices) -> pd.DataFrame:
    """The frame with reference, gap, its limits, test and ratio; positive: worse off, whichever direction is better."""
    value, error = frame["estimate"].to_numpy(float), frame["standard_error"].to_numpy(float)
    reference = reference_of(frame["group"], frame["n"].to_numpy(float), value, choices)
    yardstick, off = _reference_estimate(reference, value, error, choices)
    gap = yardstick - value if choices.higher else value - yardstick
    gap_error = np.hypot(error, off)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = value / yardstick
        ratio_error = np.hypot(error, ratio * off) / np.abs(yardstick)
        p_value = proportions.p_two_sided(gap / np.where(gap_error > 0, gap_error, np.nan))
    frame = frame.assign(
        reference=pd.Series([reference.name] * len(frame), dtype=object, index=frame.index),
        is_reference=is_reference(frame, reference) == 1,
        reference_effective_n=np.inf, reference_estimate=yardstick, gap=gap,
        gap_low=gap - Z_95 * gap_error, gap_high=gap + Z_95 * gap_error,
        gap_low_90=gap - Z_90 * gap_error, gap_high_90=gap + Z_90 * gap_error,
        gap_standard_error=gap_error, ratio=ratio,
        ratio_low=ratio - Z_95 * ratio_error, ratio_high=ratio + Z_95 * ratio_error, p_value=p_value,
    )  # fmt: skip
    if "sd" in frame:
        sd = frame["sd"].to_numpy(float)
        own = np.full(len(sd), np.nan) if reference.row is None else np.full(len(sd), sd[reference.row])
        # Without numbers of people both spreads weigh alike.
        frame["standardized_gap"] = gap / np.sqrt((sd**2 + own**2) / 2)
    frame.loc[frame["is_reference"], _OF_TWO] = np.nan
    return frame


def _reference_estimate(
    reference: Reference, value: Array, error: Array, choices: Choices
) -> tuple[Array, Array]:
    """Estimate and standard error of the reference, for each group."""
    size = len(value)
    if reference.row is not None:
        return np.full(size, value[reference.row]), np.full(size, error[reference.row])
    if reference.kind == "target":
        return np.full(size, choices.target), np.zeros(size)
    return np.full(size, np.nan), np.full(size, np.nan)
