"""The sample community Riverbend: invented people, and the files that real partners would drop about them.

What belongs here: making it. What does not: anything that a real community needs.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from ingestion.sample import drops
from ingestion.sample.life import CHARTER_SHARE, live
from ingestion.sample.people import Draw, make_people
from ingestion.sample.truth import join_truth, write_truth
from ingestion.sample.workbooks import Workbook, write_workbook
from warehouse.processes import pool

_COMMUNITY = Path(__file__).parent / "community"
# People of one town: what two processes hold in memory side by side.
_TOWN = 25_000
# A charter network does not grow with its county, and its workbooks have to stay below a sheet's row limit.
_CHARTER_PEOPLE = 2_600


@dataclass(frozen=True)
class SampleSummary:
    """What was made: people followed, files dropped, and where the truth lies."""

    people: int
    files: int
    truth: Path


@dataclass(frozen=True)
class _Town:
    """One part of the sample, made apart from the others."""

    folder: Path
    number: int
    first_serial: int
    people: int
    seed: int
    charter_share: float


def make_sample(root: Path, *, people: int = 6000, seed: int = 20240901) -> SampleSummary:
    """Write a whole community folder: configuration, first night's files, later nights, and the truth apart.

    A large sample is made as towns of 25,000 people side by side, whose files are then joined; the time and the memory
    of each do not grow. The same arguments give the same files, byte for byte.

    Args:
        root: the folder; made if absent.
        people: how many people are followed from birth to about 30.
        seed: seed of every draw.
    """
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_COMMUNITY, root, dirs_exist_ok=True)
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "landing").mkdir(exist_ok=True, mode=0o700)
    towns = _towns(root / ".towns", people, seed)
    for books in zip(*_write_all(towns), strict=True):
        rows = pd.concat([book.frame for book in books], ignore_index=True)
        write_workbook(root / "data" / "landing", Workbook(books[0].place, books[0].title, rows))
    for folder in ("data", "nights"):
        _join_text([town.folder / folder for town in towns], root / folder)
    join_truth([town.folder / "truth" for town in towns], root / "truth")
    shutil.rmtree(root / ".towns")
    dropped = sum(1 for path in (root / "data" / "landing").rglob("*") if path.is_file())
    return SampleSummary(people, dropped, root / "truth")


def _towns(folder: Path, people: int, seed: int) -> list[_Town]:
    count = max(1, -(-people // _TOWN))
    bounds = [people * k // count for k in range(count + 1)]
    share = min(CHARTER_SHARE, _CHARTER_PEOPLE / max(1, people))
    return [
        _Town(folder / f"{k:04d}", k, low, high - low, seed, share)
        for k, (low, high) in enumerate(pairwise(bounds))
    ]


def _write_all(towns: list[_Town]) -> list[list[Workbook]]:
    if len(towns) == 1:
        return [_write_town(towns[0])]
    with pool(min(len(towns), os.cpu_count() or 1)) as writers:
        return list(writers.map(_write_town, towns))


def _write_town(town: _Town) -> list[Workbook]:
    """Write the text files and the truth of a town; its workbooks are returned, as they cannot be joined once written."""
    draw = Draw(
        np.random.default_rng([town.seed, town.number] if town.number else town.seed),
        town=town.number,
        first_serial=town.first_serial,
    )
    everybody = make_people(draw, town.people)
    life = live(draw, everybody, charter_share=town.charter_share)
    writer = drops.Writer(town.folder, draw, everybody, life)
    for write in drops.WRITERS if town.number else (*drops.WRITERS, *drops.WRITERS_OF_THE_WHOLE):
        write(writer)
    ids = pd.concat(writer.ids, ignore_index=True)
    write_truth(town.folder / "truth", everybody, life, ids, first_serial=town.first_serial)
    return writer.workbooks


def _join_text(parts: list[Path], target: Path) -> None:
    """Put the files of one name together, each header once."""
    for place in sorted(
        {path.relative_to(part) for part in parts for path in part.rglob("*") if path.is_file()}
    ):
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        with (target / place).open("wb") as out:
            for number, path in enumerate(part / place for part in parts if (part / place).exists()):
                with path.open("rb") as file:
                    if number:
                        file.readline()
                    shutil.copyfileobj(file, out, 1 << 20)
                path.unlink()
