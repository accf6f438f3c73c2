"""`throughline explain`: the way back from a published figure, on the sample community."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

Cli = Callable[..., subprocess.CompletedProcess[str]]
KEYS = ("indicator_id", "cohort_year", "geography_id", "organization_key", "race_scheme", "race_group", "gender_group", "economic_group")  # fmt: skip
OPTIONS = ("--year", "--geography", "--organization", "--scheme", "--race", "--gender", "--economic")


def _row(demo: Path, condition: str) -> tuple[Any, ...]:
    file = demo / "data" / "releases" / "current" / "tables" / "pub_indicator_rate_v1.parquet"
    with duckdb.connect() as con:
        row = con.execute(
            f"select {', '.join(KEYS)}, denominator_n, numerator_n from '{file}' where {condition} "
            "order by hash(indicator_id || cohort_year || organization_key || race_group || gender_group) limit 1"
        ).fetchone()
    assert row is not None, condition
    return row


def _explain(run_cli: Cli, demo: Path, row: tuple[Any, ...], *more: str) -> dict[str, Any]:
    options = [str(part) for pair in zip(OPTIONS, row[1:8], strict=True) for part in pair]
    done = run_cli("explain", row[0], *options, "--dir", str(demo), "--json", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    "condition",
    [
        "not is_suppressed and excluded_n > 0 and race_group = 'all' and organization_key = 'all'",
        "not is_suppressed and race_group not in ('all', 'unknown') and gender_group <> 'all' and organization_key = 'all'",
        "not is_suppressed and organization_key <> 'all' and economic_group <> 'all'",
        "not is_suppressed and geography_id like 'zip:%'",
        "not is_suppressed and race_scheme = 'alone_or_in_combination' and race_group <> 'all'",
    ],
)
def test_people_counted_back_are_the_published_figure(demo: Path, run_cli: Cli, condition: str) -> None:
    """If not, the explanation tells of other people than the figure."""
    row = _row(demo, condition)
    told = _explain(run_cli, demo, row)
    assert told["working_tables_agree"] and not told["is_withheld"]
    assert sum(partner["met_n"] for partner in told["partners"]) == row[9]
    assert sum(partner["met_n"] + partner["not_met_n"] for partner in told["partners"]) == row[8]
    assert told["definition"]["version"] and told["models"]["model"] == f"ind_{row[0]}"
    by_status = {item["status"]: item["people_n"] for item in told["people"]}
    left_out = sum(item["people_n"] for item in told["exclusions"])
    assert left_out == by_status.get("excluded", 0) + by_status.get("not_measured", 0)
    assert 0 <= told["linkage"]["linked_share"] <= 1


def test_a_delivery_leads_to_its_file_and_receipt(demo: Path, run_cli: Cli) -> None:
    """If not, nobody can ask the partner about the row that decided."""
    told = _explain(run_cli, demo, _row(demo, "not is_suppressed and indicator_id = 'early_grade_reading'"))
    deliveries = told["deliveries"]
    assert {"k12_assessment", "k12_enrollment"} <= {item["feed_id"] for item in deliveries}
    ledger = {
        d["delivery_id"] for d in json.loads(run_cli("delivery", "list", "--dir", str(demo), "--json").stdout)
    }
    for item in deliveries:
        assert item["delivery_id"] in ledger and 0 < item["people_n"] <= item["rows_n"]
        assert (demo / "data" / item["receipt"]).is_file()
    manifest = json.loads((demo / "data" / "releases" / "current" / "manifest.json").read_text())
    released = {d["delivery_id"]: d["sha256"] for d in manifest["deliveries"]}
    assert {d["delivery_id"]: d["sha256"] for d in deliveries}.items() <= released.items()


def test_a_withheld_figure_tells_numbers_to_staff_alone(demo: Path, run_cli: Cli) -> None:
    """If not, the way back undoes the protection, or staff cannot learn why a figure is blank."""
    row = _row(demo, "is_suppressed and race_group <> 'all'")
    told = _explain(run_cli, demo, row)
    assert told["is_withheld"] and "people" not in told and told["suppression"]["reasons"] is None
    assert not [
        value for name, value in told["published"].items() if name.endswith("_n") and value is not None
    ]
    restricted = _explain(run_cli, demo, row, "--restricted")
    assert restricted["suppression"]["reasons"] and restricted["people"]


def test_a_wrong_name_lists_what_there_is(demo: Path, run_cli: Cli) -> None:
    """If not, one has to guess keys."""
    for given, named in (
        (("nope",), "early_grade_reading"),
        (("early_grade_reading", "--race", "hispanic"), "hispanic_or_latino"),
        (("early_grade_reading", "--year", "1901"), "2024"),
        (("early_grade_reading", "--organization", "x"), "--organization"),
    ):
        done = run_cli("explain", *given, "--dir", str(demo))
        assert done.returncode == 1 and named in done.stderr and "Traceback" not in done.stderr


def test_the_terminal_tells_the_same(demo: Path, run_cli: Cli) -> None:
    """If not, staff need a script to read it."""
    done = run_cli("explain", "early_grade_reading", "--dir", str(demo))
    assert done.returncode == 0
    for part in (
        "Definition, version",
        "By partner",
        "By delivery",
        "Linkage:",
        "not protected for publication",
    ):
        assert part in done.stdout
