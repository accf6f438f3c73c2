"""Published aggregates with blurred or suppressed cells are kept as bounds and reasons."""

from __future__ import annotations

import duckdb
import pytest

from ingestion.acceptance.protected import protected_parts
from tests.ingestion.conftest import Town

_FILE = (
    "STNAM,FIPST,LEAID,ST_LEAID,LEANM,ALL_COHORT_1819,ALL_RATE_1819,MAM_RATE_1819,ECD_RATE_1819,F_RATE_1819,DATE_CUR\n"
    "OHIO,39,3904000,OH-1,Town,1200,85,PS,LT50,20-29,01OCT20\n"
    "OHIO,39,304001,OH-2,Village,45,<=80,.,GE95,n<10,01OCT20\n"
)


def test_groups_and_years_in_column_names_become_rows(town: Town) -> None:
    """If not, a blurred cell becomes a number, or a year lies in a column's name."""
    town.mapping("standard: edfacts/community_measure\n")
    outcome = town.take("acgr-lea-sy2018-19.csv", _FILE)
    assert outcome.judgement.accepted == 10
    assert town.rows(
        "select geography_id, measure_id, unit, period_end_year, subgroup_dimension, estimate, lower_bound, upper_bound, "
        "value_status from lake.community_measure where unit = 'percent' order by geography_id desc, subgroup_dimension"
    ) == [
        ("9700000US3904000", "edfacts_rate", "percent", 2019, "all", 85.0, None, None, "exact"),
        ("9700000US3904000", "edfacts_rate", "percent", 2019, "economic", None, None, 50.0, "bottom_coded"),
        ("9700000US3904000", "edfacts_rate", "percent", 2019, "gender", None, 20.0, 29.0, "range"),
        ("9700000US3904000", "edfacts_rate", "percent", 2019, "race", None, None, None, "suppressed"),
        ("9700000US0304001", "edfacts_rate", "percent", 2019, "all", None, None, 80.0, "bottom_coded"),
        ("9700000US0304001", "edfacts_rate", "percent", 2019, "economic", None, 95.0, None, "top_coded"),
        ("9700000US0304001", "edfacts_rate", "percent", 2019, "gender", None, None, None, "suppressed"),
        ("9700000US0304001", "edfacts_rate", "percent", 2019, "race", None, None, None, "not_reported"),
    ]


@pytest.mark.parametrize(
    ("cell", "estimate", "low", "high", "status"),
    [
        ("81.6*", "81.6", None, None, "exact"),
        ("$1,200", "1200", None, None, "exact"),
        ("12.5%", "12.5", None, None, "exact"),
        ("<10", None, None, "10", "bottom_coded"),
        ("≤5%", None, None, "5", "bottom_coded"),
        ("10 or fewer", None, None, "10", "bottom_coded"),
        ("Less than 10%", None, None, "10", "bottom_coded"),
        ("≥ 99%", None, "99", None, "top_coded"),
        ("95+", None, "95", None, "top_coded"),
        ("5% - 10%", None, "5", "10", "range"),
        ("21–39%", None, "21", "39", "range"),
        ("80 to 84", None, "80", "84", "range"),
        ("N < 10", None, None, None, "suppressed"),
        ("PS", None, None, None, "suppressed"),
        ("*", None, None, None, "suppressed"),
        ("N/A", None, None, None, "not_reported"),
        ("-555555555.0", None, None, None, "not_reported"),
        ("(X)", None, None, None, "not_applicable"),
        ("1,2", None, None, None, "unreadable"),
        ("twelve", None, None, None, "unreadable"),
    ],
)
def test_a_protected_cell_is_never_a_number(
    cell: str, estimate: str | None, low: str | None, high: str | None, status: str
) -> None:
    """If not, a protected group's value is published as if it were known."""
    parts = protected_parts("t")
    wanted = ", ".join(parts[name] for name in ("estimate", "lower_bound", "upper_bound", "value_status"))
    found = duckdb.connect().execute(f"select {wanted} from (select $cell as t)", {"cell": cell}).fetchone()
    assert found == (estimate, low, high, status)
