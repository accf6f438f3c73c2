"""The sample community Riverbend: invented people, and the files that real partners would drop about them.

What belongs here: making it. What does not: anything that a real community needs.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ingestion.sample import files
from ingestion.sample.life import live
from ingestion.sample.people import Draw, make_people
from ingestion.sample.truth import write_truth

_COMMUNITY = Path(__file__).parent / "community"


@dataclass(frozen=True)
class SampleSummary:
    """What was made: people followed, files dropped, and where the truth lies."""

    people: int
    files: int
    truth: Path


def make_sample(root: Path, *, people: int = 6000, seed: int = 20240901) -> SampleSummary:
    """Write a whole community folder: configuration, first night's files, later nights, and the truth apart.

    The same arguments give the same files, byte for byte.

    Args:
        root: the folder; made if absent.
        people: how many people are followed from birth to about 30.
        seed: seed of every draw.
    """
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(_COMMUNITY, root, dirs_exist_ok=True)
    draw = Draw(np.random.default_rng(seed))
    everybody = make_people(draw, people)
    life = live(draw, everybody)
    writer = files.Writer(root, draw, everybody, life, [])
    for write in (
        files.write_directory,
        files.write_riverbend,
        files.write_eastvale,
        files.write_summit,
        files.write_state,
        files.write_early_childhood,
        files.write_after_school,
        files.write_places,
    ):
        write(writer)
    write_truth(root / "truth", everybody, life, pd.concat(writer.ids, ignore_index=True))
    dropped = sum(1 for path in (root / "data" / "landing").rglob("*") if path.is_file())
    return SampleSummary(people, dropped, root / "truth")
