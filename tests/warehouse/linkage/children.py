"""Synthetic children in families, recorded by two or three sources with the errors that real registers show.

What belongs here: one seeded generator for tests and benchmarks. What does not: the sample community.
Error rates: 3.2 % of births are twins (a quarter of co-twins share an initial), 12 % hyphenated surnames (one half
dropped half of the time), 10 % nicknames, 4 % first-name and 3 % surname typos, 5 % surname changes, 1 % swapped
names, 2 % birth-date errors, 25 % moves, 2 % sex missing, no social security number. The rates are between a record
and the child as registered; the first source holds children as registered unless told otherwise.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate

import duckdb
import pyarrow as pa
from nicknames import NickNamer

Row = dict[str, object]


@dataclass(frozen=True)
class Child:
    person: int
    family: int
    first: str
    middle: str
    last: str
    birth: date
    sex: str
    address: tuple[str, str]
    group: str


@lru_cache(maxsize=1)
def _first_names() -> tuple[list[str], list[str], dict[str, list[str]]]:
    nick = {k: sorted(v) for k, v in NickNamer.default_lookup().items() if k.isalpha()}
    names = sorted(nick)
    rng = random.Random(1)
    rng.shuffle(names)
    made = ["".join(rng.choice(s) for s in ("JKLMTDZ", "aeiou", "lnrmvs", "aeiy", ["", "h", "n", "lyn", "ra", "den"])).lower() for _ in range(700)]  # fmt: skip
    pool = sorted(set(names) | set(made))
    rng.shuffle(pool)
    return pool[::2], pool[1::2], nick


@lru_cache(maxsize=1)
def _last_names() -> list[str]:
    rng = random.Random(2)
    starts = ["bar", "cor", "dal", "est", "fen", "gar", "hol", "jen", "kov", "lind", "mor", "nor", "ort", "pet", "ram",
              "sal", "tor", "vas", "wil", "zam", "ng", "chen", "ok", "mc", "o"]  # fmt: skip
    middles = ["", "a", "e", "i", "o", "u", "an", "er", "ing", "al"]
    ends = [
        "son",
        "ez",
        "ton",
        "man",
        "ski",
        "ley",
        "ford",
        "wood",
        "ado",
        "eira",
        "ian",
        "uyen",
        "afor",
        "berg",
        "ham",
    ]
    pool = sorted({s + m + e for s in starts for m in middles for e in ends})
    rng.shuffle(pool)
    return pool


@lru_cache(maxsize=8)
def _weights(size: int) -> list[float]:
    """Cumulative weights in which the commonest of a name pool is held by about one in a hundred."""
    return list(accumulate(1 / (rank + 25) for rank in range(size)))


def _zipf(rng: random.Random, pool: list[str]) -> str:
    return rng.choices(pool, cum_weights=_weights(len(pool)))[0]


def families(people: int, seed: int = 0) -> list[Child]:
    """Children in families until there are at least `people`."""
    rng = random.Random(seed)
    girls, boys, _ = _first_names()
    lasts = _last_names()
    children: list[Child] = []
    family = 0
    while len(children) < people:
        family += 1
        group = rng.choices(["white", "black", "hispanic", "asian"], [50, 22, 20, 8])[0]
        last = _zipf(rng, lasts)
        if rng.random() < {"hispanic": 0.35, "white": 0.06, "black": 0.07, "asian": 0.04}[group]:
            last = f"{last}-{_zipf(rng, lasts)}"
        address = _address(rng)
        taken: list[str] = []
        birth = date(2002, 1, 1) + timedelta(days=rng.randrange(365 * 12))
        for _ in range(rng.choices([1, 2, 3, 4], [35, 40, 17, 8])[0]):
            births = 2 if rng.random() < 0.0165 else 1
            twin: list[str] = []
            for _ in range(births):
                sex = rng.choice("mf")
                pool = girls if sex == "f" else boys
                first = _zipf(rng, pool)
                same_initial = bool(twin) and rng.random() < 0.2
                # Few names begin with some letters, and this family may hold them all.
                same_initial = same_initial and any(n[0] == twin[0][0] and n not in taken for n in pool)
                while first in taken or (same_initial and first[0] != twin[0][0]):
                    first = _zipf(rng, pool)
                taken.append(first)
                twin.append(first)
                middle = _zipf(rng, girls if sex == "f" else boys) if rng.random() < 0.75 else ""
                children.append(Child(len(children), family, first, middle, last, birth, sex, address, group))
            birth += timedelta(days=rng.randrange(330, 1600))
    return children


def _address(rng: random.Random) -> tuple[str, str]:
    street = rng.choice(
        ["Oak", "Maple", "Cedar", "Elm", "Lake", "Hill", "Park", "Main", "Church", "Mill", "River", "Pine"]
    )
    kind = rng.choice(["St", "Street", "Ave", "Avenue", "Rd", "Lane", "Drive"])
    suffix = rng.choice(["", "", "", f" Apt {rng.randrange(1, 30)}"])
    return f"{rng.randrange(1, 4000)} {rng.choice(['', 'N ', 'S '])}{street} {kind}{suffix}", str(
        45201 + rng.randrange(40)
    )


def record(child: Child, rng: random.Random) -> Row:
    """One source's record of a child, with errors of its own."""
    _, _, nick = _first_names()
    first, last, birth = child.first, child.last, child.birth
    if rng.random() < 0.10 and nick.get(first):
        first = rng.choice(nick[first])
    if rng.random() < 0.04:
        first = typo(first, rng)
    if "-" in last and rng.random() < 0.5:
        last = rng.choice(last.split("-"))
    if rng.random() < 0.05:
        last = _zipf(rng, _last_names())
    if rng.random() < 0.03:
        last = typo(last, rng)
    if rng.random() < 0.01:
        first, last = last, first
    if rng.random() < 0.02:
        birth = _slip(birth, rng)
    address = _address(rng) if rng.random() < 0.25 else child.address
    sex = child.sex if rng.random() > 0.02 else None
    return _row(child, first, last, birth, sex, address, rng)


def registered(child: Child, rng: random.Random) -> Row:
    """The record of a source that holds the child as registered."""
    sex = child.sex if rng.random() > 0.02 else None
    return _row(child, child.first, child.last, child.birth, sex, child.address, rng)


def _row(
    child: Child,
    first: str,
    last: str,
    birth: date,
    sex: str | None,
    address: tuple[str, str],
    rng: random.Random,
) -> Row:
    middle = child.middle if rng.random() < 0.5 else child.middle[:1]
    return {
        "first_name": first.title(), "middle_name": middle.title() or None, "last_name": last.title(),
        "birth_date": birth, "sex": sex.upper() if sex else None, "street_address": address[0],
        "postal_code": address[1], "city": "Riverbend", "person": child.person, "family": child.family,
        "group": child.group,
    }  # fmt: skip


def typo(text: str, rng: random.Random) -> str:
    """One keyboard slip: change, drop, double or transpose a letter."""
    place = rng.randrange(len(text))
    kind = rng.randrange(4)
    if kind == 0:
        return text[:place] + rng.choice(string.ascii_lowercase) + text[place + 1 :]
    if kind == 1 and len(text) > 2:
        return text[:place] + text[place + 1 :]
    if kind == 2:
        return text[:place] + text[place] + text[place:]
    other = min(place + 1, len(text) - 1)
    letters = list(text)
    letters[place], letters[other] = letters[other], letters[place]
    return "".join(letters)


def _slip(birth: date, rng: random.Random) -> date:
    kind = rng.randrange(4)
    if kind == 0 and birth.day <= 12:
        return date(birth.year, birth.day, birth.month)
    if kind == 1:
        return birth + timedelta(days=rng.choice([-1, 1, -10, 10]))
    if kind == 2:
        return date(birth.year + rng.choice([-1, 1]), birth.month, min(birth.day, 28))
    return date(birth.year, 1, 1)


def sources(
    people: int, seed: int = 0, coverage: tuple[float, ...] = (0.8, 0.7), first_is_clean: bool = True
) -> tuple[pa.Table, list[Child]]:
    """Records of all sources as one table with source_person_key, partner_id and the truth (person, family, group)."""
    children = families(people, seed)
    rng = random.Random(seed + 1)
    rows: list[Row] = []
    for number, share in enumerate(coverage):
        chosen = [child for child in children if rng.random() < share]
        for child in chosen:
            row = registered(child, rng) if number == 0 and first_is_clean else record(child, rng)
            row["partner_id"] = f"source_{number}"
            rows.append(row)
    order = list(range(len(rows)))
    rng.shuffle(order)
    for n, place in enumerate(order):
        rows[place]["source_person_key"] = f"{n:032x}"
    return pa.Table.from_pylist(rows), children


def fill_vault(con: duckdb.DuckDBPyConnection, table: pa.Table, delivery: str = "d1") -> None:
    """Insert records into the attached vault as one delivery."""
    con.register("incoming", table.drop_columns(["person", "family", "group"]))
    con.execute(
        f"""insert into vault.identifier_record by name
        select *, partner_id as issuer_id, 'f' as feed_id, '{delivery}' as delivery_id, 1 as delivery_seq, 1 as row_n
        from incoming"""
    )
    con.unregister("incoming")
