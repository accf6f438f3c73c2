"""Neither that a row is published nor that it is not tells what a withheld cell holds, nor does any figure in it.

The marts' own models compute the tables of two true stories that differ in withheld cells alone and add up to the same
totals. What is published of both must be the same, and is not where a rule that sees to it is taken out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import jinja2
import numpy as np
import pytest

from tests.warehouse.release.stories import (
    EVERYBODY,
    PLACE,
    POLICY,
    TABLES,
    cell,
    hold_withheld,
    published,
    without,
)
from warehouse.release.follow import apply_protection
from warehouse.release.spec import RATE, SUPPRESSED, PublishedTable

_DBT = Path(__file__).parents[3] / "dbt_project"
_YEARS, _RACES = (2021, 2022, 2023, 2024), ("asian", "black", "white")
_TABLES = ("pub_indicator_v1", RATE, "pub_indicator_trend_v1", "pub_disparity_gap_v1", "pub_disparity_dimension_v1",
           "pub_gap_trend_v1")  # fmt: skip
Counts = dict[
    tuple[int, str], tuple[int, int]
]  # people measured, and how many of them met it, by year and race


def _rendered(text: str) -> str:
    """SQL as dbt renders it, each source and model in the schema of its kind."""
    macros = "".join(
        file.read_text("utf-8") for file in sorted((_DBT / "macros" / "statistics").glob("*.sql"))
    )
    template = jinja2.Environment(autoescape=False).from_string(macros + text)  # noqa: S701 - makes SQL, no page
    return template.render(ref=lambda name: f"marts.{name}", source=lambda schema, name: f"{schema}.{name}")


_MARTS = {
    name: _rendered((_DBT / "models" / "marts" / f"{name}.sql").read_text("utf-8"))
    for name in ("mart_disparity_gap", "mart_indicator_trend", "mart_disparity_dimension", "mart_gap_trend")
}
_RATES = _rendered(
    """
    create table marts.mart_indicator_rate as
    with summed as (
        select cohort_year, coalesce(race_group, 'all') as race_group, sum(denominator_n)::bigint as denominator_n,
            sum(numerator_n)::bigint as numerator_n
        from given group by cohort_year, cube (race_group)
    )
    select 'i' as indicator_id, 'here' as geography_id, 'all' as organization_key, 'federal7' as race_scheme,
        'all' as gender_group, 'all' as economic_group, *, 100 as eligible_n, true as is_enough_data,
        numerator_n / nullif(denominator_n, 0) as rate, {{ wilson_lower('numerator_n', 'denominator_n') }} as rate_low,
        {{ wilson_upper('numerator_n', 'denominator_n') }} as rate_high
    from summed
    """
)


def _make_marts(con: duckdb.DuckDBPyConnection, counts: Counts, reference: str) -> None:
    con.execute(
        f"""
        create schema marts; create schema config; create schema core;
        create table config.community as select 10 as minimum_n, 0.03 as practical_margin, 'here' as geography_id,
            '{reference}' as race_reference, 'best' as gender_reference, 'best' as economic_reference;
        create table config.indicator_choice (indicator_id varchar, baseline_year bigint);
        create table marts.indicator as select 'i' as indicator_id, 'higher' as direction;
        create table core.dim_indicator as from marts.indicator;
        create table marts.fct_indicator_incomparable_year
            (indicator_id varchar, organization_key varchar, cohort_year bigint, later_year bigint);
        create table given (cohort_year bigint, race_group varchar, denominator_n bigint, numerator_n bigint)
        """
    )
    con.executemany(
        "insert into given values (?, ?, ?, ?)", [[*key, *value] for key, value in counts.items()]
    )
    con.execute(_RATES)
    for name, sql in _MARTS.items():
        con.execute(f"create table marts.{name} as {sql}")


def _told(
    counts: Counts, dark: set[tuple[int, str]], reference: str, faulty: PublishedTable | None = None
) -> dict[str, Any]:
    """What is published, by table; `faulty` stands for the table of its name."""
    found = {}
    with duckdb.connect() as con:
        _make_marts(con, counts, reference)
        hold_withheld(con, [cell(*key) for key in sorted(dark)])
        for name in _TABLES:
            table = faulty if faulty is not None and faulty.name == name else TABLES[name]
            held = {row[0] for row in con.execute(f"describe {table.source}").fetchall()}
            columns = [f"{n if n in held else 'null'}::{c.type} as {n}" for n, c in table.columns.items()]
            con.execute(f"create table raw_{name} as select {', '.join(columns)} from {table.source}")
            apply_protection(con, table, f"raw_{name}", POLICY)
            rows = con.execute(f"select * from {name}").fetchall()
            found[name] = sorted(
                (tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in rows), key=repr
            )
    return found


def _stories(seed: int) -> tuple[Counts, Counts, set[tuple[int, str]]]:
    """Two stories, and the cells that are withheld of both: pairs of groups that share fewer than thirty people.

    So none of them is the best one, or the community would be told who is.
    """
    rng = np.random.default_rng(seed)
    one: Counts = {
        (year, race): (n, int(rng.integers(3, n - 2)))
        for year in _YEARS for race in _RACES for n in [int(rng.integers(30, 60))]
    }  # fmt: skip
    other, dark = dict(one), set()
    always = rng.random() < 0.5
    for year in _YEARS:
        if not always and rng.random() < 0.5:
            continue
        pair = ("asian", "black") if always else tuple(rng.choice(_RACES, 2, replace=False))
        n = int(rng.integers(2, 29))
        met = int(rng.integers(0, n + 1))
        for story in (one, other):
            # Whoever is compared with must be measured in the latest year.
            own = int(rng.integers(0, n + 1)) if year < max(_YEARS) or always else int(rng.integers(1, n))
            mine = int(rng.integers(max(0, met - n + own), min(own, met) + 1))
            story[year, str(pair[0])], story[year, str(pair[1])] = (own, mine), (n - own, met - mine)
        dark |= {(year, str(race)) for race in pair}
    return one, other, dark


def _narrowed(name: str, at: int, *columns: str) -> PublishedTable:
    """The published table as if some columns did not depend on what its dependency at a place says."""
    depends = list(TABLES[name].depends)
    depends[at] = depends[at].model_copy(
        update={"columns": [column for column in depends[at].columns if column not in columns]}
    )
    return without(name, depends=depends)


def _unjudged(name: str) -> PublishedTable:
    corrected = TABLES[name].corrected
    assert corrected is not None
    return without(name, corrected=corrected.model_copy(update={"judged": {}}))


@pytest.mark.parametrize("reference", ["best", "all_others", "whole"])
@pytest.mark.parametrize("seed", range(5))
def test_two_stories_that_differ_in_withheld_cells_alone_are_told_alike(seed: int, reference: str) -> None:
    """If not, somebody who tries all stories is left with one, and reads the withheld counts in it."""
    one, other, dark = _stories(seed)
    assert _told(one, dark, reference) == _told(other, dark, reference)


_FAULTS = {
    "nobody was measured": (1, "all_others", without("pub_disparity_gap_v1", absent="")),
    "all others": (0, "all_others", _narrowed("pub_disparity_gap_v1", 0, "reference_n", "reference_rate")),
    "people needed": (0, "best", _narrowed("pub_disparity_gap_v1", 0, "people_needed_n")),
    "proportionality": (1, "best", _narrowed("pub_disparity_gap_v1", 0, "proportionality_index")),
    "margin": (1, "best", _narrowed("pub_disparity_gap_v1", 0, "ppg_margin")),
    "large enough": (0, "best", _narrowed("pub_disparity_gap_v1", 0, "is_large_enough")),
    "interval": (0, "best", _narrowed("pub_disparity_gap_v1", 0, "gap_low", "gap_high")),
    "a dimension of it": (0, "best", without("pub_disparity_dimension_v1", depends=[])),
    "never large enough": (1, "best", without("pub_gap_trend_v1", absent="")),
    "a year compared with a withheld one": (1, "best", _narrowed("pub_gap_trend_v1", 0, "baseline_year")),
    "a verdict by all p-values": (14, "best", _unjudged("pub_indicator_trend_v1")),
}  # fmt: skip


@pytest.mark.parametrize("fault", _FAULTS)
def test_without_any_one_rule_they_are_not(fault: str) -> None:
    """If they are, the rule protects nobody, or the stories could not tell."""
    seed, reference, faulty = _FAULTS[fault]
    one, other, dark = _stories(seed)
    before, after = (_told(story, dark, reference, faulty)[faulty.name] for story in (one, other))
    assert before != after
    kept = faulty.name
    assert _told(one, dark, reference)[kept] == _told(other, dark, reference)[kept]


# --- The rest by hand: rows that are there in one story and not in the other, and verdicts that a withheld row turns.

_GAP = {**PLACE, "dimension": "race", "group_value": "asian"}
_OUTCOMES = {"pub_gateway_outcome_v1": [{"outcome_id": "o", "indicator_id": "i"}]}
_BLACK = {
    **_GAP,
    "group_value": "black",
    "reference_value": "white",
    "baseline_year": 2022,
    "latest_year": 2024,
}
_ROWS = {
    "pub_disparity_dimension_v1": (
        {**PLACE, "cohort_year": 2024, "dimension": "race", "group_n": 2},
        {"pub_disparity_gap_v1": [{**_GAP, "cohort_year": 2024, SUPPRESSED: True}]}),
    "pub_indicator_trend_v1": (
        {**PLACE, **EVERYBODY, "race_group": "asian", "direction": "higher", "latest_year": 2024, "latest_rate": 0.5},
        {"pub_indicator_v1": [{"indicator_id": "i", "direction": "higher"}]}),
    "pub_gateway_gap_v1": (
        {"outcome_id": "o", "indicator_id": "i", "dimension": "race", "group_value": "asian", "gap_unit": "i|race|asian",
         "verdict": "widened"},
        {"pub_gap_trend_v1": [{**_GAP, SUPPRESSED: True}], **_OUTCOMES}),
}  # fmt: skip


@pytest.mark.parametrize("name", _ROWS)
def test_a_row_that_is_not_there_does_not_tell_why(name: str) -> None:
    """If it does, one who finds no row knows that too few of a withheld group were measured, and by the total the others."""
    row, others = _ROWS[name]
    beside = {"group_value": "black", "gap_unit": "i|race|black"} if name == "pub_gateway_gap_v1" else None
    kept = [{**row, **beside}] if beside else []
    dark = [cell(2024)]
    there, away = (published(TABLES[name], [*rows, *kept], dark, others) for rows in ([row], []))
    assert there == away and there
    faulty = without(name, absent="")
    assert published(faulty, [row, *kept], dark, others) != published(faulty, kept, dark, others)


_SURE = {"change": -0.1, "change_low": -0.19, "change_high": -0.01, "p_value": 0.03}


def test_a_verdict_does_not_tell_how_sure_a_withheld_change_is() -> None:
    """If it does, whoever counts five people before and after knows that none of them, or all, must have changed."""
    name = "pub_gap_trend_v1"
    hidden = {**_GAP, "reference_value": "white", "baseline_year": 2022, "latest_year": 2024}
    stories = [
        [
            {**_BLACK, **_SURE, "q_value": q, "verdict": verdict},
            {**hidden, "p_value": p, "q_value": max(p, q)},
        ]
        for p, q, verdict in ((0.04, 0.04, "reduced"), (0.4, 0.06, "not_enough_evidence"))
    ]
    one, other = (published(TABLES[name], rows, [cell(2024)]) for rows in stories)
    assert one == other
    first, second = (published(_unjudged(name), rows, [cell(2024)]) for rows in stories)
    assert first != second
    surer = [{**_BLACK, **_SURE, "p_value": 0.01, "q_value": 0.01, "verdict": "reduced"}, hidden]
    assert any("reduced" in row for row in published(TABLES[name], surer, [cell(2024)]))


def test_the_last_step_does_not_tell_how_sure_a_withheld_step_is() -> None:
    """If it does, the same is told of the last year: its corrected p-values are not published, but stand behind it."""
    name = "pub_indicator_trend_v1"
    keys = {
        **PLACE,
        **EVERYBODY,
        "direction": "higher",
        "baseline_year": 2022,
        "previous_year": 2023,
        "latest_year": 2024,
    }
    step = {"change_vs_previous": -0.1, "change_vs_previous_low": -0.19, "change_vs_previous_high": -0.01}
    hidden = {**keys, "race_group": "asian"}
    stories = [
        [{**keys, **step, "race_group": "black", "verdict_vs_previous": verdict}, hidden]
        for verdict in ("declined", "not_enough_evidence")
    ]
    one, other = (published(TABLES[name], rows, [cell(2024)]) for rows in stories)
    assert one == other
    first, second = (published(without(name, jointly=[]), rows, [cell(2024)]) for rows in stories)
    assert first != second
    assert any("declined" in row for row in published(TABLES[name], stories[0], []))


def test_the_latest_gap_does_not_name_a_withheld_best_group() -> None:
    """If it does, its own rate and the gap give the rate of the best one of the first year, and so its name."""
    rows = [
        [{**_BLACK, "reference_value": best, "latest_gap": gap}]
        for best, gap in (("asian", 0.1), ("white", 0.2))
    ]
    dark = [cell(2022, "asian"), cell(2022, "white")]
    one, other = (published(TABLES["pub_gap_trend_v1"], story, dark) for story in rows)
    assert one == other
    faulty = _narrowed("pub_gap_trend_v1", 1, "latest_gap")
    first, second = (published(faulty, story, dark) for story in rows)
    assert first != second
