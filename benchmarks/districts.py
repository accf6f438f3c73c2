"""Invented school districts that all send at once: enrollment, and a test's results week by week.

What belongs here: describing them, their files, and what must become of every row. What does not: the night that takes
them (`load`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

_PARTNER = "partner_id: {name}\nname: District {number}\nsector: k12\n"
_ENROLLMENT = """\
feed: k12_enrollment
file_pattern: "pupils*.csv"
layouts:
  - columns:
      person_id: Id
      first_name: First
      last_name: Last
      birth_date: {from: Born, date_format: "%Y-%m-%d"}
      gender: {from: Gender, codes: gender}
      race_codes: {from: Race, codes: race}
      school_year: Year
      school_id: School
      grade_level: Grade
      entry_date: {from: Entry, date_format: "%Y-%m-%d"}
code_lists:
  gender: {F: Female, M: Male}
  race: {B: BlackorAfricanAmerican, W: White, H: HispanicorLatino}
"""
_RESULTS = """\
feed: k12_assessment
file_pattern: "results*.csv"
delivery_mode: increment
layouts:
  - columns:
      person_id: Id
      last_name: Last
      birth_date: {from: Born, date_format: "%Y-%m-%d"}
      school_year: Year
      instrument_id: Test
      subject: {from: Subject, codes: subject}
      grade_level: Grade
      test_date: {from: Day, date_format: "%Y-%m-%d"}
      score: Score
code_lists:
  subject: {ELA: ReadingELA, MATH: Mathematics}
"""
_CHILDREN = 60
_ROWS = 40
# Every so manieth results file lacks the column of the person's id, and is refused as a whole.
_BROKEN = 50


@dataclass(frozen=True)
class Sent:
    """What was dropped: files by partner, and how many rows must be accepted, put aside and refused."""

    files: int
    accepted: int
    quarantined: int
    refused: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.accepted + self.quarantined + self.refused


@dataclass(frozen=True)
class Child:
    """An invented child."""

    number: str
    first: str
    last: str
    born: date
    gender: str
    race: str


def describe(root: Path, partners: int, servers: bool) -> list[str]:
    """Describe so many districts; publish to PostgreSQL where there is a server. Names of the districts."""
    names = [f"district_{number:03}" for number in range(partners)]
    for number, name in enumerate(names):
        folder = root / "partners" / name / "feeds"
        folder.mkdir(parents=True)
        (folder.parent / "partner.yml").write_text(
            _PARTNER.format(name=name, number=number), encoding="utf-8"
        )
        (folder / "pupils.yml").write_text(_ENROLLMENT, encoding="utf-8")
        (folder / "results.yml").write_text(_RESULTS, encoding="utf-8")
    if servers:
        with (root / "community.yml").open("a", encoding="utf-8") as file:
            file.write("publish:\n  - target: postgresql\n    readers: [bi_reader]\n")
    return names


def drop(root: Path, names: Sequence[str], files: int, rng: random.Random) -> Sent:
    """Drop the files of all districts: first each one's enrollment, then results in turn."""
    landing = root / "data" / "landing"
    children = {name: [_child(name, n, rng) for n in range(_CHILDREN)] for name in names}
    for name in names:
        (landing / name).mkdir(parents=True, exist_ok=True)
        (landing / name / "pupils_2024.csv").write_text(_enrollment(name, children[name]), encoding="utf-8")
    results = files - len(names)
    refused = 0
    for number in range(results):
        name = names[number % len(names)]
        text = _results(children[name], number // len(names), rng)
        if number % _BROKEN == _BROKEN - 1:
            text = text.replace("Id,", "Who,", 1)
            refused += 1
        (landing / name / f"results_{number:05}.csv").write_text(text, encoding="utf-8")
    whole = results - refused
    return Sent(files, len(names) * _CHILDREN + whole * (_ROWS - 1), whole, refused * _ROWS)


def _child(district: str, number: int, rng: random.Random) -> Child:
    from ingestion.sample.names import BOYS, GIRLS, LAST

    gender = rng.choice("FM")
    first = rng.choice(GIRLS if gender == "F" else BOYS)
    born = date(2014, 9, 1) + timedelta(days=rng.randrange(365))
    return Child(f"{district[-3:]}-{number:03}", first, rng.choice(LAST), born, gender, rng.choice("BWH"))


def _enrollment(district: str, children: Sequence[Child]) -> str:
    return "Id,First,Last,Born,Gender,Race,Year,School,Grade,Entry\n" + "".join(
        f"{c.number},{c.first},{c.last},{c.born},{c.gender},{c.race},2024,{district}-school,03,2023-08-21\n"
        for c in children
    )


def _results(children: Sequence[Child], week: int, rng: random.Random) -> str:
    """Results of one week's test in one subject; the score of one child is none."""
    day, subject = date(2023, 9, 4) + timedelta(weeks=week // 2), ("ELA", "MATH")[week % 2]
    chosen = rng.sample(children, _ROWS)
    return "Id,Last,Born,Year,Test,Subject,Grade,Day,Score\n" + "".join(
        f"{c.number},{c.last},{c.born},2024,STATE,{subject},03,{day},{'absent' if n == 7 else rng.randrange(200, 400)}\n"
        for n, c in enumerate(chosen)
    )
