"""Within a school year: attendance, discipline, tests, courses."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.life.model import Life, Schooling, chance_of, trend
from ingestion.sample.people import Draw


def attendance_and_discipline(
    draw: Draw, life: Life, state: Schooling, group: pd.DataFrame, who: np.ndarray, year: int
) -> None:
    """Days absent of each student and year; suspensions of some."""
    spells = life.table("spell")
    spells = spells[spells["school_year"] == year]
    pid = spells["true_person_id"].to_numpy()
    length = (spells["exit_date"] - spells["entry_date"]).dt.days.to_numpy()
    enrolled = np.maximum(1, np.round(length * 175 / 293))
    worse = (
        0.055
        + 0.03 * group["poor"].to_numpy()[pid]
        + (0.05 if year in (2021, 2022) else 0)
        - 0.01 * group["skill"].to_numpy()[pid]
    )
    share = draw.rng.beta(1.2, 1.2 / np.clip(worse, 0.01, 0.5) - 1.2)
    absent = np.minimum(enrolled, np.round(2 * share * enrolled) / 2)
    life.add(
        "attendance",
        pd.DataFrame(
            {
                "true_person_id": pid,
                "school_year": year,
                "district": spells["district"].to_numpy(),
                "school_id": spells["school_id"].to_numpy(),
                "days_enrolled": enrolled,
                "days_absent": absent,
            }
        ),
    )
    chance = chance_of(group, trend(year, 0.06, 0.035), 0.5, trend(year, 0.9, 0.5), 0.1, 0.5, -0.3)[pid] * (
        spells["grade"].to_numpy() >= 3
    )
    hit = spells[draw.chance(chance, len(pid))]
    days = draw.rng.integers(1, 6, len(hit))
    when = hit["entry_date"] + pd.to_timedelta(draw.rng.integers(5, 60, len(hit)), unit="D")
    when = when.where(when <= hit["exit_date"], hit["exit_date"])
    kind = np.where(draw.chance(0.25, len(hit)), "InSchoolSuspension", "OutOfSchoolSuspension")
    life.add(
        "discipline",
        pd.DataFrame(
            {
                "true_person_id": hit["true_person_id"],
                "school_year": year,
                "district": hit["district"],
                "school_id": hit["school_id"],
                "action_date": when,
                "action": kind,
                "days": days,
            }
        ),
    )


def tests(draw: Draw, life: Life, state: Schooling, group: pd.DataFrame, who: np.ndarray, year: int) -> None:
    """State tests of grades 3 to 8 and the college-entrance test."""
    n, rng = len(state.grade), draw.rng
    k = who[state.grade[who] == 0]
    ready = chance_of(group, trend(year, 0.46, 0.56), trend(year, -0.9, -0.55), -0.3, -0.35, -0.15, 0.9)
    met = rng.random(n) < ready
    k = k[draw.chance(0.95, len(k))]
    score = np.where(met[k], rng.integers(270, 299, len(k)), rng.integers(202, 270, len(k)))
    life.add("kra", pd.DataFrame({"true_person_id": k, "school_year": year, "score": score}))
    if year == 2020:  # no state test was given that spring
        return
    for subject, base in (
        ("ReadingELA", trend(year, 0.45, 0.52)),
        ("Mathematics", trend(year, 0.47, 0.40)),
    ):
        tested = who[(state.grade[who] >= 3) & (state.grade[who] <= 8)]
        tested = tested[draw.chance(0.965, len(tested))]
        passed = rng.random(n) < chance_of(
            group, base, -0.8, -0.45, -0.3, -0.25 if subject == "ReadingELA" else 0.05, 1.0
        )
        life.add(
            "state_test",
            pd.DataFrame(
                {
                    "true_person_id": tested,
                    "school_year": year,
                    "subject": subject,
                    "grade": state.grade[tested],
                    "met": passed[tested],
                }
            ),
        )
        juniors = who[(state.grade[who] == 11)]
        juniors = juniors[draw.chance(0.9, len(juniors))]
        act = np.clip(
            np.round(
                19.5
                + 4.2 * group["skill"].to_numpy()[juniors]
                - 1.6 * group["poor"].to_numpy()[juniors]
                + rng.normal(0, 2, len(juniors))
            ),
            1,
            36,
        )
        life.add(
            "act",
            pd.DataFrame(
                {"true_person_id": juniors, "school_year": year, "subject": subject, "score": act.astype(int)}
            ),
        )


def courses(
    draw: Draw, life: Life, state: Schooling, group: pd.DataFrame, who: np.ndarray, year: int
) -> None:
    """Courses taken and passed: algebra, advanced courses, credits."""
    rng = draw.rng
    spells = life.table("spell")
    spells = spells[(spells["school_year"] == year) & (spells["grade"] >= 7)].drop_duplicates(
        "true_person_id", keep="last"
    )
    pid, grade = spells["true_person_id"].to_numpy(), spells["grade"].to_numpy()
    good = chance_of(group, 0.9, -0.5, -0.1, -0.1, -0.25, 0.8)
    algebra = np.where(grade == 8, 0.3, np.where(grade == 9, 0.75, 0.0))
    for subject, code in (
        ("ELA", "ENG"),
        ("Mathematics", "MAT"),
        ("Science", "SCI"),
        ("SocialStudies", "SOC"),
        ("Arts", "ART"),
        ("CTE", "CTE"),
    ):
        takes_algebra = (
            draw.chance(algebra, len(pid)) if subject == "Mathematics" else np.zeros(len(pid), dtype=bool)
        )
        level = np.where(
            (grade >= 11) & draw.chance(0.16, len(pid)),
            np.array(["AP", "DualEnrollment", "IB"], dtype=object)[rng.integers(0, 3, len(pid))],
            "General",
        )
        for term in ("S1", "S2"):
            passed = rng.random(len(pid)) < good[pid]
            life.add(
                "course",
                pd.DataFrame(
                    {
                        "true_person_id": pid,
                        "school_year": year,
                        "district": spells["district"].to_numpy(),
                        "school_id": spells["school_id"].to_numpy(),
                        "term": term,
                        "course_id": [
                            f"{code}{g:02d}{'A' if a else 'G'}"
                            for g, a in zip(grade, takes_algebra, strict=True)
                        ],
                        "course_subject": subject,
                        "course_level": level,
                        "is_algebra": takes_algebra,
                        "credits_attempted": 0.5,
                        "credits_earned": np.where(passed, 0.5, 0.0),
                        "is_passed": passed,
                    }
                ),
            )
