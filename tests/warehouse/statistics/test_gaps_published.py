"""`throughline gaps` against figures that others published, and against tables worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.cli import _register, app

_register(["gaps"])


def run(tmp_path: Path, text: str, *arguments: str) -> dict[str, Any]:
    file = tmp_path / "table.csv"
    file.write_text(text)
    done = CliRunner().invoke(app, ["gaps", str(file), *arguments, "--json"])
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def by_group(document: dict[str, Any], cohort: str = "all") -> dict[str, dict[str, Any]]:
    return {row["group"]: row for row in document["groups"] if row["cohort"] == cohort}


# Counts and results of the tutorial of DisImpact (Nguyen, CRAN, 0.0.21), transfer of an invented college's students, for
# the method of the Chancellor's Office of 2017: at least three points, margin at one half. Where a number of people is
# whole (204, 618 against all, 110 by index), its floating point rounds one up; the figures here are exact.
TRANSFER = """cohort,ethnicity,n,transfers
2017,Asian,3000,2062
2017,Black,1000,310
2017,Hispanic,2000,410
2017,Multi-Ethnicity,500,262
2017,Native American,100,43
2017,White,3400,2053
2018,Asian,3000,2230
2018,Black,1000,297
2018,Hispanic,2000,437
2018,Multi-Ethnicity,500,242
2018,Native American,100,35
2018,White,3400,2147
"""
# Impact, people for no impact, people for parity: against all, the highest group, everybody else, by the index.
PUBLISHED = {
    ("2017", "Asian"): ((False, 0, 0), (False, 0, 0), (False, 0, 0), (False, 0, 0)),
    ("2017", "Black"): ((True, 174, 204), (True, 347, 378), (True, 196, 227), (True, 110, 227)),
    ("2017", "Hispanic"): ((True, 558, 618), (True, 905, 965), (True, 713, 773), (True, 491, 773)),
    ("2017", "Multi-Ethnicity"): ((False, 0, 0), (True, 60, 82), (False, 0, 0), (False, 0, 0)),
    ("2017", "Native American"): ((False, 0, 9), (True, 16, 26), (False, 0, 9), (False, 0, 9)),
    ("2017", "White"): ((False, 0, 0), (True, 182, 284), (False, 0, 0), (False, 0, 0)),
    ("2018", "Asian"): ((False, 0, 0), (False, 0, 0), (False, 0, 0), (False, 0, 0)),
    ("2018", "Black"): ((True, 211, 242), (True, 416, 447), (True, 238, 269), (True, 146, 269)),
    ("2018", "Hispanic"): ((True, 581, 641), (True, 990, 1050), (True, 741, 801), (True, 507, 801)),
    ("2018", "Multi-Ethnicity"): ((True, 6, 28), (True, 108, 130), (True, 7, 29), (False, 0, 29)),
    ("2018", "Native American"): ((True, 10, 19), (True, 30, 40), (True, 10, 20), (True, 9, 20)),
    ("2018", "White"): ((False, 0, 0), (True, 279, 381), (False, 0, 0), (False, 0, 0)),
}
INDICES = {
    "Asian": 1.3372244, "Black": 0.6031128, "Hispanic": 0.3988327, "Multi-Ethnicity": 1.0194553,
    "Native American": 0.8365759, "White": 1.1747539,
}  # fmt: skip


def test_disproportionate_impact_as_published(tmp_path: Path) -> None:
    """If not, a college that runs its own table through it gets other figures than its equity plan."""
    document = run(
        tmp_path, TRANSFER, "--group", "ethnicity", "--outcome", "transfers", "--weight", "n", "--cohort", "cohort",
        "--ppg-at-half", "--ppg-least", "0.03",
    )  # fmt: skip
    for (cohort, group), expected in PUBLISHED.items():
        row = by_group(document, cohort)[group]
        against = [
            (row[f"impact_{kind}"], row[f"needed_{kind}_no_impact"], row[needed])
            for kind, needed in (
                ("overall", "needed_overall"), ("reference", "people_needed"), ("others", "needed_others"), ("pi", "needed_pi"),
            )
        ]  # fmt: skip
        assert tuple(against) == expected, (cohort, group)
    for group, index in INDICES.items():
        assert by_group(document, "2017")[group]["proportionality_index"] == pytest.approx(index, abs=5e-8)
    assert by_group(document, "2017")["Native American"]["ppg_margin"] == pytest.approx(0.098)


def test_the_edge_rate_gives_a_margin_to_a_group_without_success(tmp_path: Path) -> None:
    """If not, a group at nought has no margin; figures of the same tutorial (0.1 in place of nought)."""
    text = "g,n,x\nNative American,200,0\nOthers,19800,10450\n"
    document = run(
        tmp_path, text, "--group", "g", "--outcome", "x", "--weight", "n", "--ppg-least", "0.03", "--ppg-edge-rate", "0.1"
    )  # fmt: skip
    row = by_group(document)["Native American"]
    assert row["ppg_margin"] == pytest.approx(0.04157788, abs=5e-9)
    assert (row["needed_overall_no_impact"], row["needed_overall"]) == (97, 105)


def test_four_fifths_rule_as_the_agencies_explain_it(tmp_path: Path) -> None:
    """If not, the 80 % index is none.

    Source: Questions and Answers on the Uniform Guidelines, 44 Federal Register 11996 (1979), question 12: 48 of 80
    white and 12 of 40 black applicants are hired, rates of 60 % and 30 %; 30 is one half of 60.
    """
    text = "race,applicants,hired\nWhite,80,48\nBlack,40,12\n"
    row = by_group(run(tmp_path, text, "--group", "race", "--outcome", "hired", "--weight", "applicants"))[
        "Black"
    ]
    assert row["index_80"] == pytest.approx(0.5)
    assert row["impact_80"] is True
    assert row["needed_80_no_impact"] == 8  # 20 of 40 is 50 %, 48 % are needed


def test_published_estimates_keep_their_errors(tmp_path: Path) -> None:
    """If not, a survey's gap is tested as if its rows were people; worked out by hand, as NCES compares estimates."""
    text = "g,y,score,se,sd\nA,1,300,0.6,35\nB,1,270,0.8,33\nA,2,290,0.6,36\nB,2,266,0.8,34\n"
    document = run(
        tmp_path, text, "--group", "g", "--outcome", "score", "--standard-error", "se", "--sd", "sd", "--cohort", "y",
    )  # fmt: skip
    row = by_group(document, "1")["B"]
    assert (row["gap"], row["gap_standard_error"]) == (30, pytest.approx(1.0))
    assert row["gap_low"] == pytest.approx(30 - 1.959963984540054)
    assert row["standardized_gap"] == pytest.approx(30 / ((35**2 + 33**2) / 2) ** 0.5)
    change = next(r for r in document["changes"] if r["group"] == "B")
    assert change["gap_change"] == pytest.approx(-6)
    assert change["gap_p_value"] == pytest.approx(2.209e-5, rel=1e-3)  # z = -6 / sqrt 2
    assert (change["gap_verdict"], change["narrowed_by_reference"]) == ("reduced", True)


def test_margins_of_error_are_those_of_the_census_bureau(tmp_path: Path) -> None:
    """If not, a 90 % margin is taken for a standard error.

    Source: Census Bureau, Understanding and Using American Community Survey Data: What All Data Users Need to Know (2020),
    chapter 7: two estimates differ where |Z| = |X1 - X2| / sqrt(SE1^2 + SE2^2) exceeds 1.645, SE being MOE / 1.645.
    """
    text = "place,percent,moe\nA,26.1%,1.8%\nB,22.1%,1.2%\n"
    row = by_group(
        run(tmp_path, text, "--group", "place", "--outcome", "percent", "--margin-of-error", "moe")
    )["B"]
    error = (1.8**2 + 1.2**2) ** 0.5 / 1.645 / 100
    assert row["gap_standard_error"] == pytest.approx(error)
    assert row["gap"] / row["gap_standard_error"] == pytest.approx(0.04 / error)


def test_survey_weights_go_by_the_effective_number(tmp_path: Path) -> None:
    """If not, a survey of few people looks as sure as the population that it stands for (Kish, 1965)."""
    text = "g,o,w\nA,yes,1.5\nA,no,0.5\nA,yes,1.0\nB,no,2.5\nB,yes,2.5\n"
    document = run(tmp_path, text, "--group", "g", "--outcome", "o", "--weight", "w", "--reference", "whole")
    assert "survey weights" in document["read_as"]
    row = by_group(document)["A"]
    assert row["rate"] == pytest.approx(2.5 / 3)
    assert row["effective_n"] == pytest.approx(9 / 3.5)
    assert row["reference_rate"] == pytest.approx(5 / 8)
    assert row["reference_effective_n"] == pytest.approx(64 / (3.5 + 12.5))
    taken = run(tmp_path, text, "--group", "g", "--outcome", "o", "--weight", "w", "--weights-are", "people")
    assert by_group(taken)["A"]["effective_n"] == by_group(taken)["A"]["n"] == 3


def test_counts_of_rights_data_in_a_wide_layout(tmp_path: Path) -> None:
    """If not, a table with a column a race and sex, and codes for what is not there, has to be turned by hand."""
    text = (
        "COMBOKEY,SCH_ENR_HI_M,SCH_ENR_HI_F,SCH_ENR_WH_M,SCH_ENR_WH_F,TOT_ENR_M,SUSP_HI_M,SUSP_HI_F,SUSP_WH_M,SUSP_WH_F\n"
        '1,100,120,"1,200",80,700,12,6,24,-9\n2,50,40,60,-9,350,8,4,6,-9\n'
    )
    document = run(
        tmp_path, text, "--group", "race", "--group", "sex", "--outcome", "SUSP_{race}_{sex}", "--weight",
        "SCH_ENR_{race}_{sex}", "--direction", "lower", "--missing", "-9", "--reference", "WH", "--reference", "M",
    )  # fmt: skip
    races = by_group(document)
    assert (races["HI"]["n"], races["HI"]["successes"]) == (310, 30)
    assert (races["WH"]["n"], races["WH"]["missing_n"]) == (1260, 80)
    assert races["HI"]["ratio"] == pytest.approx((30 / 310) / (30 / 1260))
    assert races["HI"]["gap"] == pytest.approx(30 / 310 - 30 / 1260)
    assert races["HI"]["index_80"] == pytest.approx((280 / 310) / (1230 / 1260))
    assert races["HI / F"]["reference"] == "WH / M"
    assert races["F"]["reference"] == "M"


def test_rows_of_everybody_are_the_whole_of_overlapping_groups(tmp_path: Path) -> None:
    """If not, a state's table of student groups counts everybody four times."""
    text = "group,n,x\nAll Students,1000,600\nFemale,500,320\nMale,500,280\nBlack,300,120\nEnglish Learners,100,30\n"
    arguments = ("--group", "group", "--outcome", "x", "--weight", "n")
    told = run(tmp_path, text, *arguments)
    assert "--total 'All Students'" in told["outcomes"][0]["notes"][0]
    document = run(tmp_path, text, *arguments, "--total", "all students", "--reference", "others")
    row = by_group(document)["Black"]
    assert row["reference_rate"] == pytest.approx(480 / 700)
    assert row["reference_effective_n"] == pytest.approx(700)
    assert row["proportionality_index"] == pytest.approx(0.4 / 0.6)
    assert "All Students" not in by_group(document)
    assert document["dimensions"][0]["overlapping"] is True


def test_ordered_levels_give_v(tmp_path: Path) -> None:
    """If not, proficiency levels cannot be compared without cut scores; ties count half (Ho and Reardon, 2012)."""
    text = "g,level,n\nA,Below,10\nA,Basic,20\nA,Proficient,70\nB,Below,40\nB,Basic,30\nB,Proficient,30\n"
    document = run(
        tmp_path, text, "--group", "g", "--outcome", "level", "--weight", "n", "--level", "Below", "--level", "Basic",
        "--level", "Proficient",
    )  # fmt: skip
    row = by_group(document)["B"]
    chance = 0.7 * (0.7 + 0.3 / 2) + 0.2 * (0.4 + 0.3 / 2) + 0.1 * 0.4 / 2
    assert row["chance_reference_higher"] == pytest.approx(chance)
    assert row["v_statistic"] == pytest.approx(2**0.5 * 0.59776, abs=1e-4)  # the normal deviate of 0.725


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("Yes", "No"),
        ("TRUE", "FALSE"),
        ("1", "0"),
        ("1.0", "0.0"),
        ("Pass", "Fail"),
        ("Y", "N"),
        ("Met", "Not Met"),
    ],
)
def test_spellings_of_an_outcome(tmp_path: Path, good: str, bad: str) -> None:
    """If not, the same students answer otherwise by the program that exported them; a blank is not measured."""
    text = f"g,o\nA,{good}\nA,{bad}\nA,\n,{good}\nUnknown,{bad}\n"
    document = run(tmp_path, text, "--group", "g", "--outcome", "o")
    groups = by_group(document)
    assert (groups["A"]["n"], groups["A"]["successes"], groups["A"]["missing_n"]) == (2, 1, 1)
    assert (groups["unknown"]["n"], groups["unknown"]["successes"]) == (2, 1)
    assert document["left_out"] == {"no o": 1}


def test_rates_become_the_counts_that_they_were_rounded_from(tmp_path: Path) -> None:
    """If not, 33.3 % of 120 is not 40 people."""
    text = 'g,pct,n\nA,33.3%,120\nB,50%,"1,000"\nC,*,8\nD,10-14%,50\n'
    document = run(tmp_path, text, "--group", "g", "--outcome", "pct", "--weight", "n")
    groups = by_group(document)
    assert groups["A"]["successes"] == 40
    assert groups["B"]["n"] == 1000
    assert document["left_out"] == {"withheld pct": 2}
    ranged = by_group(run(tmp_path, text, "--group", "g", "--outcome", "pct", "--weight", "n", "--ranges"))
    assert ranged["D"]["rate"] == pytest.approx(0.12)


def test_terms_are_ordered_by_year_and_season(tmp_path: Path) -> None:
    """If not, the last cohort is the one that comes last in the alphabet; an unknown cohort is never an end."""
    text = "g,o,t\n" + "".join(
        f"{g},{o},{t}\n" * 20
        for g, o, t in [
            ("A", 1, "Fall 2021"), ("A", 0, "Spring 2022"), ("B", 1, "Spring 2021"), ("A", 1, "Spring 2021"), ("A", 1, ""),
        ]
    )  # fmt: skip
    document = run(tmp_path, text, "--group", "g", "--outcome", "o", "--cohort", "t")
    change = document["changes"][0]
    assert (change["first_cohort"], change["last_cohort"]) == ("Spring 2021", "Spring 2022")
    assert change["verdict"] == "declined"
