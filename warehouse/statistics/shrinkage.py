"""Rates of many groups drawn towards their mean by as much as chance explains: for ranking and screening.

What belongs here: variance between groups and what follows. What does not: the rates that are reported, which are raw
(`proportions`).
"""

from __future__ import annotations

import numpy as np

from warehouse.statistics.proportions import Array, Numbers, _float, rate


def between_variance(values: Numbers, variances: Numbers) -> float:
    """Variance between groups beyond that of chance, by the method of moments; not a number for fewer than two groups.

    Source: DerSimonian and Laird, Controlled Clinical Trials 7 (1986) 177-188.
    """
    y, v = _float(values), _float(variances)
    if y.size < 2:
        return float("nan")
    weight = 1 / v
    mean = (weight * y).sum() / weight.sum()
    excess = (weight * (y - mean) ** 2).sum() - (y.size - 1)
    return float(max(0.0, excess / (weight.sum() - (weight**2).sum() / weight.sum())))


def shrunken_rates(successes: Numbers, n: Numbers) -> Array:
    """Each group's rate and the rate of all, weighted by how much of the difference is more than chance.

    The chance part of a group's variance is that of the rate of all at the group's size, so that a small group with a
    rate of nought or one is not taken for certain.
    """
    x, size = _float(successes), _float(n)
    rates = rate(x, size)
    measured = size > 0
    shrunken = np.full(size.shape, np.nan)
    if not measured.any():
        return shrunken
    whole = x[measured].sum() / size[measured].sum()
    chance = whole * (1 - whole) / size[measured]
    if measured.sum() < 2 or whole in (0.0, 1.0):
        return np.where(measured, rates, np.nan)
    between = between_variance(rates[measured], chance)
    part = chance / (chance + between)
    shrunken[measured] = part * whole + (1 - part) * rates[measured]
    return shrunken
