"""Published numbers that are made of cells, and are none themselves, are the same whatever a withheld cell holds.

Each test tells two true stories that differ in a withheld row alone: what is published must be the same in both. With the
rule that sees to it taken out, it is not, so the comparison can fail.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.warehouse.release.stories import EVERYBODY, PLACE, TABLES, cell, published, without
from warehouse.release.spec import SUPPRESSED, PublishedTable


def _own_years(table: PublishedTable) -> PublishedTable:
    """The published table as if only the years that are compared told of themselves."""
    year = {"baseline_year": "baseline", "previous_year": "previous", "latest_year": "latest"}
    kept = []
    for dependency in table.depends:
        mine = next((name for name, word in year.items() if f"{word}_" in dependency.where), "latest_year")
        columns = [name for name in dependency.columns if not name.endswith("_year")]
        cell = {key: mine if value == "*" else value for key, value in dependency.cell.items()}
        kept.append(dependency.model_copy(update={"where": "", "cell": cell, "columns": columns}))
    return table.model_copy(update={"depends": kept})


# --- Corrected p-values: the least of several may be a withheld row's.


def _p(x1: int, n1: int, x0: int, n0: int) -> float:
    pooled = (x1 + x0) / (n1 + n0)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
    return math.erfc(abs(x1 / n1 - x0 / n0) / error / math.sqrt(2)) if error else 1.0


def _family(x1: int, n1: int) -> list[dict[str, Any]]:
    """Two groups, the second withheld in its latest year with `x1` of `n1`; corrected as the mart does."""
    p = {"white": 0.05, "asian": _p(x1, n1, 20, 40)}
    order = sorted(p, key=lambda name: p[name])
    q = {
        name: min(p[other] * 2 / (order.index(other) + 1) for other in order[order.index(name) :])
        for name in order
    }
    return [
        {**PLACE, **EVERYBODY, "race_group": race, "baseline_year": 2020, "latest_year": 2024, "p_value": p[race],
         "q_value": min(1.0, q[race]), "verdict_vs_baseline": "maintained"}
        for race in p
    ]  # fmt: skip


def _q_values(table: PublishedTable, x1: int, n1: int) -> dict[str, float | None]:
    names = [*table.columns]
    rows = published(table, _family(x1, n1), [cell(2024)])
    return {row[names.index("race_group")]: row[names.index("q_value")] for row in rows}


def test_a_corrected_p_value_does_not_tell_another_rows() -> None:
    """If it does, whoever tries all counts finds how many were measured to the person, and two ways they fared."""
    bare = without("pub_indicator_trend_v1", corrected=None)
    told = _q_values(bare, 13, 41)["white"]
    fits = [
        (x, n) for n in range(30, 60) for x in range(n + 1) if _family(x, n)[0]["q_value"] == pytest.approx(told, rel=1e-12)
    ]  # fmt: skip
    assert fits == [(13, 41), (28, 41)]
    shown = {
        tuple(_q_values(TABLES["pub_indicator_trend_v1"], x, n).items())
        for x, n in ((13, 41), (2, 12), (30, 60))
    }
    assert shown == {(("asian", None), ("white", 0.1))}


def test_the_most_that_a_corrected_p_value_can_be_is_what_the_others_make_it_at_most() -> None:
    """If not, a change is called certain, or uncertain, on a number that nobody computed."""
    table = TABLES["pub_gap_trend_v1"]
    given = [0.001, 0.012, 0.04, 0.2, None]
    rows = [
        {**PLACE, "dimension": "race", "group_value": f"g{at}", "reference_value": "white", "baseline_year": 2020,
         "latest_year": 2024, "p_value": p, "q_value": p}
        for at, p in enumerate(given)
    ]  # fmt: skip
    place = [*table.columns].index("q_value")
    found = [row[place] for row in published(table, rows, [cell(2024, "g2")])]
    worst = [0.001, 0.012, 1.0, 0.2]
    wanted = [min([1.0, *(q * 4 / (sum(o < q for o in worst) + 1) for q in worst if q >= p)]) for p in worst]
    assert found == [pytest.approx(wanted[0]), pytest.approx(wanted[1]), None, pytest.approx(wanted[3]), None]


# --- Which years are compared tells of the years that are not.


def _compared(enough: Sequence[int], row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a series that has enough data in these years."""
    latest, earlier = max(enough), [year for year in enough if year < max(enough)]
    return {**row, "baseline_year": min(earlier, default=None), "latest_year": latest}


@pytest.mark.parametrize("name", ["pub_indicator_trend_v1", "pub_gap_trend_v1"])
@pytest.mark.parametrize("dark", [2019, 2021, 2023, 2024])
def test_the_years_that_are_compared_do_not_tell_which_withheld_year_had_enough(name: str, dark: int) -> None:
    """If they do, a small group is known to be below the minimum in the very year that is withheld for it."""
    table, shown = TABLES[name], [2020, 2022]
    keys = {**PLACE, **EVERYBODY, "race_group": "asian"}
    total = {**PLACE, **EVERYBODY}
    if name == "pub_gap_trend_v1":
        keys = {**PLACE, "dimension": "race", "group_value": "asian", "reference_value": "white"}
        total = {**keys, "group_value": "black"}
    stories = []
    for enough in (shown, sorted([*shown, dark])):
        mine = _compared(enough, keys)
        if name == "pub_indicator_trend_v1":
            mine["previous_year"] = max(year for year in enough if year < max(enough))
        stories.append([mine, _compared(range(2019, 2025), total)])
    one, other = (published(table, rows, [cell(dark)]) for rows in stories)
    assert one == other
    inside = dark == 2021
    assert inside or any(row[list(table.columns).index("latest_year")] is None or
                         row[list(table.columns).index("baseline_year")] is None for row in one)  # fmt: skip
    if not inside:
        faulty = _own_years(table)
        first, second = (published(faulty, rows, [cell(dark)]) for rows in stories)
        assert first != second


def test_a_year_of_which_nothing_is_compared_withholds_nothing() -> None:
    """If not, one small group of long ago blanks every comparison since, though none could have been with it."""
    table = TABLES["pub_indicator_trend_v1"]
    keys = {**PLACE, **EVERYBODY, "race_group": "asian", "baseline_year": 2020, "previous_year": 2022,
            "latest_year": 2024, "change": 0.1}  # fmt: skip
    (row,) = published(table, [keys], [cell(2015)])
    assert dict(zip(table.columns, row, strict=False))["change"] == 0.1


# --- The group compared with, slopes, and gaps that count together.


def test_a_withheld_group_is_not_named_as_the_best() -> None:
    """If it is, its rate is known to be above all that are shown."""
    table = TABLES["pub_gap_trend_v1"]
    row = {**PLACE, "dimension": "race", "group_value": "black", "baseline_year": 2020, "latest_year": 2024}
    one, other = (
        published(table, [{**row, "reference_value": best}], [cell(2020, "asian"), cell(2020, "white")])
        for best in ("asian", "white")
    )
    assert one == other
    evidence = TABLES["pub_gateway_gap_v1"]
    mine = {
        "outcome_id": "o",
        "indicator_id": "i",
        "dimension": "race",
        "group_value": "black",
        "gap_unit": "i|race",
    }
    dark = {"pub_gap_trend_v1": [{**row, SUPPRESSED: True}]}
    (told,) = published(evidence, [{**mine, "reference_value": "asian"}], [], dark)
    assert "asian" not in told


def test_a_slope_follows_every_year_and_every_indicator_behind_it() -> None:
    """If not, the verdict of an outcome tells on which side of a line a withheld total lies."""
    table = TABLES["pub_gateway_outcome_v1"]
    dark = [cell(2022, "all", indicator_id="second")]
    known = {"pub_indicator_v1": [{"indicator_id": name, "outcome_id": "o"} for name in ("i", "second")]}
    row = {"outcome_id": "o", "indicator_id": "i", "indicator_n": 2, "baseline_year": 2020, "latest_year": 2024,
           "baseline_rate": 0.4, "latest_rate": 0.5}  # fmt: skip
    stories = [
        [{**row, "verdict": verdict, "is_improving": verdict == "improved"}]
        for verdict in ("improved", "declined")
    ]
    one, other = (published(table, rows, dark, known) for rows in stories)
    assert one == other and 0.5 in one[0]
    faulty = table.model_copy(update={"depends": table.depends[:-1]})
    first, second = (published(faulty, rows, dark, known) for rows in stories)
    assert first != second
    elsewhere = {"pub_indicator_v1": [{"indicator_id": "i", "outcome_id": "o"}]}
    assert "improved" in published(table, stories[0], dark, elsewhere)[0]
    alone = [{**rows[0], "indicator_n": 1, "first_year": 2022} for rows in stories]
    own = [published(table, [row], [cell(2022, "all")], known) for row in alone]
    assert own[0] == own[1] and 2022 in own[0][0]
    assert "improved" in published(table, [alone[0]], [cell(2021, "all")], known)[0]


def test_gaps_that_count_as_one_are_withheld_as_one() -> None:
    """If not, a gap that narrowed and does not count tells that the withheld one widened."""
    table = TABLES["pub_gateway_gap_v1"]
    keys = {
        "outcome_id": "o",
        "indicator_id": "i",
        "dimension": "race",
        "gap_unit": "i|race",
        "reference_value": "white",
    }
    trend = {**PLACE, "dimension": "race", "group_value": "asian", SUPPRESSED: True}
    stories = [
        [{**keys, "group_value": "asian", "verdict": verdict, "counts_as_reduced": False},
         {**keys, "group_value": "black", "verdict": "reduced", "counts_as_reduced": verdict != "widened"}]
        for verdict in ("widened", "persistent")
    ]  # fmt: skip
    one, other = (published(table, rows, [], {"pub_gap_trend_v1": [trend]}) for rows in stories)
    assert one == other and "reduced" in one[1]
    faulty = without("pub_gateway_gap_v1", jointly=[])
    first, second = (published(faulty, rows, [], {"pub_gap_trend_v1": [trend]}) for rows in stories)
    assert first != second


def test_scores_of_a_group_that_the_indicator_withholds_are_withheld() -> None:
    """If not, the people with a score are the people measured, and their mean tells how many met it."""
    table = TABLES["pub_score_gap_v1"]
    test = {
        "instrument_id": "t",
        "subject": "ReadingELA",
        "grade_level": "03",
        "school_year": 2024,
        "smallest_n": 12,
    }
    gap = {**PLACE, "indicator_id": "early_grade_reading", "cohort_year": 2024, "dimension": "race"}
    dark = {"pub_disparity_gap_v1": [{**gap, "group_value": "asian", SUPPRESSED: True}]}

    def rows(indicator: str | None) -> list[dict[str, Any]]:
        groups = itertools.product([("race", "asian"), ("race", "white"), ("gender", "female")], [indicator])
        return [
            {**test, "dimension": d, "group_value": g, "indicator_id": i, "person_n": 12, "score_mean": 390.0}
            for (d, g), i in groups
        ]

    def shown(rules: PublishedTable, indicator: str | None) -> list[tuple[Any, Any]]:
        at = [[*rules.columns].index(name) for name in ("group_value", "person_n")]
        return [(row[at[0]], row[at[1]]) for row in published(rules, rows(indicator), [], dark)]

    assert shown(table, "early_grade_reading") == [("female", 12), ("asian", None), ("white", None)]
    assert shown(table, None) == [("female", 12), ("asian", 12), ("white", 12)]
    assert shown(without("pub_score_gap_v1", depends=[]), "early_grade_reading")[1] == ("asian", 12)
