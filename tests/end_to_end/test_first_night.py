"""From dropped files to a published gateway status, in one command."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end_to_end")]

Cli = Callable[..., object]
WHOLE = "0500000US39999"
OUTCOMES = {
    "kindergarten_readiness",
    "early_grade_reading",
    "middle_grade_math",
    "high_school_graduation",
    "postsecondary_enrollment",
    "postsecondary_completion",
    "employment",
}


def _current(root: Path) -> Path:
    return (root / "data" / "releases" / "current").resolve()


def test_the_demo_ends_with_release_gateways_and_receipts(demo: Path) -> None:
    """If not, a newcomer does not learn what was made or where it lies."""
    told = (demo / "first_night.txt").read_text()
    assert str(_current(demo)) in told
    assert "Gateway status" in told
    assert str(demo / "data" / "receipts") in told
    assert any((demo / "data" / "receipts").rglob("*.html"))


def test_rates_agree_with_the_truth(demo: Path) -> None:
    """If not, the community acts on wrong numbers."""
    rates = _current(demo) / "tables" / "pub_indicator_rate_v1.parquet"
    truth = demo / "truth" / "rate.parquet"
    with duckdb.connect() as con:
        rows = con.execute(
            f"""
            select t.indicator_id, t.cohort_year, t.rate as true_rate, p.rate, t.denominator_n
            from read_parquet('{truth}') t
            left join read_parquet('{rates}') p
              on p.indicator_id = t.indicator_id and p.cohort_year = t.cohort_year
              and p.geography_id = '{WHOLE}' and p.organization_key = 'all' and p.race_group = 'all' and p.gender_group = 'all'
              and p.economic_group = 'all' and p.race_scheme = 'federal7'
            where t.denominator_n >= 50
            """
        ).fetchall()
    assert len(rows) > 100
    # A single person moves the rate of a cohort under 200 by more than half a point.
    wrong = [row for row in rows if row[3] is not None and abs(row[2] - row[3]) > max(0.005, 1.01 / row[4])]
    assert wrong == []
    published = [row for row in rows if row[3] is not None]
    assert len(published) >= 0.95 * len(rows)
    assert {row[0] for row in published} >= OUTCOMES


def test_parquet_and_duckdb_answer_alike(demo: Path) -> None:
    """If not, two analysts get two answers."""
    release = _current(demo)
    with duckdb.connect(str(release / "throughline.duckdb"), read_only=True) as con:
        tables = [
            row[0] for row in con.execute("select table_name from information_schema.tables").fetchall()
        ]
        files = {file.stem for file in (release / "tables").glob("*.parquet")}
        assert files and files <= set(tables)
        for table in sorted(files):
            file = release / "tables" / f"{table}.parquet"
            for left, right in ((f"from {table}", f"from '{file}'"), (f"from '{file}'", f"from {table}")):
                assert con.execute(f"select count(*) from ({left} except all {right})").fetchone() == (0,)


def test_no_small_group_is_published(demo: Path) -> None:
    """If not, a child can be recognized."""
    rates = _current(demo) / "tables" / "pub_indicator_rate_v1.parquet"
    with duckdb.connect() as con:
        small = con.execute(
            f"select count(*) from '{rates}' where denominator_n between 1 and 9 or eligible_n between 1 and 9"
        ).fetchone()
    assert small == (0,)


def test_the_release_is_proved_by_its_hashes(demo_copy: Path, run_cli: Cli) -> None:
    """If not, nobody notices that a published file was changed."""
    assert run_cli("release", "verify", "--dir", str(demo_copy)).returncode == 0
    file = _current(demo_copy) / "tables" / "pub_gateway_status_v1.parquet"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b" ")
    done = run_cli("release", "verify", "--dir", str(demo_copy))
    assert done.returncode == 1
    assert "pub_gateway_status_v1.parquet" in done.stdout


def test_the_manifest_tells_where_the_release_comes_from(demo: Path) -> None:
    """If not, nobody can say which files a number rests on."""
    manifest = json.loads((_current(demo) / "manifest.json").read_text())
    assert len(manifest["deliveries"]) > 20
    assert all(len(delivery["sha256"]) == 64 for delivery in manifest["deliveries"])


def test_every_row_is_accounted_for(demo: Path) -> None:
    """If not, a row was lost silently."""
    with sqlite3.connect(demo / "data" / "ledger.sqlite") as con:
        odd = con.execute(
            "select count(*) from delivery where status = 'accepted' and "
            "rows_in <> rows_accepted + rows_quarantined + rows_not_applicable"
        ).fetchone()
    assert odd == (0,)


def test_a_second_run_makes_no_release_and_says_so(demo_copy: Path, run_cli: Cli) -> None:
    """If not, releases multiply without a change."""
    before = _current(demo_copy)
    done = run_cli("run", "--dir", str(demo_copy))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing new" in done.stdout
    assert _current(demo_copy) == before


def test_one_new_file_gives_one_release_and_reads_one_delivery(demo_copy: Path, run_cli: Cli) -> None:
    """If not, a night costs more than what changed."""
    landing = demo_copy / "data" / "landing"
    night = sorted((demo_copy / "nights" / "02").rglob("*"))
    file = next(item for item in night if item.is_file())
    target = landing / file.relative_to(demo_copy / "nights" / "02")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.read_bytes())
    before = len(
        [p for p in (demo_copy / "data" / "releases").iterdir() if p.is_dir() and not p.is_symlink()]
    )
    first = set((demo_copy / "data" / "lake").rglob("*.parquet"))
    done = run_cli("run", "--dir", str(demo_copy))
    assert done.returncode == 0, done.stdout + done.stderr
    after = len([p for p in (demo_copy / "data" / "releases").iterdir() if p.is_dir() and not p.is_symlink()])
    assert after == before + 1
    partner = target.relative_to(landing).parts[0]
    new = set((demo_copy / "data" / "lake").rglob("*.parquet")) - first
    assert {
        path.relative_to(demo_copy / "data" / "lake").parts[1]
        for path in new
        if "_crosswalk" not in path.parts
    } == {partner}
