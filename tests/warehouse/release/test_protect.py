"""What is withheld: small groups, what gives them away, and every number that follows."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from warehouse.release import ReleaseReport, published_tables
from warehouse.release.protect import Policy, choose_suppressed
from warehouse.release.spec import CELL_KEYS, PublishedTable, load_published
from warehouse.settings import CommunityPaths

Released = tuple[CommunityPaths, ReleaseReport]
_CELL = (
    "select 'i' as indicator_id, 2024 as cohort_year, 'g' as geography_id, 'all' as organization_key, "
    "'federal7' as race_scheme, race_group, gender_group, 'all' as economic_group, n as eligible_n, "
    "n as denominator_n, n // 2 as numerator_n, 0 as excluded_n, 0 as not_measured_n"
)


@pytest.fixture
def published(release: Released) -> duckdb.DuckDBPyConnection:
    """The release as a reader opens it."""
    return duckdb.connect(str(release[1].path / "throughline.duckdb"), read_only=True)


def test_no_group_below_the_minimum_is_shown(published: duckdb.DuckDBPyConnection) -> None:
    """If not, a child can be recognized."""
    assert published.execute(
        "select count(*) from pub_indicator_rate_v1 where denominator_n < 10 or eligible_n < 10 or numerator_n < 3 "
        "or denominator_n - numerator_n < 3"
    ).fetchone() == (0,)
    assert published.execute(
        "select count(*) from pub_indicator_rate_v1 where race_group = 'american_indian_or_alaska_native' and not is_suppressed"
    ).fetchone() == (0,)


def test_a_withheld_row_has_no_number_at_all(published: duckdb.DuckDBPyConnection) -> None:
    """If not, the numerator or the interval gives the group's size away."""
    for table in published_tables():
        if table.is_protected and not table.minimum and len(table.depends) == 1:
            filled = " or ".join(f"{name} is not null" for name in table.withheld_columns)
            wrong = published.execute(
                f"select count(*) from {table.name} where is_suppressed and ({filled})"
            ).fetchone()
            assert wrong == (0,), table.name


def test_no_withheld_group_is_the_difference_of_published_ones(published: duckdb.DuckDBPyConnection) -> None:
    """If not, one subtraction recovers what was withheld."""
    for dimension in ("race_group", "gender_group", "economic_group"):
        others = ", ".join(
            name
            for name in (
                "indicator_id",
                "cohort_year",
                "organization_key",
                "race_group",
                "gender_group",
                "economic_group",
            )
            if name != dimension
        )
        alone = published.execute(
            f"""
            select count(*) from (
                select {others} from pub_indicator_rate_v1 group by {others}
                having count(*) filter (where {dimension} <> 'all' and is_suppressed) = 1
                    and count(*) filter (where {dimension} <> 'all' and not is_suppressed) > 0
                    and count(*) filter (where {dimension} = 'all' and not is_suppressed) = 1)
            """
        ).fetchone()
        assert alone == (0,), dimension


def test_trends_and_gaps_follow_their_cells(published: duckdb.DuckDBPyConnection) -> None:
    """If not, the change, the gap or the people needed tell a withheld rate."""
    same = "using (indicator_id, geography_id, organization_key, race_scheme, race_group, gender_group, economic_group)"
    hidden = "(select * from pub_indicator_rate_v1 where is_suppressed)"
    for year, columns in (
        ("baseline_year", ("baseline_rate", "change", "q_value", "verdict_vs_baseline")),
        ("previous_year", ("previous_rate", "change_vs_previous")),
        ("latest_year", ("latest_rate", "latest_denominator_n", "change", "change_vs_previous")),
    ):
        told = " or ".join(f"t.{name} is not null" for name in columns)
        assert published.execute(
            f"select count(*) from pub_indicator_trend_v1 t join {hidden} r {same} where r.cohort_year = t.{year} and ({told} or not t.is_suppressed)"
        ).fetchone() == (0,)
    for value, columns in (
        ("group_value", ("rate", "denominator_n", "people_needed_n", "rate_ratio")),
        ("reference_value", ("reference_rate", "reference_n", "gap", "people_needed_n")),
    ):
        told = " or ".join(f"t.{name} is not null" for name in columns)
        assert published.execute(
            f"""
            select count(*) from pub_disparity_gap_v1 t join {hidden} r using (indicator_id, cohort_year, organization_key)
            where concat_ws(' / ', nullif(r.race_group, 'all'), nullif(r.gender_group, 'all'), nullif(r.economic_group, 'all')) = t.{value}
                and ({told})
            """
        ).fetchone() == (0,)


def test_a_dimension_as_a_whole_is_told_where_all_of_its_groups_are(
    published: duckdb.DuckDBPyConnection,
) -> None:
    """If not, the spread over four groups tells the fourth to whoever reads three."""
    series = "indicator_id, cohort_year, geography_id, organization_key, race_scheme, dimension"
    kept, wrong = published.execute(
        f"""
        select count(*) filter (where not d.is_suppressed), count(*) filter (where d.is_suppressed <> g.dark
            or d.is_suppressed <> (coalesce(d.group_n, d.denominator_n, d.widest_gap, d.between_group_variance) is null))
        from pub_disparity_dimension_v1 d
        join (select {series}, bool_or(is_suppressed) as dark from pub_disparity_gap_v1 group by all) g using ({series})
        """
    ).fetchone()  # type: ignore[misc]
    assert kept and not wrong
    assert published.execute("select bool_or(is_suppressed) from pub_disparity_dimension_v1").fetchone() == (
        True,
    )


def test_scores_of_a_dimension_with_a_small_group_are_withheld(published: duckdb.DuckDBPyConnection) -> None:
    """If not, the mean of seven pupils is the rest of two means that are shown."""
    assert published.execute(
        "select dimension, bool_and(is_suppressed), count(score_mean), count(person_n), count(smallest_n) "
        "from pub_score_gap_v1 group by dimension order by dimension"
    ).fetchall() == [("gender", False, 2, 2, 2), ("race", True, 0, 0, 0)]


def test_a_gap_whose_trend_is_withheld_is_withheld_as_evidence(published: duckdb.DuckDBPyConnection) -> None:
    """If not, the gateway's evidence tells what the gap table hides."""
    assert published.execute(
        "select count(*) > 0, count(verdict) from pub_gateway_gap_v1 where group_value = 'american_indian_or_alaska_native'"
    ).fetchone() == (True, 0)


def test_small_counts_of_other_tables_are_withheld(published: duckdb.DuckDBPyConnection) -> None:
    """If not, a count of six homeless students is published because it came as a table."""
    assert published.execute(
        "select measure_id, estimate, is_suppressed from pub_community_measure_v1 order by measure_id"
    ).fetchall() == [("homeless_students", None, True), ("s1701_c03_002", 18.5, False)]
    assert published.execute(
        "select accepted_row_n from pub_data_health_v1 where partner_id = 'tiny'"
    ).fetchone() == (None,)


def _suppressed(cells: list[tuple[str, str, int]], complementary: bool = True) -> set[tuple[str, str]]:
    with duckdb.connect() as con:
        con.execute("create table given (race_group text, gender_group text, n bigint)")
        con.executemany("insert into given values (?, ?, ?)", cells)
        con.execute(f"create table rates as {_CELL} from given")
        con.execute(
            "create temp table parent_of as select '' as organization_key, null::text as parent_organization_key"
        )
        con.execute(
            f"create temp table shown_before as select {', '.join(CELL_KEYS)}, true as known from rates limit 0"
        )
        choose_suppressed(con, "rates", Policy(10, complementary, "g"))
        return set(con.execute("select race_group, gender_group from suppressed_cell").fetchall())


def test_the_smallest_companion_goes_with_a_lone_small_group() -> None:
    """If not, more people than needed are hidden, or the small group is one subtraction away."""
    cells = [("all", "all", 134), ("a", "all", 4), ("b", "all", 30), ("c", "all", 100)]
    assert _suppressed(cells) == {("a", "all"), ("b", "all")}
    assert _suppressed(cells, complementary=False) == {("a", "all")}


def test_two_tiny_groups_do_not_hide_each_other() -> None:
    """If not, their sum of five is known, and each member knows the other group."""
    cells = [("all", "all", 135), ("a", "all", 2), ("b", "all", 3), ("c", "all", 30), ("d", "all", 100)]
    assert _suppressed(cells) == {("a", "all"), ("b", "all"), ("c", "all")}


def test_a_companion_in_one_dimension_is_covered_in_the_other() -> None:
    """If not, the complement itself is had from the other margin, and the small group from it."""
    cells = [
        ("all", "all", 194), ("a", "all", 34), ("b", "all", 60), ("c", "all", 100), ("all", "f", 97), ("all", "m", 97),
        ("a", "f", 4), ("a", "m", 30), ("b", "f", 30), ("b", "m", 30), ("c", "f", 63), ("c", "m", 37),
    ]  # fmt: skip
    hidden = _suppressed(cells)
    for race in "abc":
        assert len({cell for cell in hidden if cell[0] == race and cell[1] != "all"}) != 1
    for gender in "fm":
        assert len({cell for cell in hidden if cell[1] == gender and cell[0] != "all"}) != 1


def test_the_strictest_partner_rules(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, a partner's agreement is broken."""
    community = synthetic.make_community(tmp_path, minimum_n=10)
    partner = tmp_path / "partners" / "strict"
    partner.mkdir(parents=True)
    (partner / "partner.yml").write_text(
        "partner_id: strict\nname: Strict\nsector: k12\nagreement: {minimum_n: 40}\n", encoding="utf-8"
    )
    from warehouse.community import load_community

    strict = load_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    report = synthetic.build(strict)
    file = report.path / "tables" / "pub_indicator_rate_v1.parquet"
    with duckdb.connect() as con:
        assert con.execute(f"select min(denominator_n) >= 40 from '{file}'").fetchone() == (True,)


def test_a_wrong_entry_is_refused(tmp_path: Path) -> None:
    """If not, a typing error in the list leaves a number unprotected."""
    file = tmp_path / "published.yml"
    entry = (
        "- {name: pub_x_v1, source: marts.x, title: X, description: X, keys: [a], columns: {a: [varchar, A]}, "
        "depends: [{cell: {}, columns: [rate]}]}\n"
    )
    file.write_text(entry)
    with pytest.raises(ValueError, match="rate"):
        load_published(file)


def test_every_number_of_a_group_is_bound_to_its_cell() -> None:
    """If not, a column added later is published of small groups too."""
    open_columns = {
        "baseline_year", "previous_year", "latest_year", "comparable_from_year", "cohort_year", "school_year",
    }  # fmt: skip
    for name in (
        "pub_indicator_rate_v1",
        "pub_indicator_trend_v1",
        "pub_disparity_gap_v1",
        "pub_gap_trend_v1",
        "pub_disparity_dimension_v1",
        "pub_score_gap_v1",
    ):
        table: PublishedTable = next(t for t in published_tables() if t.name == name)
        numbers = {c for c, column in table.columns.items() if column.type in ("bigint", "double", "boolean")}
        assert numbers - open_columns <= set(table.withheld_columns)
