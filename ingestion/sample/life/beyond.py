"""Before and after school: pre-kindergarten, college, work, programs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.life.model import FIRST_YEAR, LAST_YEAR, Life, chance_of
from ingestion.sample.people import Draw


def prekindergarten(
    draw: Draw, people: pd.DataFrame, life: Life, kindergarten: np.ndarray, group: pd.DataFrame
) -> None:
    """Pre-kindergarten in the year before school."""
    n, rng = len(people), draw.rng
    goes = draw.chance(chance_of(group, 0.5, 0.15, 0.1, -0.2, 0.0, 0.1), n)
    year = kindergarten - 1
    who = np.flatnonzero(goes & (year >= FIRST_YEAR) & (year <= LAST_YEAR))
    start = np.array([f"{y - 1}-09-05" for y in year[who]], dtype="datetime64[D]")
    days = rng.integers(40, 175, len(who))
    partner = np.where(
        group["poor"].to_numpy()[who] & draw.chance(0.7, len(who)), "harbor_head_start", "little_steps"
    )
    life.add(
        "prek",
        pd.DataFrame(
            {
                "true_person_id": who,
                "school_year": year[who],
                "partner": partner,
                "site_id": [f"SITE{k:02d}" for k in rng.integers(1, 9, len(who))],
                "entry_date": start,
                "exit_date": start + (days * 293 // 175).astype("timedelta64[D]"),
                "days_enrolled": days,
                "days_attended": np.round(days * rng.uniform(0.7, 1.0, len(who))),
            }
        ),
    )


def after_school(draw: Draw, people: pd.DataFrame, life: Life, group: pd.DataFrame) -> None:
    """College terms and awards of graduates; work and programs besides."""
    rng = draw.rng
    graduates = life.table("graduation").drop_duplicates("true_person_id")
    pid, year = graduates["true_person_id"].to_numpy(), graduates["school_year"].to_numpy()
    lift = (year - FIRST_YEAR) * 0.02
    going = rng.random(len(pid)) < np.clip(
        chance_of(group, 0.6, -0.5, -0.15, -0.2, -0.3, 0.7)[pid] + lift - 0.1, 0.02, 0.98
    )
    four = rng.random(len(pid)) < chance_of(group, 0.5, -0.6, 0.0, -0.2, 0.0, 0.8)[pid]
    finishes = rng.random(len(pid)) < chance_of(group, 0.55, -0.5, -0.3, -0.2, -0.3, 0.8)[pid]
    late = draw.chance(0.1, len(pid))
    length = np.where(four, rng.integers(4, 7, len(pid)), rng.integers(2, 5, len(pid)))
    for step in range(7):
        stays = going & (step < np.where(finishes, length, rng.integers(1, 4, len(pid))))
        begin_year = year + step + late
        for month, last in (("08-24", "12-15"), ("01-12", "05-10")):
            shift = 0 if month == "08-24" else 1
            begin = np.array([f"{y + shift}-{month}" for y in begin_year], dtype="datetime64[D]")
            end = np.array([f"{y + shift}-{last}" for y in begin_year], dtype="datetime64[D]")
            keep = stays & (begin < np.datetime64("2024-11-01"))
            life.add(
                "term",
                pd.DataFrame(
                    {
                        "true_person_id": pid[keep],
                        "four": four[keep],
                        "begin_date": begin[keep],
                        "end_date": end[keep],
                        "intensity": np.where(draw.chance(0.8, int(keep.sum())), "F", "H"),
                    }
                ),
            )
    awarded = going & finishes
    day = np.array([f"{y}-05-15" for y in year + length + late], dtype="datetime64[D]")
    awarded &= day < np.datetime64("2024-11-01")
    life.add(
        "award",
        pd.DataFrame({"true_person_id": pid[awarded], "four": four[awarded], "award_date": day[awarded]}),
    )
    wages(draw, people, life, group)
    programs(draw, life)


def wages(draw: Draw, people: pd.DataFrame, life: Life, group: pd.DataFrame) -> None:
    """Quarters of covered work, with earnings that grow with education."""
    rng = draw.rng
    seen = np.sort(life.table("spell")["true_person_id"].unique())
    age = people["birth_date"].dt.year.to_numpy()
    for year in range(2014, 2025):
        adults = seen[(year - age[seen] >= 18) & (year - age[seen] <= 31)]
        level = (
            6500
            + 900 * (year - age[adults] - 18)
            + 1500 * group["skill"].to_numpy()[adults]
            - 900 * group["poor"].to_numpy()[adults]
        )
        works = draw.chance(0.78, len(adults))
        for quarter in range(1, 5 if year < 2024 else 3):
            busy = works & draw.chance(0.93, len(adults))
            wages = np.round(np.clip(level * rng.lognormal(0, 0.25, len(adults)), 150, None), 2)
            life.add(
                "wage",
                pd.DataFrame(
                    {
                        "true_person_id": adults[busy],
                        "year": year,
                        "quarter": quarter,
                        "employer_id": [f"UI{e:05d}" for e in rng.integers(1, 400, int(busy.sum()))],
                        "wages": wages[busy],
                    }
                ),
            )


def programs(draw: Draw, life: Life) -> None:
    """Seasons of the out-of-school program."""
    rng = draw.rng
    spells = life.table("spell")
    pool = spells[(spells["grade"].between(2, 10)) & (spells["school_year"] >= 2016)].drop_duplicates(
        ["true_person_id", "school_year"]
    )
    pool = pool[draw.chance(0.1, len(pool))]
    offered = rng.integers(20, 60, len(pool))
    life.add(
        "program",
        pd.DataFrame(
            {
                "true_person_id": pool["true_person_id"].to_numpy(),
                "school_year": pool["school_year"].to_numpy(),
                "program_id": [f"YW{k}" for k in rng.integers(1, 6, len(pool))],
                "program_type": np.where(draw.chance(0.5, len(pool)), "Tutoring", "OutOfSchoolTime"),
                "start_date": pool["entry_date"].to_numpy(),
                "sessions_offered": offered,
                "sessions_attended": np.round(offered * rng.beta(4, 2, len(pool))),
            }
        ),
    )
