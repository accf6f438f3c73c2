"""MetricFlow answers from a release what the published tables say, row for row, and never more."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.release import conftest as release_tests

pytestmark = pytest.mark.xdist_group("semantic")
ROOT = Path(__file__).parents[2]
ASK = Path(__file__).with_name("ask_semantic.py")

RATES = {
    "indicator_rate": "rate",
    "indicator_rate_low": "rate_low",
    "indicator_rate_high": "rate_high",
    "indicator_numerator": "numerator_n",
    "indicator_denominator": "denominator_n",
    "indicator_eligible": "eligible_n",
    "indicator_coverage": "coverage_rate",
    "indicator_enough_data": "is_enough_data",
    "indicator_withheld": "is_suppressed",
}
GAPS = {
    "disparity_gap": "gap",
    "disparity_gap_low": "gap_low",
    "disparity_gap_high": "gap_high",
    "disparity_reference": "reference_value",
    "disparity_reference_rate": "reference_rate",
    "disparity_people_needed": "people_needed_n",
    "disparity_gap_withheld": "is_suppressed",
}
# Groups of other schemes carry the scheme's name.
RACE, GROUP = (
    f"case when race_scheme = 'federal7' then {column} else race_scheme || ': ' || {column} end"
    for column in ("race_group", "group_value")
)
# Name to group by: column, and the value at which it stands where it is not named.
RATE_NAMES = {
    "indicator": ("indicator_id", None),
    "rate__cohort_year": ("cohort_year", None),
    "geography": ("geography_id", "riverbend"),
    "organization": ("organization_key", "all"),
    "rate__race_scheme": ("race_scheme", None),
    "rate__race_group": (RACE, "all"),
    "rate__gender_group": ("gender_group", "all"),
    "rate__economic_group": ("economic_group", "all"),
}
GAP_NAMES = {
    "indicator": ("indicator_id", None),
    "gap__cohort_year": ("cohort_year", None),
    "geography": ("geography_id", "riverbend"),
    "organization": ("organization_key", "all"),
    "gap__race_scheme": ("race_scheme", None),
    "gap__dimension": ("dimension", None),
    "gap__group_value": (GROUP, None),
}
YEARLY = ["indicator", "rate__cohort_year"]
FEDERAL = "{{ Dimension('rate__race_scheme') }} = 'federal7'"
GROUPINGS = {
    "totals": YEARLY,
    "by_race": [*YEARLY, "rate__race_group"],
    "by_gender": [*YEARLY, "rate__gender_group"],
    "by_economic_status": [*YEARLY, "rate__economic_group"],
    "by_organization": [*YEARLY, "organization"],
    "by_geography": [*YEARLY, "geography"],
    "by_gender_and_organization": [*YEARLY, "rate__gender_group", "organization"],
    "by_everything": list(RATE_NAMES),
}
GAP_GROUPINGS = {
    "gaps": [name for name in GAP_NAMES if name not in ("geography", "organization", "gap__race_scheme")],
    "gaps_by_everything": list(GAP_NAMES),
}
EVERY_RACE = "{{ Dimension('rate__race_group') }} <> 'all'"
QUESTIONS: dict[str, dict[str, Any]] = {
    **{name: {"metrics": list(RATES), "group_by": by} for name, by in GROUPINGS.items()},
    **{name: {"metrics": list(GAPS), "group_by": by} for name, by in GAP_GROUPINGS.items()},
    "several_races": {"metrics": list(RATES), "group_by": YEARLY, "where": [FEDERAL, EVERY_RACE]},
    "two_genders": {
        "metrics": list(RATES),
        "group_by": YEARLY,
        "where": ["{{ Dimension('rate__gender_group') }} in ('female', 'male')"],
    },
    "several_years": {"metrics": list(RATES), "group_by": ["indicator", "rate__race_group"]},
    "nothing_named": {"metrics": list(GAPS)},
    "titles": {
        "metrics": ["indicator_rate"],
        "group_by": ["indicator__title", "organization__name", "metric_time__year"],
        "where": [
            "{{ Entity('organization') }} = 'north:oak'",
            "{{ Dimension('rate__cohort_year') }} = 2024",
        ],
    },
    "unknown": {"metrics": ["indicator_mean"], "group_by": YEARLY},
    "unreadable": {"metrics": ["indicator_rate"], "group_by": YEARLY, "where": ["{{ oops"]},
    "no_column": {"metrics": ["indicator_rate"], "group_by": YEARLY, "where": ["nothing = 3"]},
}
SAVED = {
    "headline_rates": YEARLY,
    "rates_by_race": [*YEARLY, "rate__race_group"],
    "rates_by_gender": GROUPINGS["by_gender"],
    "rates_by_economic_status": GROUPINGS["by_economic_status"],
    "rates_by_organization": GROUPINGS["by_organization"],
    "gaps_by_group": GAP_GROUPINGS["gaps"],
}
QUESTIONS |= {name: {"saved": name} for name in SAVED}


def _widen(database: Path) -> None:
    """Few indicators and years, but also two zip codes and a second race scheme, with groups of the same names."""
    with duckdb.connect(str(database)) as con:
        for (table,) in con.execute(
            "select table_name from information_schema.columns where table_schema = 'marts' and column_name = 'indicator_id'"
        ).fetchall():
            con.execute(
                f"delete from marts.{table} where indicator_id not in ('early_grade_reading', 'chronic_absence')"
            )
        for table in ("mart_indicator_rate", "mart_disparity_gap"):
            con.execute(f"delete from marts.{table} where cohort_year not in (2019, 2023, 2024)")
            for place, district in (("zip:45201", "north:d1"), ("zip:45202", "south:d2")):
                con.execute(
                    f"insert into marts.{table} select * replace ('{place}' as geography_id, 'all' as organization_key) "
                    f"from marts.{table} where organization_key = '{district}'"
                )
            con.execute(
                f"insert into marts.{table} select * replace ('spd15_2024' as race_scheme, "
                f"case race_group when 'unknown' then 'asian' else race_group end as race_group) from marts.{table} "
                "where organization_key = 'all' and geography_id = 'riverbend' and race_group <> 'all'"
            )
        con.execute(
            "update marts.mart_disparity_gap set group_value = race_group where race_scheme = 'spd15_2024'"
        )
        con.execute(
            "insert into core.dim_geography values ('zip:45201', '45201', 'zip', true), ('zip:45202', '45202', 'zip', true)"
        )


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small release."""
    synthetic = release_tests.load_synthetic()
    community = synthetic.make_community(tmp_path_factory.mktemp("semantic"))
    synthetic.make_marts(community.paths.warehouse)
    _widen(community.paths.warehouse)
    folder: Path = synthetic.build(community).path
    return folder


@pytest.fixture(scope="module")
def told(release: Path) -> dict[str, Any]:
    """What the semantic layer says to all questions, asked of a release that nobody may write."""
    database = release / "throughline.duckdb"
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    done = subprocess.run(
        [sys.executable, str(ASK)],
        input=json.dumps({"release": str(release), "questions": QUESTIONS}),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def published(release: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(release / "throughline.duckdb"), read_only=True)


def _rows(answer: dict[str, Any], columns: list[str]) -> list[tuple[Any, ...]]:
    assert "error" not in answer, answer["error"]
    at = [answer["columns"].index(column) for column in columns]
    return sorted((tuple(row[i] for i in at) for row in answer["rows"]), key=repr)


def _with_figures(rows: list[tuple[Any, ...]], by: list[str]) -> list[tuple[Any, ...]]:
    """Of these rows those of which anything is told: a group that other places alone have has no figure here."""
    return [row for row in rows if set(row[len(by) :]) != {None}]


def _expected(
    con: duckdb.DuckDBPyConnection, table: str, names: dict[str, Any], by: list[str], figures: list[str]
) -> list[tuple[Any, ...]]:
    """The published rows with these names, all other dimensions at their totals."""
    fixed = [f"{column} = '{total}'" for name, (column, total) in names.items() if name not in by and total]
    columns = [names[name][0] for name in by] + figures
    rows = con.execute(
        f"select {', '.join(columns)} from {table} where {' and '.join(fixed) or 'true'}"
    ).fetchall()
    return sorted(rows, key=repr)


@pytest.mark.parametrize("name", GROUPINGS)
def test_a_rate_is_the_published_one(
    told: dict[str, Any], published: duckdb.DuckDBPyConnection, name: str
) -> None:
    """If not, two tools show two figures, or a withheld one is shown, or one that nobody published."""
    by = GROUPINGS[name]
    expected = _expected(published, "pub_indicator_rate_v1", RATE_NAMES, by, list(RATES.values()))
    if name == "by_race":
        assert {"white", "spd15_2024: white", "spd15_2024: asian"} < {row[2] for row in expected}
    assert len(expected) >= 6
    assert _rows(told["answers"][name], [*by, *RATES]) == expected


@pytest.mark.parametrize("name", GAP_GROUPINGS)
def test_a_gap_is_the_published_one(
    told: dict[str, Any], published: duckdb.DuckDBPyConnection, name: str
) -> None:
    """If not, two tools show two gaps, or a withheld one is shown."""
    by = GAP_GROUPINGS[name]
    expected = _expected(published, "pub_disparity_gap_v1", GAP_NAMES, by, list(GAPS.values()))
    assert {"white", "spd15_2024: white", "spd15_2024: asian"} < {
        row[by.index("gap__group_value")] for row in expected
    }
    assert _with_figures(_rows(told["answers"][name], [*by, *GAPS]), by) == expected


@pytest.mark.parametrize("name", ["by_race", "by_everything", "gaps_by_everything"])
def test_what_is_withheld_stays_withheld(told: dict[str, Any], name: str) -> None:
    """If not, the semantic layer tells of a person whom the release protects."""
    rate = name != "gaps_by_everything"
    mark, figures = ("indicator_withheld", RATES) if rate else ("disparity_gap_withheld", GAPS)
    counted = [figure for figure in figures if figure not in (mark, "disparity_reference")]
    rows = _rows(told["answers"][name], [mark, counted[0], *counted])
    withheld = [row for row in rows if row[0] is True]
    assert withheld and len(withheld) < len(rows)
    assert all(row[1] is None for row in withheld)
    assert not rate or all(set(row[1:]) == {None} for row in withheld)


@pytest.mark.parametrize("name", ["several_races", "two_genders", "several_years", "nothing_named"])
def test_several_rows_are_never_added_up_or_averaged(told: dict[str, Any], name: str) -> None:
    """If not, a rate is averaged over groups, people are counted twice, or a sum tells what a hidden part is not."""
    figures = GAPS if name == "nothing_named" else RATES
    rows = _rows(told["answers"][name], list(figures))
    assert rows and all(set(row) == {None} for row in rows)


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_query_gives_published_rows(
    told: dict[str, Any], published: duckdb.DuckDBPyConnection, name: str
) -> None:
    """If not, the shortest way to the figures leads to others."""
    of_gaps = name == "gaps_by_group"
    names, table, figures = (
        (GAP_NAMES, "pub_disparity_gap_v1", GAPS) if of_gaps else (RATE_NAMES, "pub_indicator_rate_v1", RATES)
    )
    names = {**names, f"{'gap' if of_gaps else 'rate'}__race_scheme": ("race_scheme", "federal7")}
    asked = [column for column in told["answers"][name]["columns"] if column in figures]
    expected = _expected(published, table, names, SAVED[name], [figures[metric] for metric in asked])
    assert len(asked) == 5 and set(told["saved"]) == set(SAVED)
    by = SAVED[name]
    assert _with_figures(_rows(told["answers"][name], [*by, *asked]), by) == _with_figures(expected, by)


def test_names_and_years_come_with_the_figure(
    told: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    """If not, a dashboard shows keys, or joins a name to another's figure."""
    rows = _rows(told["answers"]["titles"], ["indicator__title", "organization__name", "indicator_rate"])
    expected = published.execute(
        "select title, organization_name, rate from pub_indicator_rate_v1 join pub_indicator_v1 using (indicator_id) "
        "join pub_organization_v1 using (organization_key) where organization_key = 'north:oak' and cohort_year = 2024 "
        "and geography_id = 'riverbend' and race_group = 'all' and gender_group = 'all' and economic_group = 'all'"
    ).fetchall()
    assert rows == sorted(expected) and len(rows) == 2
    (year,) = {row[0] for row in _rows(told["answers"]["titles"], ["metric_time__year"])}
    assert str(year).startswith("2024-01-01")


def test_a_wrong_question_is_told_in_words(told: dict[str, Any]) -> None:
    """If not, an analyst who mistypes a name sees a stack of Python."""
    answers = told["answers"]
    assert "indicator_rate" in answers["unknown"]["error"]
    assert "{{ oops" in answers["unreadable"]["error"]
    assert "nothing" in answers["no_column"]["error"]
    assert not any("Traceback" in answers[name].get("error", "") for name in QUESTIONS)


def test_only_one_row_s_figures_can_be_defined(told: dict[str, Any]) -> None:
    """If not, somebody adds a metric that sums published cells, withheld parts left out."""
    manifest = json.loads((ROOT / "dbt_project/semantic/target/semantic_manifest.json").read_text())
    measures = [measure for model in manifest["semantic_models"] for measure in model["measures"]]
    assert {measure["agg"] for measure in measures} == {"max", "min"}
    orders = {
        measure["name"]: re.findall(r"totals := (.+), key := (row\(.+?\))", measure["expr"])[0]
        for measure in measures
    }
    # `all` sorts before the groups, so no answer would show that the two orders of a table have drifted apart.
    for table in ("rate", "gap"):
        totals, key = orders[f"{table}_cell"]
        assert orders[f"{table}_rival"] == (f"-({totals})", key)
    assert {metric["type"] for metric in manifest["metrics"]} == {"simple", "derived"}
    derived = [metric for metric in manifest["metrics"] if metric["type"] == "derived"]
    assert all("_cell).key = (" in metric["type_params"]["expr"] for metric in derived)
    assert set(told["metrics"]) == {metric["name"] for metric in derived} == set(RATES) | set(GAPS)
    assert all(len(about.split()) >= 2 for about in told["metrics"].values())


def test_the_command_prints_what_the_layer_says(release: Path, told: dict[str, Any]) -> None:
    """If not, the guide for analysts leads to nothing."""
    throughline = Path(sys.executable).with_name("throughline")
    question = [
        "--metrics",
        "indicator_rate",
        "--group-by",
        "rate__cohort_year",
        "--order",
        "rate__cohort_year",
    ]
    where = ["--where", "{{ Entity('indicator') }} = 'chronic_absence'"]
    done = subprocess.run(
        [str(throughline), "metrics", *question, *where, "--csv", "--dir", str(release.parents[2])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = _rows(told["answers"]["totals"], [*YEARLY, "indicator_rate"])
    lines = [f"{year},{rate}" for name, year, rate in expected if name == "chronic_absence"]
    assert done.stdout.split() == ["rate__cohort_year,indicator_rate", *sorted(lines)] and len(lines) == 3
