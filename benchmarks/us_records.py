"""Invented records of people in the United States as registers hold them, two files a kind and the truth beside them.

What belongs here: kinds of records with their columns and their faults. What does not: linking them (`linkage.py`), the
sample community and its faults (`ingestion/sample`). Surnames: the commonest of the 2010 census (public domain).
"""

from __future__ import annotations

import csv
import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

from nicknames import NickNamer

_COMMON = [
    "smith",
    "johnson",
    "williams",
    "brown",
    "jones",
    "garcia",
    "miller",
    "davis",
    "rodriguez",
    "martinez",
    "hernandez",
    "lopez",
    "gonzalez",
    "wilson",
    "anderson",
    "thomas",
    "taylor",
    "moore",
    "jackson",
    "martin",
    "lee",
    "perez",
    "thompson",
    "white",
    "harris",
    "sanchez",
    "clark",
    "ramirez",
    "lewis",
    "robinson",
    "walker",
    "young",
    "allen",
    "king",
    "wright",
    "scott",
    "torres",
    "nguyen",
    "hill",
    "flores",
    "green",
    "adams",
    "nelson",
    "baker",
    "hall",
    "rivera",
    "campbell",
    "mitchell",
    "carter",
    "roberts",
    "gomez",
    "phillips",
    "evans",
    "turner",
    "diaz",
    "parker",
    "cruz",
    "edwards",
    "collins",
    "reyes",
    "stewart",
    "morris",
    "morales",
    "murphy",
    "cook",
    "rogers",
    "gutierrez",
    "ortiz",
    "morgan",
    "cooper",
    "peterson",
    "bailey",
    "reed",
    "kelly",
    "howard",
    "ramos",
    "kim",
    "cox",
    "ward",
    "richardson",
    "watson",
    "brooks",
    "chavez",
    "wood",
    "james",
    "bennett",
    "gray",
    "mendoza",
    "ruiz",
    "hughes",
    "price",
    "alvarez",
    "castillo",
    "sanders",
    "patel",
    "myers",
    "long",
    "ross",
    "foster",
    "jimenez",
]
_STREETS = [
    "main",
    "oak",
    "maple",
    "cedar",
    "elm",
    "park",
    "lake",
    "hill",
    "church",
    "mill",
    "river",
    "pine",
    "washington",
    "jefferson",
    "lincoln",
    "spring",
    "sunset",
    "highland",
    "forest",
    "meadow",
    "orchard",
    "college",
    "franklin",
    "walnut",
    "chestnut",
    "ridge",
    "valley",
    "county",
    "prospect",
    "center",
]
_KINDS = ("st", "ave", "rd", "dr", "ln", "ct", "blvd", "way")
_CITIES = tuple((name, f"27{i:03d}") for i, name in enumerate(
    ["durham", "raleigh", "cary", "apex", "garner", "wendell", "clayton", "selma", "wilson", "rocky_mount", "louisburg", "oxford", "henderson", "roxboro"]))  # fmt: skip


@dataclass(frozen=True)
class Person:
    number: int
    household: int
    first: str
    middle: str
    last: str
    suffix: str
    birth: date
    sex: str
    street: str
    city: str
    zip: str
    phone: str


@dataclass(frozen=True)
class Kind:
    """Columns that a kind of file has, and the share of its records with each fault.

    Attributes:
        columns: columns in each of the two files.
        coverage: share of the people who are in each file.
        copies: most records of one person in a file.
        years: years between the two files; who moves and marries in between does.
        rates: share of records by fault, in the second file; the first has half of it.
        blank: share of values that are missing, by column.
        born: years of birth.
        single: one file, linked with itself.
    """

    columns: tuple[str, ...]
    coverage: tuple[float, float] = (0.8, 0.7)
    copies: int = 1
    years: int = 1
    rates: dict[str, float] = field(default_factory=dict)
    blank: dict[str, float] = field(default_factory=dict)
    born: tuple[int, int] = (1930, 2002)
    single: bool = False


_FAULTS = {
    "typo_first": 0.04, "typo_last": 0.04, "nickname": 0.06, "swap_names": 0.01, "initial": 0.01, "middle_as_first": 0.01,
    "scan": 0.02, "slip_date": 0.03, "swap_date": 0.01, "move": 0.12, "marry": 0.03, "typo_street": 0.05, "sex": 0.005,
}  # fmt: skip
_VOTER = (
    "first_name",
    "middle_name",
    "last_name",
    "name_suffix",
    "sex",
    "birth_year",
    "street_address",
    "city",
    "zip",
)
KINDS: dict[str, Kind] = {
    "voters": Kind(_VOTER, rates=_FAULTS, born=(1920, 2000)),
    "voters_dob": Kind((*_VOTER, "dob", "phone"), rates=_FAULTS, blank={"dob": 0.25, "phone": 0.4, "zip": 0.05}),
    "census": Kind(("first_name", "middle_initial", "last_name", "sex", "birth_year", "street_address", "city"), years=10,
                   rates={**_FAULTS, "slip_date": 0.15, "move": 0.35, "marry": 0.06}, born=(1900, 2015)),
    "hospital": Kind(("first_name", "last_name", "sex", "dob", "street_address", "city", "zip", "phone"), copies=3,
                     rates={**_FAULTS, "filler_date": 0.02, "baby": 0.01, "typo_last": 0.06}, blank={"sex": 0.03, "phone": 0.3, "street_address": 0.1, "dob": 0.05}),
    "historical": Kind(("first_name", "last_name", "sex", "birth_year", "birth_place"), coverage=(0.6, 0.5), years=10,
                       rates={**_FAULTS, "typo_first": 0.1, "typo_last": 0.14, "initial": 0.06, "slip_date": 0.25, "nickname": 0.12, "marry": 0.0}, born=(1840, 1900)),
    "few_columns": Kind(("first_name", "last_name", "dob"), rates={**_FAULTS, "move": 0.0}),
    "no_birth": Kind(("first_name", "middle_name", "last_name", "street_address", "city", "zip"), rates=_FAULTS),
    "clerical": Kind(("first_name", "middle_name", "last_name", "dob", "sex", "zip"),
                     rates={**_FAULTS, "swap_names": 0.10, "swap_date": 0.10, "shift": 0.03}),
    "children": Kind(("first_name", "middle_name", "last_name", "dob", "sex", "street_address", "zip"), rates=_FAULTS, born=(2004, 2016)),
    "register": Kind(("first_name", "last_name", "dob", "sex", "street_address", "city", "zip"), copies=4, rates=_FAULTS, single=True),
}  # fmt: skip


def names_of(people: int, seed: int, born: tuple[int, int]) -> list[Person]:
    """People in households: couples, parents and children of one surname, fathers and sons of one name, twins."""
    rng = random.Random(seed)
    nick = sorted(name for name in NickNamer.default_lookup() if name.isalpha())
    rng.shuffle(nick)
    pools = {"m": nick[::2], "f": nick[1::2]}
    heavy = {
        sex: list(accumulate(1 / (rank + 12) for rank in range(len(pool)))) for sex, pool in pools.items()
    }
    rare = ["".join(rng.choice(part) for part in (string.ascii_lowercase, "aeiou", "rlnmst", "aeio", ("son", "ton", "er", "man", "ski", "well", "ley", "berg", "o", "ez", ""))) for _ in range(4000)]  # fmt: skip
    lasts = _COMMON + sorted(set(rare))
    weigh = list(
        accumulate([3 / (rank + 20) for rank in range(len(_COMMON))] + [0.009] * (len(lasts) - len(_COMMON)))
    )

    def first(sex: str) -> str:
        return rng.choices(pools[sex], cum_weights=heavy[sex])[0]

    found: list[Person] = []
    household = 0
    while len(found) < people:
        household += 1
        last = rng.choices(lasts, cum_weights=weigh)[0]
        city, zip_code = rng.choice(_CITIES)
        street = f"{rng.randrange(1, 3000)} {rng.choice(_STREETS)} {rng.choice(_KINDS)}"
        phone = f"919{rng.randrange(2_000_000, 9_999_999)}"
        members = rng.choices((1, 2, 3, 4, 5), (28, 34, 16, 14, 8))[0]
        father = first("m")
        twin: date | None = None
        for place in range(members):
            sex = ("m", "f")[place % 2] if place < 2 else rng.choice("mf")
            junior = place >= 2 and sex == "m" and rng.random() < 0.08
            name = father if (place == 0 and sex == "m") or junior else first(sex)
            start, end = born
            birth = date(rng.randrange(start, end + 1), 1, 1) + timedelta(days=rng.randrange(365))
            if twin and rng.random() < 0.04:
                birth = twin
            twin = birth if place >= 2 else None
            own = rng.choices(lasts, cum_weights=weigh)[0] if place == 1 and rng.random() < 0.2 else last
            found.append(
                Person(len(found), household, name, first(sex) if rng.random() < 0.85 else "", own, "jr" if junior else "",
                       birth, sex, street, city.replace("_", " "), zip_code, phone)
            )  # fmt: skip
    return found


def typo(text: str, rng: random.Random) -> str:
    """One letter changed, dropped, doubled, added or transposed."""
    if len(text) < 2:
        return text
    place = rng.randrange(len(text) - 1)
    a, b = text[place], text[place + 1]
    return text[:place] + rng.choice((b + a, b, a + a + b, rng.choice(string.ascii_lowercase) + b, a + rng.choice(string.ascii_lowercase) + b)) + text[place + 2 :]  # fmt: skip


def _scan(text: str, rng: random.Random) -> str:
    """One group of letters as a scanner misreads it."""
    pairs = (("l", "1"), ("o", "0"), ("rn", "m"), ("cl", "d"), ("s", "5"), ("e", "c"), ("i", "l"), ("n", "u"))
    there = [pair for pair in pairs if pair[0] in text]
    return text.replace(*rng.choice(there), 1) if there else text


def _slip(birth: date, rng: random.Random) -> date:
    kind = rng.randrange(3)
    if kind == 0:
        return birth + timedelta(days=rng.choice((-1, 1, 9, -9, 30)))
    year = birth.year + (rng.choice((-1, 1, 2)) if kind == 1 else rng.choice((-10, 10)))
    return date(year, birth.month, min(birth.day, 28))


_Row = dict[str, str]


def record(person: Person, rng: random.Random, kind: Kind, share: float, people: list[Person]) -> _Row:
    """How a file holds a person, with the faults of its kind."""

    def happens(fault: str) -> bool:
        return rng.random() < share * kind.rates.get(fault, 0.0)

    first, middle, last, birth = person.first, person.middle, person.last, person.birth
    nick = NickNamer.default_lookup().get(first)
    if happens("nickname") and nick:
        first = rng.choice(sorted(nick))
    if happens("middle_as_first") and middle:
        first, middle = middle, first
    if happens("marry") and person.sex == "f":
        last = rng.choice(people).last
    changes: tuple[tuple[str, Callable[[str], str], Callable[[str], str]], ...] = (
        ("typo_first", lambda t: typo(t, rng), lambda t: t), ("typo_last", lambda t: t, lambda t: typo(t, rng)),
        ("scan", lambda t: _scan(t, rng), lambda t: _scan(t, rng)), ("initial", lambda t: t[:1], lambda t: t),
    )  # fmt: skip
    for fault, on_first, on_last in changes:
        if happens(fault):
            first, last = on_first(first), on_last(last)
    if happens("swap_names"):
        first, last = last, first
    if happens("slip_date"):
        birth = _slip(birth, rng)
    if happens("swap_date") and birth.day <= 12:
        birth = date(birth.year, birth.day, birth.month)
    if happens("shift"):
        first, middle, last = middle, last, first
    if happens("baby") and birth.year > 1980:
        first = rng.choice(("BABY BOY", "Baby Girl", "infant"))
    home = rng.choice(people) if happens("move") else person
    street = typo(home.street, rng) if happens("typo_street") else home.street
    return _columns(replace(person, first=first, middle=middle, last=last, birth=birth, street=street, city=home.city,
                            zip=home.zip, phone=home.phone), rng, kind, filler=happens("filler_date"), sex=happens("sex"))  # fmt: skip


def _columns(p: Person, rng: random.Random, kind: Kind, *, filler: bool, sex: bool) -> _Row:
    values = {
        "first_name": p.first, "middle_name": p.middle if rng.random() < 0.6 else p.middle[:1], "middle_initial": p.middle[:1],
        "last_name": p.last, "name_suffix": p.suffix, "sex": {"m": "f", "f": "m"}[p.sex] if sex else p.sex,
        "dob": "1900-01-01" if filler else p.birth.isoformat(), "birth_year": str(p.birth.year), "street_address": p.street,
        "city": p.city, "zip": p.zip, "phone": p.phone, "birth_place": p.city,
    }  # fmt: skip
    return {c: "" if rng.random() < kind.blank.get(c, 0.0) else values[c] for c in kind.columns}


def write(kind_id: str, people: int, seed: int, folder: Path) -> list[Path]:
    """Write left.csv, right.csv (unless the kind is one file) and truth.csv; returns the data files."""
    kind, rng = KINDS[kind_id], random.Random(seed + 1)
    everybody = names_of(people, seed, kind.born)
    rows: list[list[tuple[str, int, _Row]]] = []
    for side, share in enumerate(kind.coverage[: 1 if kind.single else 2]):
        present = [p for p in everybody if rng.random() < share]
        copied = [p for p in present for _ in range(rng.choice(range(1, kind.copies + 1)))]
        rng.shuffle(copied)
        rows.append([(f"{'ab'[side]}{i}", p.number, record(p, rng, kind, (0.5, 1.0)[side], everybody)) for i, p in enumerate(copied)])  # fmt: skip
    files = [folder / name for name in ("left.csv", "right.csv")][: len(rows)]
    for file, part in zip(files, rows, strict=True):
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(["record_id", *kind.columns])
            writer.writerows([key, *row.values()] for key, _, row in part)
    with (folder / "truth.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["record_id", "person"])
        writer.writerows([key, number] for part in rows for key, number, _ in part)
    return files
