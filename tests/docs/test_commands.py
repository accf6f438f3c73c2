"""Every command of README and docs runs as written, in the order of the page, or says why it is not run here.

A block of commands is fenced as `sh`. A comment above a block says what is special: `not run: <reason>`,
`exits: <code>`, or `file: <name>` for a text that the reader saves.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("docs")]
ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *GUIDES]
FENCE = re.compile(r"(?:<!-- (?P<note>[^>]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """One fenced text and the comment above it."""

    language: str
    text: str
    kind: str
    value: str


def blocks(page: Path) -> list[Block]:
    found = []
    for match in FENCE.finditer(page.read_text(encoding="utf-8")):
        kind, _, value = (match["note"] or "").partition(": ")
        found.append(Block(match["language"], match["text"], kind, value))
    return found


def _run(text: str, folder: Path, community: Path | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "160",
        "THROUGHLINE_SETTLE_SECONDS": "0",
        "THROUGHLINE_NOW": "2024-11-15T02:30:00+00:00",
    }
    if community is not None:
        environment["THROUGHLINE_COMMUNITY"] = str(community)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],  # noqa: S607 - the reader's shell, found as a reader finds it
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _follow(page: Path, folder: Path, community: Path | None = None) -> int:
    """Do what the page says; returns how many blocks of commands ran."""
    ran = 0
    for block in blocks(page):
        if block.kind == "file":
            (folder / block.value).write_text(block.text, encoding="utf-8")
        if block.language != "sh" or block.kind == "not run":
            continue
        done = _run(block.text, folder, community)
        wanted = int(block.value) if block.kind == "exits" else 0
        assert done.returncode == wanted, (
            f"{page.name}:\n{block.text}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
        ran += 1
    return ran


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The community that the README's guide makes."""
    folder = tmp_path_factory.mktemp("readme")
    assert _follow(ROOT / "README.md", folder) >= 4
    return folder / "springfield"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    """If not, commands hide from this test in a block without a language, or are left out without a reason."""
    for block in blocks(page):
        commands = re.search(r"^(throughline|make|sudo|docker) ", block.text, re.M)
        assert block.language == "sh" or not commands, block.text
        assert block.kind in ("", "not run", "exits", "file"), block.kind
        assert block.kind != "not run" or len(block.value) > 15, block.text
        if block.language == "yaml":
            yaml.safe_load(block.text)


def test_the_readme_leads_from_two_unlike_files_to_a_report_card(followed: Path) -> None:
    """If not, a newcomer's first quarter of an hour ends in frustration."""
    release = followed / "data" / "releases" / "current"
    assert (release / "report" / "index.html").is_file() and (release / "dictionary.html").is_file()
    receipts = list((followed / "data" / "receipts").rglob("*.html"))
    assert {file.parent.name for file in receipts} == {"example_district", "ellington_academy"}
    told = "".join(file.read_text(encoding="utf-8") for file in receipts)
    assert "birth_date" in told and "Specimen" not in told and "13/45/2015" not in told
    crosswalk = followed / "data" / "lake" / "_crosswalk" / "crosswalk.parquet"
    with duckdb.connect() as con:
        counted = con.execute(
            "select count(*), count(distinct person_key) from read_parquet(?)", [str(crosswalk)]
        ).fetchone()
    assert counted == (5, 4), "five records of four children"


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_the_commands_of_a_guide_run(page: Path, followed: Path, tmp_path: Path) -> None:
    """If not, a reader copies a command that does not work."""
    _follow(page, tmp_path, followed)


def test_the_python_of_the_guides_runs(followed: Path) -> None:
    """If not, an analyst's first notebook ends in an error."""
    texts = [b.text for page in PAGES for b in blocks(page) if b.language == "python" and b.kind != "not run"]
    assert texts
    for text in texts:
        done = subprocess.run(
            [sys.executable, "-c", text],
            cwd=followed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    """If not, a reader is sent to a page that is not there."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target
        file = page.parent / target
        assert file.suffix != ".png" or file.stat().st_size < 300_000, f"{target} is large"
