"""Margins of error of the Census Bureau's sample estimates through sums, proportions, ratios and changes.

What belongs here: the Bureau's approximations. What does not: rates of people (`proportions`). Source of all: U.S.
Census Bureau, Understanding and Using American Community Survey Data: What All Data Users Need to Know (2020),
chapters 7 and 8.
"""

from __future__ import annotations

import numpy as np

from warehouse.statistics.proportions import Array, Numbers, _float

_FACTOR = {0.90: 1.645, 0.95: 1.96, 0.99: 2.576}


def standard_error(margin: Numbers, confidence: float = 0.90) -> Array:
    """Standard error of an estimate from its published margin, with the factors that the Bureau uses.

    Raises:
        ValueError: the level is none of 0.90, 0.95 and 0.99.
    """
    if confidence not in _FACTOR:
        raise ValueError(f"margins are published at 0.90, 0.95 or 0.99, not {confidence}")
    return _float(margin) / _FACTOR[confidence]


def sum_margin(estimates: Numbers, margins: Numbers) -> float:
    """Margin of a sum; of several estimates of zero only the largest margin counts."""
    values, errors = _float(estimates), _float(margins)
    zero = values == 0
    squares = (errors[~zero] ** 2).sum() + (errors[zero].max() ** 2 if zero.any() else 0.0)
    return float(np.sqrt(squares))


def proportion_margin(x: Numbers, moe_x: Numbers, y: Numbers, moe_y: Numbers) -> Array:
    """Margin of x / y where x is part of y; the ratio's formula where the radicand would be negative."""
    a, e, b, f = _float(x), _float(moe_x), _float(y), _float(moe_y)
    p = a / b
    radicand = e**2 - p**2 * f**2
    return np.sqrt(np.where(radicand < 0, e**2 + p**2 * f**2, radicand)) / b


def ratio_margin(x: Numbers, moe_x: Numbers, y: Numbers, moe_y: Numbers) -> Array:
    """Margin of x / y where x is no part of y."""
    a, e, b, f = _float(x), _float(moe_x), _float(y), _float(moe_y)
    return np.sqrt(e**2 + (a / b) ** 2 * f**2) / b


def product_margin(x: Numbers, moe_x: Numbers, y: Numbers, moe_y: Numbers) -> Array:
    """Margin of x times y."""
    a, e, b, f = _float(x), _float(moe_x), _float(y), _float(moe_y)
    return np.sqrt(a**2 * f**2 + b**2 * e**2)


def change_z(x1: Numbers, moe_1: Numbers, x2: Numbers, moe_2: Numbers, confidence: float = 0.90) -> Array:
    """Z of x1 - x2 for estimates of periods that do not overlap; beyond 1.645 is a difference at 90 %."""
    errors = np.sqrt(standard_error(moe_1, confidence) ** 2 + standard_error(moe_2, confidence) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(errors > 0, (_float(x1) - _float(x2)) / errors, np.nan)
