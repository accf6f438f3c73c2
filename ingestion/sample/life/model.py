"""What a life is made of: tables of events, and how chances differ between groups and over the years."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

FIRST_YEAR, LAST_YEAR = 2010, 2024


DISTRICTS = ("riverbend_schools", "eastvale_usd", "summit_charter")


_ELEMENTARY, _MIDDLE, _HIGH = 5, 8, 12


CHARTER_SHARE = 0.13


@dataclass
class Life:
    """Tables of events, one frame a kind, each with `true_person_id`."""

    _parts: dict[str, list[pd.DataFrame]] = field(default_factory=dict)

    def add(self, name: str, frame: pd.DataFrame) -> None:
        """Append rows to a kind."""
        self._parts.setdefault(name, []).append(frame)

    def table(self, name: str) -> pd.DataFrame:
        """All events of a kind."""
        parts = self._parts[name]
        if len(parts) > 1:
            self._parts[name] = parts = [pd.concat(parts, ignore_index=True)]
        return parts[0]

    def names(self) -> list[str]:
        """The kinds of events that happened."""
        return list(self._parts)


@dataclass
class Schooling:
    """Where everybody stands in school, an element a person."""

    charter_share: float
    grade: np.ndarray
    district: np.ndarray
    open: np.ndarray
    dropped: np.ndarray
    grade9: np.ndarray


def groups_of(people: pd.DataFrame) -> pd.DataFrame:
    """What of each person moves the chances: groups as true or false, and skill."""
    lead = people["race_codes"].str.split(";").str[0]
    return pd.DataFrame(
        {
            "poor": people["disadvantaged"].to_numpy(),
            "black": (lead == "BlackorAfricanAmerican").to_numpy(),
            "hispanic": (lead == "HispanicorLatino").to_numpy(),
            "male": (people["sex"] == "Male").to_numpy(),
            "skill": people["skill"].to_numpy(),
        }
    )


def trend(year: int, start: float, end: float) -> float:
    """A value that moves from the first to the last year in a straight line."""
    return start + (end - start) * (year - FIRST_YEAR) / (LAST_YEAR - FIRST_YEAR)


def chance_of(
    group: pd.DataFrame, base: float, poor: float, black: float, hispanic: float, male: float, skill: float
) -> np.ndarray:
    """Probability on the logistic scale from a base rate and the groups' shifts."""
    odds = (
        np.log(base / (1 - base))
        + poor * group["poor"]
        + black * group["black"]
        + hispanic * group["hispanic"]
    )
    odds = odds + male * group["male"] + skill * group["skill"]
    return (1 / (1 + np.exp(-odds))).to_numpy()


def school_of(district: np.ndarray, grade: np.ndarray, home: np.ndarray) -> np.ndarray:
    """School id from district, grade span and home; charters have one school a span."""
    level = np.where(grade <= _ELEMENTARY, "E", np.where(grade <= _MIDDLE, "M", "H"))
    many = np.where(level == "E", 6, np.where(level == "M", 3, 2))
    many = np.where(district == 2, 1, np.where(district == 1, np.maximum(many // 2, 1), many))
    number = home % many + 1
    prefix = np.array(["RB", "EV", "SC"], dtype=object)[district]
    return np.array([f"{p}{lv}{k:02d}" for p, lv, k in zip(prefix, level, number, strict=True)], dtype=object)
