"""What happens to the people of the sample: school years, tests, graduation, college, work.

What belongs here: events with true person ids, drawn year by year for everybody at once. What does not: files.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ingestion.sample.people import Draw

FIRST_YEAR, LAST_YEAR = 2010, 2024
DISTRICTS = ("riverbend_schools", "eastvale_usd", "summit_charter")
_ELEMENTARY, _MIDDLE, _HIGH = 5, 8, 12


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


CHARTER_SHARE = 0.13


def live(draw: Draw, people: pd.DataFrame, *, charter_share: float = CHARTER_SHARE) -> Life:
    """Let everybody live until the last school year; a share of them goes to the charter network."""
    life = Life()
    n = len(people)
    birth = people["birth_date"]
    kindergarten = (birth.dt.year + 6 + (birth.dt.month >= 9)).to_numpy()
    state = _State(
        grade=np.full(n, -9),
        charter_share=charter_share,
        district=draw.rng.choice(3, n, p=[0.68 - charter_share, 0.32, charter_share]),
        open=np.ones(n, dtype=bool),
        dropped=np.zeros(n, dtype=bool),
        grade9=np.zeros(n, dtype=int),
    )
    group = _groups(people)
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        _school_year(draw, people, life, state, group, kindergarten, year)
    _prekindergarten(draw, people, life, kindergarten, group)
    _after_school(draw, people, life, group)
    return life


@dataclass
class _State:
    charter_share: float
    grade: np.ndarray
    district: np.ndarray
    open: np.ndarray
    dropped: np.ndarray
    grade9: np.ndarray


def _groups(people: pd.DataFrame) -> pd.DataFrame:
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


def _trend(year: int, start: float, end: float) -> float:
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


def _school_year(
    draw: Draw,
    people: pd.DataFrame,
    life: Life,
    state: _State,
    group: pd.DataFrame,
    kindergarten: np.ndarray,
    year: int,
) -> None:
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
        here & draw.chance(0.03, n), _room(draw, state, rng.integers(0, 3, n)), state.district
    )
    state.grade9 = np.where(here & (state.grade == 9) & (state.grade9 == 0), year, state.grade9)
    who = np.flatnonzero(here)
    poor_now = group["poor"].to_numpy() ^ draw.chance(0.05, n)
    ends = _ends(draw, state, group, year, here)
    life.add(
        "status", pd.DataFrame({"true_person_id": who, "school_year": year, "disadvantaged": poor_now[who]})
    )
    _spells(draw, people, life, state, ends, who, year, back)
    _attendance_and_discipline(draw, life, state, group, who, year)
    _tests(draw, life, state, group, who, year)
    _courses(draw, life, state, group, who, year)
    _finish(draw, life, state, group, ends, year)


def _room(draw: Draw, state: _State, wanted: np.ndarray) -> np.ndarray:
    """The districts that movers reach: a charter network that stays small takes only its share, the first district the rest."""
    if state.charter_share == CHARTER_SHARE:
        return wanted
    full = (wanted == 2) & ~draw.chance(state.charter_share / CHARTER_SHARE, len(wanted))
    return np.where(full, 0, wanted)


def _ends(draw: Draw, state: _State, group: pd.DataFrame, year: int, here: np.ndarray) -> np.ndarray:
    """How the year ends for each: promoted, retained, left, died, dropped, graduated."""
    n, rng = len(state.grade), draw.rng
    roll = rng.random(n)
    ends = np.full(n, "Promoted", dtype=object)
    ends[roll < 0.02] = "Retained"
    leave = rng.random(n)
    ends[leave < 0.016] = "TransferOutOfState"
    ends[(leave >= 0.016) & (leave < 0.019)] = "TransferPrivate"
    ends[(leave >= 0.019) & (leave < 0.02)] = "Emigrated"
    drop = chance_of(group, _trend(year, 0.035, 0.018), 0.7, 0.2, 0.2, 0.2, -0.5)
    ends[(state.grade >= 9) & (rng.random(n) < drop)] = "DroppedOut"
    finish = chance_of(group, _trend(year, 0.86, 0.91), -0.6, -0.2, -0.2, -0.2, 0.6)
    done = (state.grade == 12) & np.isin(ends, ["Promoted", "Retained"])
    ends[done] = np.where(rng.random(n) < finish, "Graduated", "Retained")[done]
    ends[rng.random(n) < 0.0003] = "Died"
    ends[~here] = ""
    return ends


def _spells(
    draw: Draw,
    people: pd.DataFrame,
    life: Life,
    state: _State,
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
    second["district"] = _room(draw, state, ((second["district"] + 1) % 3).to_numpy())
    second["school_id"] = school_of(second["district"].to_numpy(), second["grade"].to_numpy(), home[moving])
    second["entry_date"], second["entry_type"] = day, "TransferIn"
    frame.loc[moving, "exit_date"] = day - np.timedelta64(1, "D")
    frame.loc[moving, "exit_type"] = "TransferInDistrict"
    state.district[second["true_person_id"].to_numpy()] = second["district"].to_numpy()
    life.add("spell", pd.concat([frame, second], ignore_index=True))


def _attendance_and_discipline(
    draw: Draw, life: Life, state: _State, group: pd.DataFrame, who: np.ndarray, year: int
) -> None:
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
    chance = chance_of(group, _trend(year, 0.06, 0.035), 0.5, _trend(year, 0.9, 0.5), 0.1, 0.5, -0.3)[pid] * (
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


def _tests(draw: Draw, life: Life, state: _State, group: pd.DataFrame, who: np.ndarray, year: int) -> None:
    n, rng = len(state.grade), draw.rng
    k = who[state.grade[who] == 0]
    ready = chance_of(group, _trend(year, 0.46, 0.56), _trend(year, -0.9, -0.55), -0.3, -0.35, -0.15, 0.9)
    met = rng.random(n) < ready
    k = k[draw.chance(0.95, len(k))]
    score = np.where(met[k], rng.integers(270, 299, len(k)), rng.integers(202, 270, len(k)))
    life.add("kra", pd.DataFrame({"true_person_id": k, "school_year": year, "score": score}))
    if year == 2020:  # no state test was given that spring
        return
    for subject, base in (
        ("ReadingELA", _trend(year, 0.45, 0.52)),
        ("Mathematics", _trend(year, 0.47, 0.40)),
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


def _courses(draw: Draw, life: Life, state: _State, group: pd.DataFrame, who: np.ndarray, year: int) -> None:
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


def _finish(draw: Draw, life: Life, state: _State, group: pd.DataFrame, ends: np.ndarray, year: int) -> None:
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
        chance_of(group, _trend(year, 0.5, 0.62), -0.3, 0.0, -0.2, -0.2, 0.5)[seniors], len(seniors)
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


def _prekindergarten(
    draw: Draw, people: pd.DataFrame, life: Life, kindergarten: np.ndarray, group: pd.DataFrame
) -> None:
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


def _after_school(draw: Draw, people: pd.DataFrame, life: Life, group: pd.DataFrame) -> None:
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
    _wages(draw, people, life, group)
    _programs(draw, life)


def _wages(draw: Draw, people: pd.DataFrame, life: Life, group: pd.DataFrame) -> None:
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


def _programs(draw: Draw, life: Life) -> None:
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
