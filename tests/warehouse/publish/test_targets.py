"""Targets are chosen by configuration, fail alone, and are served by night and by command."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from warehouse.community import ConfigurationError, load_community
from warehouse.publish import configured_targets, known_targets, publish_release
from warehouse.settings import Settings

Shelf = Any
_KINDS = {"string": str, "integer": int, "number": float, "boolean": lambda v: {"true": 1, "false": 0}[v]}


def _community(shelf: Shelf, root: Path, publish: str) -> Any:
    """A community with the shelf's releases and other targets."""
    root.mkdir()
    (root / "community.yml").write_text(
        (shelf.root / "community.yml").read_text() + f"publish:\n{publish}", encoding="utf-8"
    )
    (root / "data").mkdir()
    (root / "data" / "releases").symlink_to(shelf.community.paths.releases)
    return load_community(root)


def test_targets_are_found_by_their_modules() -> None:
    """If not, a new module needs changes elsewhere."""
    assert {"postgresql", "open_data"} <= set(known_targets())


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("  - target: postgres\n", "no target 'postgres'; there are"),
        ("  - target: open_data\n", "folder"),
        ("  - {target: open_data, folder: x, colour: red}\n", "colour"),
        ("  - {target: open_data, folder: x}\n  - {target: open_data, folder: y}\n", "twice"),
    ],
)
def test_a_wrong_target_is_told_with_what_is_allowed(
    three_releases: Shelf, tmp_path: Path, entry: str, told: str
) -> None:
    """If not, a typing slip means that nothing is published, and nobody is told."""
    community = _community(three_releases, tmp_path / "c", entry)
    with pytest.raises(ConfigurationError, match=told):
        configured_targets(community, Settings())


def test_a_url_alone_configures_postgresql(three_releases: Shelf) -> None:
    """If not, the documented variable does nothing."""
    settings = Settings.model_validate({"postgres_url": "postgresql://h/d"})
    assert list(configured_targets(three_releases.community, settings)) == ["postgresql"]
    assert configured_targets(three_releases.community, Settings()) == {}


def test_a_failing_target_stops_no_other(three_releases: Shelf, tmp_path: Path) -> None:
    """If not, a database that is down keeps the open data old."""
    community = _community(
        three_releases, tmp_path / "c", "  - target: postgresql\n  - {target: open_data, folder: portal}\n"
    )
    settings = Settings.model_validate({"postgres_url": "postgresql://127.0.0.1:1/none"})
    outcomes = publish_release(community, settings, three_releases.releases[0].path)
    assert [(o.target, o.published) for o in outcomes] == [("postgresql", False), ("open_data", True)]
    assert (community.paths.root / "portal" / "current" / "datapackage.json").is_file()


def test_open_data_is_what_its_description_says(three_releases: Shelf, tmp_path: Path) -> None:
    """If not, a portal refuses the package or misreads a column."""
    community = _community(
        three_releases, tmp_path / "c", "  - {target: open_data, folder: portal, keep: 0}\n"
    )
    for report in three_releases.releases[:2]:
        (outcome,) = publish_release(community, Settings(), report.path)
        assert outcome.published
    portal = community.paths.root / "portal"
    assert [item.name for item in portal.iterdir() if item.is_dir() and not item.is_symlink()] == [
        three_releases.releases[1].release_id
    ]
    package = json.loads((portal / "current" / "datapackage.json").read_text())
    assert package["profile"] == "tabular-data-package"
    for resource in package["resources"]:
        with (portal / "current" / resource["path"]).open(newline="") as stream:
            header, *rows = csv.reader(stream)
        fields = resource["schema"]["fields"]
        assert header == [field["name"] for field in fields]
        assert len(rows) == resource["rows"]
        for index, field in enumerate(fields):
            read = _KINDS.get(field["type"], date.fromisoformat)
            for row in rows:
                if row[index] != "":
                    read(row[index])
        keys = [header.index(key) for key in resource["schema"]["primaryKey"]]
        assert len({tuple(row[k] for k in keys) for row in rows}) == len(rows)


def test_a_portal_that_cannot_be_written_keeps_what_it_has(three_releases: Shelf, tmp_path: Path) -> None:
    """If not, a portal is left without data."""
    community = _community(three_releases, tmp_path / "c", "  - {target: open_data, folder: portal}\n")
    publish_release(community, Settings(), three_releases.releases[0].path)
    portal = community.paths.root / "portal"
    (portal / f".{three_releases.releases[1].release_id}.part").write_text("a file where a folder must be")
    (outcome,) = publish_release(community, Settings(), three_releases.releases[1].path)
    assert not outcome.published and "keeps what it has" in outcome.message
    assert (portal / "current").readlink().name == three_releases.releases[0].release_id


def test_the_command_publishes_and_fails_with_a_reason(three_releases: Shelf, tmp_path: Path) -> None:
    """If not, nobody can repeat a publication that failed at night."""
    community = _community(three_releases, tmp_path / "c", "  - {target: open_data, folder: portal}\n")
    command = [
        str(Path(sys.executable).with_name("throughline")),
        "publish",
        "--dir",
        str(community.paths.root),
    ]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (target,) = json.loads(done.stdout)["targets"]
    assert target["published"]
    done = subprocess.run([*command, "--target", "postgresql"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not configured" in done.stderr
