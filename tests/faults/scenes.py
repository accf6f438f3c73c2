"""The communities that are tried: invented people after a first night, with a second night's files dropped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ingestion.sample import make_sample
from tests.faults import parts
from tests.faults.state import look
from tests.faults.trial import Scene, run_part
from warehouse.settings import CommunityPaths
from warehouse.vault import make_key_file

PEOPLE = 300


class SceneError(RuntimeError):
    """An undisturbed run failed, so that nothing can be tried."""


def prepare(work: Path, wanted: Sequence[str], people: int = PEOPLE) -> dict[str, Scene]:
    """Make the scenes of the parts wanted; without 'release' and 'night' no table has to be built.

    Raises:
        SceneError: see there.
    """
    parts.set_clock(parts.NIGHTS["second"])  # for what this process reads
    whole = bool({"release", "night"} & set(wanted))
    before = work / "before" / "town"
    make_sample(before, people=people)
    paths = CommunityPaths(before).ensure()
    make_key_file(paths)
    for part in ["night"] if whole else ["receive", "link"]:
        _quiet(before, part, "first")
    # A table of a census, and a district's correction, by which people are linked anew.
    _drop(before, "02")
    _drop(before, "03")
    scenes: dict[str, Scene] = {}
    received = _scene(work, "receive", before)
    scenes["receive"] = received[0]
    if "link" in wanted:
        scenes["link"] = _scene(work, "link", received[1])[0]
    if "connect" in wanted:
        scenes["connect"] = _scene(work, "connect", before)[0]
    if whole:
        scenes["night"], after = _scene(work, "night", before)
        scenes["release"] = _scene(work, "release", _unreleased(before, after))[0]
    return {name: scene for name, scene in scenes.items() if name in wanted}


def _quiet(root: Path, part: str, night: str) -> float:
    run = run_part(root, part, moment=parts.NIGHTS[night])
    if run.code:
        raise SceneError(f"the undisturbed {part} failed: {run.said}")
    return run.seconds


def _drop(root: Path, night: str) -> None:
    for partner in (root / "nights" / night).iterdir():
        shutil.copytree(partner, root / "data" / "landing" / partner.name, dirs_exist_ok=True)


def _scene(work: Path, part: str, before: Path) -> tuple[Scene, Path]:
    """A scene, and the community as the undisturbed run leaves it."""
    after = work / f"after_{part}" / "town"
    shutil.copytree(before, after, symlinks=True)
    known = look(before)
    run = run_part(after, part)
    if run.code:
        raise SceneError(f"the undisturbed {part} failed: {run.said}")
    return Scene(part, before, known, look(after), run), after


def _unreleased(before: Path, after: Path) -> Path:
    """The community with the second night's tables, and the first night's release."""
    root = after.parent.with_name("before_release") / "town"
    shutil.copytree(after, root, symlinks=True, ignore=lambda folder, _: _releases(folder, after))
    shutil.copytree(before / "data" / "releases", root / "data" / "releases", symlinks=True)
    return root


def _releases(folder: str, root: Path) -> list[str]:
    return ["releases"] if Path(os.path.abspath(folder)) == (root / "data").resolve() else []
