"""School years: who is enrolled where, moves, drop-outs and re-entries, graduation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ingestion.sample.life.learning import attendance_and_discipline, courses, tests
from ingestion.sample.life.model import (
    CHARTER_SHARE,
    FIRST_YEAR,
    Life,
    Schooling,
    chance_of,
    school_of,
    trend,
)
from ingestion.sample.people import Draw


def school_year(
    draw: Draw,
    people: pd.DataFrame,
    life: Life,
    state: Schooling,
    group: pd.DataFrame,
    kindergarten: np.ndarray,
    year: int,
) -> None:
    """One school year of everybody: who enters, moves, returns, learns and leaves."""
    n, rng = len(people), draw.rng
    entering = kindergarten == year
    earlier = (year == FIRST_YEAR) & (kindergarten < year) & (year - kindergarten <= 12)
    state.grade = np.where(entering, 0, np.where(earlier, year - kindergarten, state.grade))
    back = state.dropped & draw.chance(0.18, n) & (state.grade >= 9)
    state.open, state.dropped = state.open | back, state.dropped & ~back
    here = (
        state.open
        & (state.grade >= 0)
        & (state.grade <= 12)
        & ((entering) | (earlier) | (kindergarten < year))
    )
    state.district = np.where(
        here & draw.chance(0.03, n), room_for(draw, state, rng.integers(0, 3, n)), state.district
    )
    state.grade9 = np.where(here & (state.grade == 9) & (state.grade9 == 0), year, state.grade9)
    who = np.flatnonzero(here)
    poor_now = group["poor"].to_numpy() ^ draw.chance(0.05, n)
    ends = how_it_ends(draw, state, group, year, here)
    life.add(
        "status", pd.DataFrame({"true_person_id": who, "school_year": year, "disadvantaged": poor_now[who]})
    )
    spells(draw, people, life, state, ends, who, year, back)
    attendance_and_discipline(draw, life, state, group, who, year)
    tests(draw, life, state, group, who, year)
    courses(draw, life, state, group, who, year)
    finish(draw, life, state, group, ends, year)


def room_for(draw: Draw, state: Schooling, wanted: np.ndarray) -> np.ndarray:
    """The districts that movers reach: a charter network that stays small takes only its share, the first district the rest."""
    if state.charter_share == CHARTER_SHARE:
        return wanted
    full = (wanted == 2) & ~draw.chance(state.charter_share / CHARTER_SHARE, len(wanted))
    return np.where(full, 0, wanted)


def how_it_ends(draw: Draw, state: Schooling, group: pd.DataFrame, year: int, here: np.ndarray) -> np.ndarray:
    """How the year ends for each: promoted, retained, left, died, dropped, graduated."""
    n, rng = len(state.grade), draw.rng
    roll = rng.random(n)
    ends = np.full(n, "Promoted", dtype=object)
    ends[roll < 0.02] = "Retained"
    leave = rng.random(n)
    ends[leave < 0.016] = "TransferOutOfState"
    ends[(leave >= 0.016) & (leave < 0.019)] = "TransferPrivate"
    ends[(leave >= 0.019) & (leave < 0.02)] = "Emigrated"
    drop = chance_of(group, trend(year, 0.035, 0.018), 0.7, 0.2, 0.2, 0.2, -0.5)
    ends[(state.grade >= 9) & (rng.random(n) < drop)] = "DroppedOut"
    finish = chance_of(group, trend(year, 0.86, 0.91), -0.6, -0.2, -0.2, -0.2, 0.6)
    done = (state.grade == 12) & np.isin(ends, ["Promoted", "Retained"])
    ends[done] = np.where(rng.random(n) < finish, "Graduated", "Retained")[done]
    ends[rng.random(n) < 0.0003] = "Died"
    ends[~here] = ""
    return ends


def spells(
    draw: Draw,
    people: pd.DataFrame,
    life: Life,
    state: Schooling,
    ends: np.ndarray,
    who: np.ndarray,
    year: int,
    back: np.ndarray,
) -> None:
    """One spell a student, two for those who move within the year to another district."""
    rng = draw.rng
    home = people["family_id"].to_numpy()[who]
    start = np.datetime64(f"{year - 1}-08-21")
    late = draw.chance(0.04, len(who))
    entry = start + np.where(late, rng.integers(10, 120, len(who)), 0).astype("timedelta64[D]")
    finish = np.datetime64(f"{year}-06-10")
    ended = ends[who]
    early = np.isin(ended, ["DroppedOut", "Died"]) | (
        (np.isin(ended, ["TransferOutOfState", "TransferPrivate", "Emigrated"])) & draw.chance(0.5, len(who))
    )
    leave = finish - np.where(early, rng.integers(20, 130, len(who)), 0).astype("timedelta64[D]")
    grade9 = np.where(state.grade9[who] > 0, state.grade9[who], 0)
    exit_type = np.where(ended == "Retained", "Promoted", ended)
    frame = pd.DataFrame(
        {
            "true_person_id": who,
            "school_year": year,
            "district": state.district[who],
            "school_id": school_of(state.district[who], state.grade[who], home),
            "grade": state.grade[who],
            "entry_date": entry,
            "exit_date": np.where(exit_type == "Promoted", finish, leave),
            "entry_type": np.where(back[who], "ReEntry", np.where(late, "TransferIn", "Promotion")),
            "exit_type": exit_type,
            "grade9_year": grade9,
        }
    )
    moving = draw.chance(0.015, len(who)) & (frame["exit_type"] == "Promoted").to_numpy() & ~late
    second = frame[moving].copy()
    day = np.datetime64(f"{year}-01-15")
    second["district"] = room_for(draw, state, ((second["district"] + 1) % 3).to_numpy())
    second["school_id"] = school_of(second["district"].to_numpy(), second["grade"].to_numpy(), home[moving])
    second["entry_date"], second["entry_type"] = day, "TransferIn"
    frame.loc[moving, "exit_date"] = day - np.timedelta64(1, "D")
    frame.loc[moving, "exit_type"] = "TransferInDistrict"
    state.district[second["true_person_id"].to_numpy()] = second["district"].to_numpy()
    life.add("spell", pd.concat([frame, second], ignore_index=True))


def finish(
    draw: Draw, life: Life, state: Schooling, group: pd.DataFrame, ends: np.ndarray, year: int
) -> None:
    """Graduates and the aid applications of seniors; whose schooling ends with the year."""
    rng = draw.rng
    graduated = np.flatnonzero(ends == "Graduated")
    home = life.table("spell")
    last = (
        home[home["school_year"] == year]
        .drop_duplicates("true_person_id", keep="last")
        .set_index("true_person_id")
    )
    summer = draw.chance(0.03, len(graduated))
    day = np.where(summer, np.datetime64(f"{year}-07-30"), np.datetime64(f"{year}-06-08"))
    life.add(
        "graduation",
        pd.DataFrame(
            {
                "true_person_id": graduated,
                "school_year": year,
                "district": last.loc[graduated, "district"].to_numpy(),
                "school_id": last.loc[graduated, "school_id"].to_numpy(),
                "completion_date": day,
                "diploma_type": "RegularDiploma",
            }
        ),
    )
    seniors = last.index[last["grade"] == 12].to_numpy()
    done = draw.chance(
        chance_of(group, trend(year, 0.5, 0.62), -0.3, 0.0, -0.2, -0.2, 0.5)[seniors], len(seniors)
    )
    when = np.datetime64(f"{year - 1}-10-01") + rng.integers(0, 300, len(seniors)).astype("timedelta64[D]")
    life.add(
        "fafsa",
        pd.DataFrame(
            {
                "true_person_id": seniors,
                "school_year": year,
                "district": last.loc[seniors, "district"].to_numpy(),
                "school_id": last.loc[seniors, "school_id"].to_numpy(),
                "fafsa_status": np.where(done, "Complete", "Incomplete"),
                "status_date": when,
            }
        ),
    )
    state.open &= ~np.isin(
        ends, ["TransferOutOfState", "TransferPrivate", "Emigrated", "Died", "Graduated", "DroppedOut"]
    )
    state.dropped |= ends == "DroppedOut"
    up = (ends == "Promoted") | (ends == "DroppedOut")
    state.grade = np.where(up & (state.grade < 12), state.grade + 1, state.grade)
