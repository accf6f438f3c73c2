"""Disparity of groups: gaps, ratios, indices and people needed, from counts.

What belongs here: a group against a reference, and a dimension as a whole. What does not: choosing groups or files
(`tables`).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from warehouse.statistics.proportions import Array, Numbers, _float, rate

# A count that is whole but for the rounding of its rate is that whole number.
_ROUNDING = 1e-9


# Those who met it and all people, where the groups of a table do not add up to everybody.
Whole = tuple[float, float] | None


def proportionality_index(successes: Numbers, n: Numbers, whole: Whole = None) -> Array:
    """Share of a group among those who met it, over its share of all; 1 is parity.

    Source: California Community Colleges Chancellor's Office, disproportionate impact (proportionality index).
    """
    x, size = _float(successes), _float(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        all_x, all_n = whole or (x.sum(), size.sum())
        return np.where(size > 0, (x / all_x) / (size / all_n), np.nan)


def all_but_current(successes: Numbers, n: Numbers, whole: Whole = None) -> Array:
    """Rate of everybody else, for each group."""
    x, size = _float(successes), _float(n)
    all_x, all_n = whole or (x.sum(), size.sum())
    return rate(all_x - x, all_n - size)


def ppg_margin(
    group_rate: Numbers,
    n: Numbers,
    least: float = 0.02,
    at_rate: bool = True,
    edge_rate: float | None = None,
) -> Array:
    """Margin of error of the percentage-point-gap method.

    Source: California Community Colleges Chancellor's Office: since 2022 1.96 sqrt(p (1 - p) / n), at least two
    points; before, 1.96 sqrt(0.25 / n), at least three points (`at_rate=False, least=0.03`). Some put another rate,
    often one half, in the place of a rate of nought or one, whose margin would be none (`edge_rate`).
    """
    p, size = _float(group_rate), _float(n)
    if edge_rate is not None:
        p = np.where((p == 0) | (p == 1), edge_rate, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = p * (1 - p) if at_rate else 0.25
        return np.maximum(1.96 * np.sqrt(variance / size), least)


def has_disproportionate_impact(
    group_rate: Numbers, reference: Numbers, margin: Numbers, higher_is_better: bool = True
) -> Array:
    """1 where the group, margin granted, does not exceed the reference; 0 elsewhere; not a number where unknown."""
    p, r, e = _float(group_rate), _float(reference), _float(margin)
    behind = p + e <= r + _ROUNDING if higher_is_better else p - e >= r - _ROUNDING
    return np.where(np.isnan(p) | np.isnan(r), np.nan, behind.astype(float))


def people_needed(group_rate: Numbers, n: Numbers, target: Numbers, higher_is_better: bool = True) -> Array:
    """People of the group whose outcome must change for it to reach a rate; zero where it has."""
    p, size, goal = _float(group_rate), _float(n), _float(target)
    missing = (goal - p) if higher_is_better else (p - goal)
    return np.maximum(0.0, np.ceil(missing * size - _ROUNDING)) + 0.0


def people_needed_for_index(successes: Numbers, n: Numbers, index: float = 1.0, whole: Whole = None) -> Array:
    """People who must additionally meet it for the group's proportionality index to reach `index`, all else equal."""
    x, size = _float(successes), _float(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        all_x, all_n = whole or (x.sum(), size.sum())
        share = size / all_n
        missing = (all_x * share * index - x) / (1 - share * index)
        needed = np.maximum(0.0, np.ceil(missing - _ROUNDING)) + 0.0
    # No number of successes of its own lets a group rise to a share of 1 / index; one that is everybody is at parity.
    out_of_reach = np.where(share == 1, 0.0, np.nan)
    return np.where(share * index >= 1, out_of_reach, needed)


def index_of_disparity(rates: Numbers, reference: float) -> float:
    """Mean absolute deviation from the reference over all other groups, in per cent of it.

    Source: Pearcy and Keppel, Public Health Reports 117 (2002) 273-280.
    """
    p = _float(rates)
    others = max(p.size - 1, 1)
    return float(np.abs(p - reference).sum() / others / reference * 100) if reference else float("nan")


def between_group_variance(rates: Numbers, n: Numbers) -> float:
    """Variance of the groups' rates around the rate of all, each weighted by its share."""
    p, size = _float(rates), _float(n)
    share = size / size.sum()
    return float((share * (p - (share * p).sum()) ** 2).sum())


def homogeneity(successes: Numbers, n: Numbers) -> tuple[float, float]:
    """Pearson's chi-square that all groups have one rate, and its p-value; not numbers where all or none met it."""
    x, size = _float(successes), _float(n)
    p, freedom = x.sum() / size.sum(), size.size - 1
    if freedom < 1 or p in (0.0, 1.0):
        return float("nan"), float("nan")
    chi_square = float(((x - size * p) ** 2 / (size * p * (1 - p))).sum())
    return chi_square, float(stats.chi2.sf(chi_square, freedom))


def theil_index(rates: Numbers, n: Numbers) -> float:
    """Theil's index between groups: sum of share x (rate / mean) x ln(rate / mean); a rate of zero adds nothing.

    Source: Theil, Economics and Information Theory (1967); Harper and Lynch, NCI (2005).
    """
    p, size = _float(rates), _float(n)
    share = size / size.sum()
    relative = p / (share * p).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(relative > 0, relative * np.log(relative), 0.0)
    return float((share * terms).sum())
