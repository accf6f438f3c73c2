"""What must be protected, and how wide the doubt about it has to stay.

What belongs here: policies, their presets, primary rules and protection intervals. What does not: how the protection
is brought about (`suppress`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.disclosure.describe import DisclosureInputError

_PRESETS = Path(__file__).with_name("presets")


class DisclosurePolicy(BaseModel):
    """One policy; the defaults are those of `presets/default.yml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("default", description="Name of the policy.")
    source: str = Field("", description="Law, guidance or practice that it follows.")
    minimum_n: int = Field(
        10, ge=1, description="Groups of one to one less than this many people are withheld."
    )
    smallest_part: int = Field(
        3,
        ge=0,
        description="Fewer with, or without, an outcome are withheld; 1 is the 0 % and 100 % rule alone.",
    )
    protect_zero: bool = Field(False, description="Whether an empty group is withheld as well.")
    lower: int = Field(3, ge=0, description="Least doubt downward, in people; never below zero.")
    upper: int = Field(3, ge=1, description="Least doubt upward, in people.")
    hide_below_threshold: bool = Field(
        True, description="Whether it must stay possible that a small group reaches the minimum."
    )
    dominance_n: int = Field(0, ge=0, description="(n, k) rule: this many largest contributors; 0 is off.")
    dominance_k: float = Field(75.0, gt=0, le=100, description="... may make up this percentage at most.")
    p_percent: float = Field(
        0.0, ge=0, description="p % rule: closeness to which the largest may be estimated; 0 is off."
    )
    singletons: bool = Field(
        True, description="Whether one person's knowledge of himself is defended against."
    )


def policies() -> list[DisclosurePolicy]:
    """The policies that ship, by name."""
    return [load_policy(file.stem) for file in sorted(_PRESETS.glob("*.yml"))]


def load_policy(name: str | Path) -> DisclosurePolicy:
    """A policy by the name of a preset, or from a YAML file.

    Raises:
        DisclosureInputError: there is none of that name, or the file breaks the model.
    """
    file = _PRESETS / f"{name}.yml"
    if not file.is_file():
        file = Path(name)
    if not file.is_file():
        known = ", ".join(sorted(item.stem for item in _PRESETS.glob("*.yml")))
        raise DisclosureInputError(f"no policy '{name}'; there are {known}, or name a YAML file")
    try:
        return DisclosurePolicy.model_validate(yaml.safe_load(file.read_text("utf-8")) or {})
    except (ValidationError, yaml.YAMLError) as error:
        raise DisclosureInputError(f"{file.name}: {error}") from None


def small_groups(policy: DisclosurePolicy, value: np.ndarray) -> np.ndarray:
    """Groups of people below the minimum; an empty one only where the policy says so."""
    small = (value < policy.minimum_n) & (value > 0)
    return small | (value == 0) if policy.protect_zero else small


def telling_parts(policy: DisclosurePolicy, part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Parts of a group so small, or so large, that they tell of almost every member."""
    return (whole > 0) & ((part < policy.smallest_part) | (whole - part < policy.smallest_part))


def dominated(policy: DisclosurePolicy, value: np.ndarray, largest: list[np.ndarray]) -> np.ndarray:
    """Totals that a few contributors make up, by the (n, k) and the p % rule (contributors largest first)."""
    found = np.zeros(len(value), dtype=bool)
    if policy.dominance_n and largest:
        top = np.sum(largest[: policy.dominance_n], axis=0)
        found |= (value > 0) & (top > policy.dominance_k / 100 * value)
    if policy.p_percent and largest:
        second = largest[1] if len(largest) > 1 else 0
        found |= (value > 0) & (value - largest[0] - second < policy.p_percent / 100 * largest[0])
    return found


def doubt(policy: DisclosurePolicy, value: np.ndarray, threshold: int) -> tuple[np.ndarray, np.ndarray]:
    """Least distances (down, up) from the true value that an attacker must have to allow.

    Down: `lower` people, and never more than the value, so that zero stays possible. Up: `upper` people, and far
    enough that the group may reach the threshold.
    """
    down = np.minimum(policy.lower, value)
    up = np.full(len(value), float(policy.upper))
    if policy.hide_below_threshold:
        up = np.maximum(up, threshold - value)
    return down, up
