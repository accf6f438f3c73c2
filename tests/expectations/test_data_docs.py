"""The pages of the nights: what they show, what they never show, and that nothing hangs on them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest

import expectations.run as run
from expectations.model import QualityReport, Suite
from expectations.reports import load_report

NAMED = "Zebediah"
SUITE = Suite.model_validate(
    {
        "table": "core.t",
        "owner": "the steward",
        "rules": [
            {"id": "t_b_known", "severity": "block", "why": "An odd code.", "fix": "Map it.", "rejects": [{"b": "x"}],
             "expect": "ExpectColumnValuesToBeInSet", "with": {"column": "b", "value_set": ["known"]}},
            {"id": "t_a_positive", "severity": "warn", "why": "A is none.", "fix": "Ask <them>.", "rejects": [{"a": 0}],
             "must_hold": "a > 0"},
        ],
    }
)  # fmt: skip


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table on which both rules fail, and a gate that asks nothing else."""
    monkeypatch.setattr(run, "load_suites", lambda *_: (SUITE,))
    path = tmp_path / "work.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema core")
        con.execute("create table core.t as select 0 as a, ? as b", [NAMED])
    return path


def _gate(database: Path, day: int, folder: Path) -> QualityReport:
    return run.run_gate(database, f"run{day}", date(2024, 3, day), folder)


def test_a_night_says_what_failed_since_when_and_whom_to_ask(database: Path, tmp_path: Path) -> None:
    """If not, whoever opens the pages has to ask the engineer what they mean."""
    for day in (1, 2):
        _gate(database, day, tmp_path / "quality")
    docs = tmp_path / "quality" / "docs"
    night = docs / "2024-03-02_run2"
    told = (night / "index.html").read_text()
    for words in (
        "1 blocking failure, 1 warning.",
        "An odd code. Map it.",
        "Ask &lt;them&gt;.",
        "the steward",
    ):
        assert words in told
    assert "2024-03-01 (run run1)" in told
    (page,) = re.findall(r'href="(validations/[^"]+)"', told)
    shown = (night / page).read_text()
    assert "t_a_positive (warn): A is none." in shown
    assert "failed" in shown
    assert (night / "index.html") == (night / page).parent.joinpath(_home(shown)).resolve()
    assert 'href="2024-03-02_run2/index.html"' in (docs / "index.html").read_text()


def _home(page: str) -> str:
    return re.findall(r'<a href="([./]+index\.html)"', page)[0]


def test_no_page_holds_a_value_or_asks_another_server(database: Path, tmp_path: Path) -> None:
    """If not, a page tells whom a row is about, or a reader's browser tells strangers that it was read."""
    _gate(database, 1, tmp_path / "quality")
    pages = sorted((tmp_path / "quality" / "docs").rglob("*.html"))
    assert len(pages) == 3
    for page in pages:
        text = page.read_text()
        assert NAMED not in text
        assert not re.search(r"https?:|<script|<link|<img|<form|<iframe|@import", text), page


def test_only_the_last_nights_are_kept(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, the pages fill the disk."""
    monkeypatch.setattr("expectations.data_docs._KEPT_NIGHTS", 2)
    for day in (1, 2, 3):
        _gate(database, day, tmp_path / "quality")
    kept = sorted(folder.name for folder in (tmp_path / "quality" / "docs").iterdir() if folder.is_dir())
    assert kept == ["2024-03-02_run2", "2024-03-03_run3"]


def test_pages_that_cannot_be_written_stop_nothing(
    database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """If not, a full disk or another version of the library keeps a clean night from being published."""
    folder = tmp_path / "quality"
    folder.mkdir()
    (folder / "docs").write_text("a file where the folder should be")
    report = _gate(database, 1, folder)
    assert load_report(folder, "run1") == report
    assert "Data Docs were not written" in caplog.text
