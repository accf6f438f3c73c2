"""Tables that count people of their own, beside the rate table: test scores and community measures.

Each test takes the rule out too, and finds what is published without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.warehouse.release.stories import PLACE, TABLES, published, without
from warehouse.release.spec import SUPPRESSED, PublishedTable


def _score(dimension: str, group: str, grade: str = "03", **figures: Any) -> dict[str, Any]:
    return {"instrument_id": "state", "subject": "ReadingELA", "grade_level": grade, "school_year": 2024,
            "smallest_n": 12, "dimension": dimension, "group_value": group, "person_n": 12, "score_mean": 390.0,
            "score_sd": 9.0} | figures  # fmt: skip


def _means(table: PublishedTable, rows: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], Any]:
    """Published means by test, grade, dimension and group, where the Asian third graders who were measured are withheld."""
    gap = {**PLACE, "indicator_id": "early_grade_reading", "cohort_year": 2024, "dimension": "race"}
    dark = {"pub_disparity_gap_v1": [{**gap, "group_value": "asian", SUPPRESSED: True}]}
    at = [*table.columns]
    keys = ("instrument_id", "grade_level", "dimension", "group_value")
    found = published(table, rows, [], dark)
    return {tuple(row[at.index(key)] for key in keys): row[at.index("score_mean")] for row in found}


def test_another_test_of_the_same_grade_counts_no_withheld_group() -> None:
    """If it does, its people tell how many of the withheld ones there are; those of another grade are other people."""
    table = TABLES["pub_score_gap_v1"]
    rows = [
        _score("race", "asian", indicator_id="early_grade_reading"),
        _score("race", "asian", instrument_id="other"),
        _score("gender", "female", instrument_id="other"),
        _score("race", "asian", "04"),
    ]
    judged, other, girls, fourth = ("state", "03", "race", "asian"), ("other", "03", "race", "asian"), (
        "other", "03", "gender", "female"), ("state", "04", "race", "asian")  # fmt: skip
    assert _means(table, rows) == {judged: None, other: None, girls: 390.0, fourth: 390.0}
    faulty = without("pub_score_gap_v1", depends=table.depends[:1])
    assert _means(faulty, rows)[other] == 390.0


@pytest.mark.parametrize("fault", [{"person_n": 9, "smallest_n": 9}, {"score_sd": 0.0}])
def test_scores_of_any_grade_have_a_minimum_of_their_own(fault: dict[str, Any]) -> None:
    """If not, nine people's mean is published, or the one score that all of a group have; and others' give it away."""
    rows = [
        _score("race", "asian", "04", **fault),
        _score("race", "white", "04", smallest_n=fault.get("smallest_n", 12)),
        _score("gender", "female", "04"),
    ]
    told = _means(TABLES["pub_score_gap_v1"], rows)
    assert [told["state", "04", "race", race] for race in ("asian", "white")] == [None, None]
    assert told["state", "04", "gender", "female"] == 390.0
    assert _means(without("pub_score_gap_v1", minimum=None), rows)["state", "04", "race", "asian"] == 390.0


def test_a_small_count_is_not_what_the_whole_less_the_others_leaves() -> None:
    """If it is, forty homeless students and the thirty-four boys among them tell of six girls."""
    table = TABLES["pub_community_measure_v1"]
    keys = {"geography_id": "here", "measure_id": "homeless", "period_start_year": 2024, "period_end_year": 2024,
            "source": "liaison", "partner_id": "p", "unit": "count"}  # fmt: skip
    rows = [
        {**keys, "subgroup_dimension": dimension, "subgroup": group, "estimate": count}
        for dimension, group, count in (
            ("all", "all", 40), ("gender", "female", 6), ("gender", "male", 34), ("grade", "early", 25), ("grade", "late", 15))
    ]  # fmt: skip

    def counts(rules: PublishedTable) -> list[Any]:
        return [row[[*table.columns].index("estimate")] for row in published(rules, rows, [])]

    assert counts(table) == [40, None, None, 25, 15]
    assert counts(without("pub_community_measure_v1", jointly=[])) == [40, None, 34, 25, 15]
    assert counts(without("pub_community_measure_v1", jointly=[], minimum=None)) == [40, 6, 34, 25, 15]
