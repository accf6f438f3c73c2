"""Means of scores and their standardized differences.

What belongs here: two groups' means. What does not: proportions (`proportions`).
"""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import gammaln

from warehouse.statistics.proportions import Array, Numbers, _float


def mean_interval(mean: Numbers, sd: Numbers, n: Numbers, confidence: float = 0.95) -> tuple[Array, Array]:
    """Student's t interval of a mean; not a number below two observations."""
    m, s, size = _float(mean), _float(sd), _float(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = stats.t.ppf(0.5 + confidence / 2, size - 1) * s / np.sqrt(size)
    known = size >= 2
    return np.where(known, m - half, np.nan), np.where(known, m + half, np.nan)


def difference_interval(
    mean1: Numbers,
    sd1: Numbers,
    n1: Numbers,
    mean2: Numbers,
    sd2: Numbers,
    n2: Numbers,
    confidence: float = 0.95,
) -> tuple[Array, Array, Array]:
    """Welch's interval of mean1 - mean2 and its two-sided p-value (Welch, Biometrika 34, 1947)."""
    m1, s1, a = _float(mean1), _float(sd1), _float(n1)
    m2, s2, b = _float(mean2), _float(sd2), _float(n2)
    with np.errstate(divide="ignore", invalid="ignore"):
        v1, v2 = s1**2 / a, s2**2 / b
        error = np.sqrt(v1 + v2)
        freedom = (v1 + v2) ** 2 / (v1**2 / (a - 1) + v2**2 / (b - 1))
        half = stats.t.ppf(0.5 + confidence / 2, freedom) * error
        p = 2 * stats.t.sf(np.abs((m1 - m2) / error), freedom)
    return m1 - m2 - half, m1 - m2 + half, p


def pooled_sd(sd1: Numbers, n1: Numbers, sd2: Numbers, n2: Numbers) -> Array:
    """Standard deviation within two groups, pooled."""
    s1, a, s2, b = _float(sd1), _float(n1), _float(sd2), _float(n2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(((a - 1) * s1**2 + (b - 1) * s2**2) / (a + b - 2))


def cohens_d(mean1: Numbers, sd1: Numbers, n1: Numbers, mean2: Numbers, sd2: Numbers, n2: Numbers) -> Array:
    """Standardized mean difference (mean1 - mean2) / pooled standard deviation."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return (_float(mean1) - _float(mean2)) / pooled_sd(sd1, n1, sd2, n2)


def hedges_correction(n1: Numbers, n2: Numbers) -> Array:
    """Factor that takes the small-sample bias from Cohen's d (Hedges, Journal of Educational Statistics 6, 1981)."""
    freedom = _float(n1) + _float(n2) - 2
    with np.errstate(invalid="ignore"):
        return np.exp(gammaln(freedom / 2) - gammaln((freedom - 1) / 2)) / np.sqrt(freedom / 2)
