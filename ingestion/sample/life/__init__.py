"""What happens to the people of the sample: school years, tests, graduation, college, work.

What belongs here: events with true person ids, drawn year by year for everybody at once. What does not: files.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.life.beyond import after_school, prekindergarten
from ingestion.sample.life.model import (
    CHARTER_SHARE,
    DISTRICTS,
    FIRST_YEAR,
    LAST_YEAR,
    Life,
    Schooling,
    groups_of,
)
from ingestion.sample.life.school import school_year
from ingestion.sample.people import Draw


def live(draw: Draw, people: pd.DataFrame, *, charter_share: float = CHARTER_SHARE) -> Life:
    """Let everybody live until the last school year; a share of them goes to the charter network."""
    life = Life()
    n = len(people)
    birth = people["birth_date"]
    kindergarten = (birth.dt.year + 6 + (birth.dt.month >= 9)).to_numpy()
    state = Schooling(
        grade=np.full(n, -9),
        charter_share=charter_share,
        district=draw.rng.choice(3, n, p=[0.68 - charter_share, 0.32, charter_share]),
        open=np.ones(n, dtype=bool),
        dropped=np.zeros(n, dtype=bool),
        grade9=np.zeros(n, dtype=int),
    )
    group = groups_of(people)
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        school_year(draw, people, life, state, group, kindergarten, year)
    prekindergarten(draw, people, life, kindergarten, group)
    after_school(draw, people, life, group)
    return life


__all__ = ["CHARTER_SHARE", "DISTRICTS", "FIRST_YEAR", "LAST_YEAR", "Life", "live"]
