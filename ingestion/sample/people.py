"""The people of the sample: families, twins, groups, names and addresses, all drawn at once.

What belongs here: who people are. What does not: what happens to them (`life`) and how partners write them (`spelling`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ingestion.sample.names import BOYS, GIRLS, LAST, NEUTRAL, STREETS, surnames_of

FIRST_BIRTH_YEAR, LAST_BIRTH_YEAR = 1993, 2019
_TWIN_SHARE = 0.03
_RACES = (
    ("White", 0.36),
    ("HispanicorLatino", 0.27),
    ("BlackorAfricanAmerican", 0.17),
    ("Asian", 0.07),
    ("White;BlackorAfricanAmerican", 0.04),
    ("HispanicorLatino;White", 0.04),
    ("AmericanIndianorAlaskaNative", 0.025),
    ("NativeHawaiianorOtherPacificIslander", 0.01),
    ("MiddleEasternorNorthAfrican", 0.015),
)
_DISADVANTAGED = {"White": 0.35, "Asian": 0.3}


@dataclass(frozen=True)
class Draw:
    """The random source of one town of a sample; the same seed gives the same people.

    Attributes:
        rng: the source of every draw.
        town: number of the town; a large sample is many towns, each with postal codes and surnames of its own.
        first_serial: how many people the towns before have; ids go on from there.
    """

    rng: np.random.Generator
    town: int = 0
    first_serial: int = 0

    def pick(self, values: list[str] | tuple[str, ...], n: int) -> np.ndarray:
        """Draw with replacement."""
        return np.array(values, dtype=object)[self.rng.integers(0, len(values), n)]

    def chance(self, share: float | np.ndarray, n: int) -> np.ndarray:
        """A coin for each, true with the given share."""
        return self.rng.random(n) < share


def make_people(draw: Draw, n: int) -> pd.DataFrame:
    """One row a person: true_person_id, family, birth, groups, names, address, contact; siblings share a family."""
    rng = draw.rng
    family = np.sort(rng.integers(0, max(1, int(n / 1.9)), n))
    frame = pd.DataFrame({"true_person_id": np.arange(n), "family_id": family})
    frame["birth_date"] = _births(draw, frame)
    families = frame["family_id"].unique()
    size = len(families)
    races, shares = zip(*_RACES, strict=True)
    home = pd.DataFrame(
        {
            "family_id": families,
            "race_codes": np.array(races, dtype=object)[
                rng.choice(len(races), size, p=np.array(shares) / sum(shares))
            ],
            "last_name": _last_names(draw, size),
            "street_address": [
                f"{number} {street}"
                for number, street in zip(rng.integers(1, 9900, size), _streets(draw, size), strict=True)
            ],
            "postal_code": rng.choice([f"{45201 + 6 * draw.town + k}" for k in range(6)], size),
            "phone": [
                f"555-{a:03d}-{b:04d}"
                for a, b in zip(rng.integers(200, 999, size), rng.integers(0, 9999, size), strict=True)
            ],
            "guardian_first_name": draw.pick(GIRLS + BOYS, size),
            "english_learner": draw.chance(0.12, size),
        }
    )
    lead = home["race_codes"].str.split(";").str[0]
    home["disadvantaged"] = draw.chance(lead.map(_DISADVANTAGED).fillna(0.58).to_numpy(), size)
    frame = frame.merge(home, on="family_id", how="left")
    return _selves(draw, frame)


def _streets(draw: Draw, n: int) -> list[str]:
    kinds = draw.pick(("Street", "Avenue", "Lane", "Drive", "Court"), n)
    return [f"{name} {kind}" for name, kind in zip(draw.pick(tuple(STREETS), n), kinds, strict=True)]


def _last_names(draw: Draw, n: int) -> np.ndarray:
    names = LAST + surnames_of(draw.town)
    first, second = draw.pick(names, n), draw.pick(names, n)
    double = draw.chance(0.12, n) & (first != second)
    return np.where(double, first + "-" + second, first)


def _births(draw: Draw, frame: pd.DataFrame) -> pd.Series:
    """Births over the years; 3 % of births are twins, who share the day; other siblings are a year apart or more."""
    n = len(frame)
    start = np.datetime64(f"{FIRST_BIRTH_YEAR}-09-01")
    days = int((np.datetime64(f"{LAST_BIRTH_YEAR}-08-31") - start).astype(int))
    first = pd.Series(draw.rng.integers(0, days, frame["family_id"].max() + 1))
    order = frame.groupby("family_id").cumcount().to_numpy()
    twin = draw.chance(_TWIN_SHARE, n) & (order > 0)
    gap = np.where(twin, 0, np.where(order > 0, draw.rng.integers(400, 1500, n), 0))
    offset = pd.Series(gap).groupby(frame["family_id"].to_numpy()).cumsum().to_numpy()
    day = (first.loc[frame["family_id"]].to_numpy() + offset) % days
    return pd.Series((start + day.astype("timedelta64[D]")).astype("datetime64[s]"), index=frame.index)


def _selves(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    n = len(frame)
    male = draw.chance(0.51, n)
    frame["sex"] = np.where(male, "Male", "Female")
    other = draw.chance(0.012, n)
    frame["gender"] = np.where(other, "NonBinary", frame["sex"])
    name = np.where(male, draw.pick(BOYS, n), draw.pick(GIRLS, n))
    name = np.where(draw.chance(0.02, n), draw.pick(NEUTRAL, n), name)
    twin = frame.duplicated(["family_id", "birth_date"], keep=False).to_numpy()
    # Siblings do not share a first name; the list is shifted for those who would.
    clash = pd.DataFrame({"family": frame["family_id"], "name": name}).duplicated().to_numpy()
    name = np.where(clash, np.where(male, draw.pick(BOYS[::-1], n), draw.pick(GIRLS[::-1], n)), name)
    frame["is_twin"] = twin
    frame["first_name"] = name
    frame["middle_name"] = np.where(
        draw.chance(0.7, n), np.where(male, draw.pick(BOYS, n), draw.pick(GIRLS, n)), ""
    )
    frame["disability"] = draw.chance(0.13, n)
    frame["guardian_last_name"] = frame["last_name"].str.split("-").str[0]
    serial = draw.first_serial + np.arange(n)
    frame["email"] = [f"household{draw.first_serial + f:07d}@mail.example" for f in frame["family_id"]]
    frame["state_student_id"] = [f"ST{(7919 * i + 104729) % 99999989:08d}" for i in serial]
    frame["social_security_number"] = [
        f"9{(i * 31 + 17 + i // 90000) % 100:02d}-{(i // 100) % 90 + 10:02d}-{(i * 7919 + 13) % 10000:04d}"
        for i in serial
    ]
    frame["skill"] = draw.rng.normal(0, 1, n)
    return frame
