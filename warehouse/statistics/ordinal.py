"""Which of two groups tends to score higher, whatever the scale: from ranks, not from means.

What belongs here: the V statistic and what it is made of. What does not: means (`scores`).
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from warehouse.statistics.proportions import Array, Numbers, _float


def probability_higher(one: Numbers, other: Numbers) -> Array:
    """Chance that a member of the other group scores higher than one of the first, ties counted half.

    Args:
        one: people by value of the score, lowest first; values in rows, groups in columns.
        other: the same for what each column is compared with.
    """
    a, b = _float(one), _float(other)
    below = np.cumsum(a, axis=0) - a
    with np.errstate(divide="ignore", invalid="ignore"):
        wins: Array = (b * (below + a / 2)).sum(axis=0) / (a.sum(axis=0) * b.sum(axis=0))
    return wins


def v_statistic(probability: Numbers) -> Array:
    """Difference of two groups in standard deviations, from the chance that one outscores the other.

    It equals the standardized difference of means for normal scores of equal variance, and does not depend on the
    scale. Not a number where one group wholly outscores the other.

    Source: Ho and Reardon, Journal of Educational and Behavioral Statistics 37 (2012) 489-517.
    """
    chance = _float(probability)
    with np.errstate(invalid="ignore"):
        inside = (chance > 0) & (chance < 1)
    return np.where(inside, np.sqrt(2) * stats.norm.ppf(np.where(inside, chance, 0.5)), np.nan)


def v_from_levels(one: Numbers, other: Numbers) -> float:
    """V from the numbers of people at each ordered level: the line through the cut points in normal deviates.

    With scores cut into a few levels, ties would draw V towards nought; the line that both groups' shares below each
    cut follow, in normal deviates, gives the chance as if the scores had been seen. Cuts that all or none of a group
    pass say nothing. Not a number with fewer than two cuts left.

    Source: Ho and Reardon (2012), fitting the receiver operating curve in probit space.
    """
    a, b = _float(one), _float(other)
    below_a, below_b = np.cumsum(a)[:-1] / a.sum(), np.cumsum(b)[:-1] / b.sum()
    seen = (below_a > 0) & (below_a < 1) & (below_b > 0) & (below_b < 1)
    z_a, z_b = stats.norm.ppf(below_a[seen]), stats.norm.ppf(below_b[seen])
    if seen.sum() < 2 or np.ptp(z_a) == 0:
        return float("nan")
    slope, intercept = np.polyfit(z_a, z_b, 1)
    return float(-np.sqrt(2) * intercept / np.sqrt(1 + slope**2))
