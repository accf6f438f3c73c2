"""How partners write people down: nicknames, typos, halves of double names, slips in dates, moves.

What belongs here: faults in identifiers, drawn anew for each source. What does not: whole rows (`files`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.names import NICKNAMES, STREETS
from ingestion.sample.people import Draw


def as_written(draw: Draw, people: pd.DataFrame, prefix: str, *, step: int) -> pd.DataFrame:
    """The people as one source writes them, a row a person, with the source's own `local_id`.

    Error rates follow measured ones of school records: 10 % nicknames, 4 % first-name and 3 % surname typos, half of a
    double surname dropped in half of them, 2 % wrong birth dates, a quarter moved, 2 % without sex.
    """
    n = len(people)
    frame = people[
        [
            "true_person_id",
            "first_name",
            "middle_name",
            "last_name",
            "birth_date",
            "sex",
            "gender",
            "race_codes",
            "street_address",
            "postal_code",
            "phone",
            "email",
            "guardian_first_name",
            "guardian_last_name",
            "state_student_id",
            "social_security_number",
            "english_learner",
            "disability",
        ]
    ].copy()
    frame["local_id"] = [
        f"{prefix}{(i * step + 10007) % 9999991:07d}" for i in draw.first_serial + np.arange(n)
    ]
    nick = draw.chance(0.10, n)
    frame["first_name"] = np.where(
        nick, frame["first_name"].map(NICKNAMES).fillna(frame["first_name"]), frame["first_name"]
    )
    frame["first_name"] = _typos(draw, frame["first_name"], 0.04)
    halves = frame["last_name"].str.split("-")
    drop = draw.chance(0.5, n) & frame["last_name"].str.contains("-", regex=False).to_numpy()
    side = draw.rng.integers(0, 2, n)
    frame["last_name"] = np.where(
        drop, np.where(side == 0, halves.str[0], halves.str[-1]), frame["last_name"]
    )
    frame["last_name"] = _typos(draw, frame["last_name"], 0.03)
    frame["middle_name"] = np.where(draw.chance(0.5, n), frame["middle_name"].str[:1], frame["middle_name"])
    frame["birth_date"] = _slips(draw, frame["birth_date"])
    frame["sex"] = np.where(draw.chance(0.02, n), "", frame["sex"])
    moved = draw.chance(0.25, n)
    numbers, streets = draw.rng.integers(1, 9900, n), draw.pick(tuple(STREETS), n)
    frame["street_address"] = np.where(
        moved, [f"{a} {b} Road" for a, b in zip(numbers, streets, strict=True)], frame["street_address"]
    )
    lost = draw.chance(0.02, n)
    frame["state_student_id"] = np.where(lost, "", frame["state_student_id"])
    other = draw.chance(0.03, n)
    frame["race_codes"] = np.where(
        other & (frame["race_codes"] == "White"), "White;AmericanIndianorAlaskaNative", frame["race_codes"]
    )
    return frame


def _typos(draw: Draw, names: pd.Series, share: float) -> pd.Series:
    """Two letters changed over, one dropped, or one doubled, in a share of the names."""
    names = names.astype(object).copy()
    hit = np.flatnonzero(draw.chance(share, len(names)) & (names.str.len() > 4).to_numpy())
    kind, place = draw.rng.integers(0, 3, len(hit)), draw.rng.random(len(hit))
    chosen = names.iloc[hit].tolist()
    written = []
    for text, k, p in zip(chosen, kind, place, strict=True):
        i = 1 + int(p * (len(text) - 3))
        changed = (
            text[:i] + text[i + 1] + text[i] + text[i + 2 :],
            text[:i] + text[i + 1 :],
            text[:i] + text[i] + text[i:],
        )
        written.append(changed[k])
    names.iloc[hit] = written
    return names


def _slips(draw: Draw, dates: pd.Series) -> pd.Series:
    """Day and month changed over where that is a date, a day off, ten days off, or a year off, in 2 %."""
    n = len(dates)
    kind = draw.rng.integers(0, 4, n)
    hit = draw.chance(0.02, n)
    swapped = pd.to_datetime(
        {"year": dates.dt.year, "month": dates.dt.day.clip(upper=12), "day": dates.dt.month}
    )
    can_swap = (dates.dt.day <= 12).to_numpy()
    out = dates.where(~(hit & (kind == 0) & can_swap), swapped)
    out = out.where(~(hit & (kind == 1)), out + pd.Timedelta(days=1))
    out = out.where(~(hit & (kind == 2)), out + pd.Timedelta(days=10))
    return out.where(~(hit & (kind == 3)), out - pd.DateOffset(years=1))
