"""Proportions, their intervals, differences, ratios and tests; every function takes arrays of counts.

What belongs here: one or two independent proportions. What does not: groups compared with a reference (`disparity`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
Numbers = npt.ArrayLike
Z_95 = 1.959963984540054


def _float(values: Numbers) -> Array:
    return np.asarray(values, dtype=np.float64)


def rate(successes: Numbers, n: Numbers) -> Array:
    """Successes / n; not a number where n is zero."""
    x, size = _float(successes), _float(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size > 0, x / size, np.nan)


def wilson(successes: Numbers, n: Numbers, confidence: float = 0.95) -> tuple[Array, Array]:
    """Wilson's score interval of one proportion.

    Source: Wilson (1927); Newcombe, Statistics in Medicine 17 (1998) 857-872, method 3.

    Args:
        successes: number that met it.
        n: number measured.
        confidence: level of the interval.

    Returns:
        Lower and upper limits, 0 to 1; not a number where n is zero.
    """
    x, size = _float(successes), _float(n)
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    p = rate(x, size)
    with np.errstate(invalid="ignore"):
        half = z * np.sqrt(np.maximum(0.0, z * z + 4 * x * (1 - p)))
        centre, scale = 2 * x + z * z, 2 * (size + z * z)
        low = np.where(size > 0, np.maximum(0.0, (centre - half) / scale), np.nan)
        high = np.where(size > 0, np.minimum(1.0, (centre + half) / scale), np.nan)
    # Exactly none and exactly all end at the edge; rounding must not take that away.
    return np.where(x == 0, np.where(size > 0, 0.0, np.nan), low), np.where(
        (x == size) & (size > 0), 1.0, high
    )


def newcombe(
    x1: Numbers, n1: Numbers, x2: Numbers, n2: Numbers, confidence: float = 0.95
) -> tuple[Array, Array]:
    """Newcombe's hybrid score interval of p1 - p2 for independent groups.

    Source: Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10.
    """
    p1, p2 = rate(x1, n1), rate(x2, n2)
    l1, u1 = wilson(x1, n1, confidence)
    l2, u2 = wilson(x2, n2, confidence)
    difference = p1 - p2
    low = difference - np.sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = difference + np.sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return low, high


def ratio_interval(
    x1: Numbers, n1: Numbers, x2: Numbers, n2: Numbers, confidence: float = 0.95
) -> tuple[Array, Array]:
    """Interval of p1 / p2 by the logarithm (Katz and others, Biometrics 34, 1978); not a number where a count is zero."""
    a, b, c, d = _float(x1), _float(n1), _float(x2), _float(n2)
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.log((a / b) / (c / d))
        error = np.sqrt(1 / a - 1 / b + 1 / c - 1 / d)
        low, high = np.exp(middle - z * error), np.exp(middle + z * error)
    known = (a > 0) & (c > 0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def two_proportion_z(x1: Numbers, n1: Numbers, x2: Numbers, n2: Numbers) -> Array:
    """Z of p1 - p2 with pooled variance; zero where both proportions are alike at an edge."""
    a, b, c, d = _float(x1), _float(n1), _float(x2), _float(n2)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (a + c) / (b + d)
        error = np.sqrt(pooled * (1 - pooled) * (1 / b + 1 / d))
        z = (a / b - c / d) / error
    return np.where(error == 0, 0.0, z)


def p_two_sided(z: Numbers) -> Array:
    """Two-sided p-value of a standard normal statistic."""
    return np.asarray(2 * stats.norm.sf(np.abs(_float(z))))


def benjamini_hochberg(p_values: Numbers) -> Array:
    """p-values corrected for the false discovery rate over their family; those that are not a number stay so.

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995) 289-300.
    """
    p = _float(p_values)
    corrected = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    size = int(known.sum())
    if size == 0:
        return corrected
    order = np.argsort(-p[known], kind="stable")
    scaled = p[known][order] * size / np.arange(size, 0, -1)
    lowest = np.minimum(1.0, np.minimum.accumulate(scaled))
    values = np.empty(size)
    values[order] = lowest
    corrected[known] = values
    return corrected


def mover_difference(
    d1: Numbers, low1: Numbers, high1: Numbers, d0: Numbers, low0: Numbers, high0: Numbers
) -> tuple[Array, Array]:
    """Interval of d1 - d0 from the intervals of both, which are independent.

    Source: Zou and Donner, Statistics in Medicine 27 (2008) 1693-1702.
    """
    now, l1, u1 = _float(d1), _float(low1), _float(high1)
    then, l0, u0 = _float(d0), _float(low0), _float(high0)
    low = now - then - np.sqrt((now - l1) ** 2 + (u0 - then) ** 2)
    high = now - then + np.sqrt((u1 - now) ** 2 + (then - l0) ** 2)
    return low, high
