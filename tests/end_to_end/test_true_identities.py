"""With true identities every status, rate, gap and trend of the sample equals an independent computation."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from orchestration.working import prepare_working
from tests.end_to_end import independent, independent_gateways
from warehouse import duck
from warehouse.community import load_community
from warehouse.fingerprint import code_version
from warehouse.ledger import Ledger
from warehouse.settings import Settings
from warehouse.vault import attach_vault
from warehouse.working import building_path

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt_project"))
import gateways
import lake as golden_lake

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end_to_end")]

NOW = "2024-11-15T02:30:00+00:00"
KEYS = ["indicator_id", "cohort_year", *independent.GROUPS]


@pytest.fixture(scope="module")
def known(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The first night's lake with the true persons in place of the linked ones, through all models."""
    root = tmp_path_factory.mktemp("known") / "riverbend"
    shutil.copytree(
        demo, root, symlinks=True, ignore=shutil.ignore_patterns("releases", "dagster", "archive")
    )
    community, settings = load_community(root), Settings(now=NOW)  # type: ignore[arg-type]
    con = duck.connect()
    attach_vault(con, community.paths, settings, purpose="test of the sample", read_only=True)
    con.execute(
        f"""copy (
            with source as (
                select source_person_key, issuer_id, min(partner_id) as partner_id, any_value(local_person_id) as local_id,
                    any_value(social_security_number) as number
                from vault.identifier_record group by 1, 2
            )
            select source_person_key, partner_id,
                printf('%032d', coalesce(i.true_person_id, p.true_person_id)) as person_key,
                1.0::double as link_confidence, 'truth' as link_stage, 'truth' as first_linked_run
            from source
            left join (select distinct * from '{root}/truth/source_id.parquet') as i using (issuer_id, local_id)
            left join '{root}/truth/person.parquet' as p
                on replace(p.social_security_number, '-', '') = replace(source.number, '-', '')
            where coalesce(i.true_person_id, p.true_person_id) is not null
        ) to '{community.paths.crosswalk}/crosswalk.parquet' (format parquet)"""
    )
    con.close()
    prepare_working(community, settings, Ledger.open(community.paths, settings), code_version())
    built = golden_lake.build(building_path(community.paths), "build", "--exclude-resource-type", "unit_test")
    assert built.returncode == 0, built.stdout[-6000:]
    with duckdb.connect(str(building_path(community.paths)), read_only=True) as found:
        found.execute(f"create temp view truth as from '{root}/truth/indicator.parquet'")
        found.execute(f"create temp view person as from '{root}/truth/person.parquet'")
        yield found


@pytest.fixture(scope="module")
def facts(known: duckdb.DuckDBPyConnection) -> dict[str, object]:
    """Directions, baselines, coverage and margins as configured."""
    rows = known.sql("select indicator_id, direction, minimum_coverage from core.dim_indicator").df()
    chosen = known.sql(
        "select indicator_id, max(baseline_year) as y from config.indicator_choice group by 1"
    ).df()
    return {
        "direction": dict(zip(rows["indicator_id"], rows["direction"], strict=True)),
        "coverage": dict(zip(rows["indicator_id"], rows["minimum_coverage"], strict=True)),
        "baseline": {
            i: int(y) for i, y in zip(chosen["indicator_id"], chosen["y"], strict=True) if pd.notna(y)
        },
        "margin": known.sql("select practical_margin from config.community").fetchall()[0][0],
    }


@pytest.fixture(scope="module")
def people(known: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Every person, indicator and year with the person's settled groups."""
    return known.sql(
        """select s.person_key, s.indicator_id, s.cohort_year, s.status, s.organization_key,
            coalesce(r.race_group, 'unknown') as race_group, coalesce(p.gender_group, 'unknown') as gender_group,
            coalesce(e.economic_group, 'unknown') as economic_group
        from marts.fct_indicator_status as s
        left join core.brg_person_race as r on r.person_key = s.person_key and r.race_scheme = 'federal7'
        left join core.dim_person as p on p.person_key = s.person_key
        left join intermediate.int_person__economic_status_spanned as e
            on e.person_key = s.person_key and s.cohort_year between e.first_year and e.last_year"""
    ).df()


@pytest.fixture(scope="module")
def rated(people: pd.DataFrame) -> pd.DataFrame:
    return independent.rates(people, ["indicator_id", "cohort_year"])


def _same(
    ours: pd.DataFrame, theirs: pd.DataFrame, keys: list[str], numbers: list[str], words: tuple[str, ...] = ()
) -> None:
    """Equal rows by key, numbers to 1e-9, words exactly."""
    both = ours.merge(theirs, on=keys, how="outer", suffixes=("_a", "_b"), indicator=True)
    assert (both["_merge"] == "both").all(), both[both["_merge"] != "both"][keys].head(10).to_string()
    for name in numbers:
        a, b = both[f"{name}_a"].astype(float), both[f"{name}_b"].astype(float)
        wrong = ~np.isclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)
        assert not wrong.any(), both[wrong][[*keys, f"{name}_a", f"{name}_b"]].head(10).to_string()
    for name in words:
        wrong = both[f"{name}_a"] != both[f"{name}_b"]
        assert not wrong.any(), both[wrong][[*keys, f"{name}_a", f"{name}_b"]].head(10).to_string()


def test_every_persons_status_is_the_true_one(known: duckdb.DuckDBPyConnection) -> None:
    """If not, a definition is not what it says, whoever is linked to whom.

    Left out: the few of whom the sources write a wrong birth year as often as the right one.
    """
    misdated = """select person_key from core.dim_person join person on person_key = printf('%032d', true_person_id)
        where dim_person.birth_year <> year(person.birth_date::date)"""
    assert known.execute(
        f"select count(*) <= 0.003 * (select count(*) from person) from ({misdated})"
    ).fetchone() == (True,)
    wrong = known.execute(
        f"""with told as (
            select person_key, indicator_id, cohort_year, status from marts.fct_indicator_status
            where person_key not in ({misdated})
        ),
        so as (
            select printf('%032d', true_person_id) as person_key, indicator_id, cohort_year, status from truth
            where printf('%032d', true_person_id) not in ({misdated})
        )
        select indicator_id, cohort_year, told.status, so.status, count(*) from told
        full join so using (person_key, indicator_id, cohort_year)
        where indicator_id in (select indicator_id from truth) and told.status is distinct from so.status
        group by all order by all"""
    ).fetchall()
    assert wrong == []
    assert known.execute("select count(distinct indicator_id) >= 11 from truth").fetchone() == (True,)


def test_rates_of_every_group_and_year(known: duckdb.DuckDBPyConnection, rated: pd.DataFrame) -> None:
    """If not, a published rate is wrong for somebody."""
    theirs = known.sql(
        """select * exclude (race_scheme) from marts.mart_indicator_rate where organization_key = 'all'
        and race_scheme = 'federal7' and geography_id = (select geography_id from config.community)"""
    ).df()
    numbers = ["eligible_n", "numerator_n", "denominator_n", "rate", "coverage_rate", "rate_low", "rate_high"]
    _same(rated, theirs, KEYS, numbers)


def test_rates_of_every_school(known: duckdb.DuckDBPyConnection, people: pd.DataFrame) -> None:
    """If not, a school reads another one's figure."""
    ours = independent.rates(
        people.dropna(subset="organization_key"), ["indicator_id", "cohort_year", "organization_key"], most=1
    )
    theirs = known.sql(
        """select * from marts.mart_indicator_rate where organization_key in (select organization_key from marts.fct_indicator_status)
        and (race_group <> 'all')::int + (gender_group <> 'all')::int + (economic_group <> 'all')::int <= 1"""
    ).df()
    both = ours.merge(theirs, on=[*KEYS, "organization_key"], suffixes=("_a", "_b"))
    assert len(both) > 1000
    _same(both[[*KEYS, "organization_key"]].merge(ours), both[[*KEYS, "organization_key"]].merge(theirs), [*KEYS, "organization_key"], ["numerator_n", "denominator_n", "rate"])  # fmt: skip


def test_gaps_of_every_dimension_group_and_year(
    known: duckdb.DuckDBPyConnection, rated: pd.DataFrame, facts: dict[str, dict[str, str]]
) -> None:
    """If not, a gap is read as wider or narrower than it is."""
    ours = independent.gaps(rated, facts["direction"])
    theirs = known.sql(
        """select * from marts.mart_disparity_gap where organization_key = 'all' and race_scheme = 'federal7'
        and geography_id = (select geography_id from config.community)"""
    ).df()
    numbers = [
        "gap",
        "gap_low",
        "gap_high",
        "ppg",
        "ppg_margin",
        "people_needed_n",
        "proportionality_index",
        "is_below_80_percent",
    ]
    _same(ours, theirs, [*KEYS, "dimension"], numbers, ("reference_value",))


def test_trends_of_every_series(
    known: duckdb.DuckDBPyConnection, rated: pd.DataFrame, facts: dict[str, dict[str, str]]
) -> None:
    """If not, noise is told as progress, or progress as noise."""
    enough = (rated["denominator_n"] > 0) & (
        rated["coverage_rate"] >= rated["indicator_id"].map(facts["coverage"])
    )
    ours = independent.trends(rated, enough, facts["baseline"], facts["direction"], facts["margin"])  # type: ignore[arg-type]
    theirs = known.sql(
        """select *, verdict_vs_baseline as verdict from marts.mart_indicator_trend where organization_key = 'all'
        and race_scheme = 'federal7' and baseline_year is not null and geography_id = (select geography_id from config.community)"""
    ).df()
    _same(
        ours,
        theirs,
        ["indicator_id", *independent.GROUPS],
        ["change", "change_low", "change_high", "p_value", "q_value"],
        ["verdict"],
    )


def test_slopes_of_the_core_indicators(
    known: duckdb.DuckDBPyConnection, rated: pd.DataFrame, facts: dict[str, dict[str, str]]
) -> None:
    """If not, a community that reads trends over years is told of one that is none."""
    total = rated[(rated[independent.GROUPS] == "all").all(axis=1) & (rated["denominator_n"] > 0)]
    total = total[total["coverage_rate"] >= total["indicator_id"].map(facts["coverage"])]
    told = known.sql("select * from marts.mart_gateway_slope order by indicator_id").df()
    assert len(told) >= 5
    for row in told.itertuples():
        years = total[total["indicator_id"] == row.indicator_id].sort_values("cohort_year")
        years = years[years["cohort_year"] > years["cohort_year"].max() - 5]
        n, x = years["denominator_n"].to_numpy(float), years["numerator_n"].to_numpy(float)
        t = years["cohort_year"].to_numpy(float)
        slope = np.polyfit(t, x / n, 1, w=np.sqrt(n))[0]
        centred = t - np.average(t, weights=n)
        mean = x.sum() / n.sum()
        error = np.sqrt(mean * (1 - mean) / (n * centred**2).sum())
        assert row.change == pytest.approx(slope * (t[-1] - t[0]), abs=1e-9)
        assert row.p_value == pytest.approx(2 * stats.norm.sf(abs(slope / error)), abs=1e-9)
        low = (slope - stats.norm.ppf(0.975) * error) * (t[-1] - t[0])
        assert row.change_low == pytest.approx(low, abs=1e-9)


def test_changes_of_every_gap(
    known: duckdb.DuckDBPyConnection, rated: pd.DataFrame, facts: dict[str, dict[str, str]]
) -> None:
    """If not, a gap is called closed that is not."""
    gap = independent.gaps(rated, facts["direction"])
    whole = rated[(rated[independent.GROUPS] == "all").all(axis=1)]
    fit = whole[whole["coverage_rate"] >= whole["indicator_id"].map(facts["coverage"])]
    years = set(zip(fit["indicator_id"], fit["cohort_year"], strict=True))
    ours = independent.gap_trends(gap, years, facts["baseline"], facts["direction"], facts["margin"])  # type: ignore[arg-type]
    theirs = known.sql(
        """select * from marts.mart_gap_trend where organization_key = 'all' and race_scheme = 'federal7'
        and geography_id = (select geography_id from config.community)"""
    ).df()
    numbers = ["latest_gap", "change", "change_low", "change_high", "p_value", "q_value"]
    _same(ours, theirs, ["indicator_id", "dimension", "group_value"], numbers, ("verdict",))


def test_every_dimension_as_a_whole(
    known: duckdb.DuckDBPyConnection, rated: pd.DataFrame, facts: dict[str, dict[str, str]]
) -> None:
    """If not, a dimension is called more or less equal than it is."""
    ours = independent.dimensions(independent.gaps(rated, facts["direction"]))
    theirs = known.sql(
        """select * from marts.mart_disparity_dimension where organization_key = 'all' and race_scheme = 'federal7'
        and geography_id = (select geography_id from config.community)"""
    ).df()
    assert len(ours) > 500
    numbers = ["between_group_variance", "theil_index", "index_of_disparity"]
    _same(ours, theirs, ["indicator_id", "cohort_year", "dimension"], numbers)


def test_gaps_of_scores(known: duckdb.DuckDBPyConnection) -> None:
    """If not, a gap of scores is told larger or smaller than it is."""
    test = ["instrument_id", "subject", "grade_level", "school_year"]
    scores = known.sql(
        """select r.*, p.gender_group as group_value from core.fct_assessment_result as r
        join core.dim_person as p using (person_key) where is_valid and not is_alternate and score is not null"""
    ).df()
    first = scores.sort_values(["test_date", "season"]).drop_duplicates(["person_key", *test])
    ours = independent.score_gaps(first, test)
    theirs = known.sql(
        "from marts.mart_score_gap where dimension = 'gender' and group_value <> reference_value"
    ).df()
    assert len(ours) > 50
    _same(ours, theirs, [*test, "group_value"], ["score_gap", "standardized_gap", "gap_standard_error"])


def test_status_of_every_gateway(
    known: duckdb.DuckDBPyConnection, rated: pd.DataFrame, facts: dict[str, dict[str, str]]
) -> None:
    """If not, the community is told a gateway that its own data do not bear out."""
    world = independent_gateways.world(known, rated, facts)
    told = known.sql("select outcome_id, verdict, is_improving from marts.mart_gateway_outcome").fetchall()
    assert {outcome: (verdict, improving) for outcome, verdict, improving in told} == {
        o: (world["verdict"][o], world["verdict"][o] == "improved" and world["last"][o] != "declined")
        for o in gateways.OUTCOMES
    }
    reduced, adverse = known.execute(
        "select count(*) filter (counts_as_reduced), count(*) filter (was_adverse_at_baseline) from marts.mart_gateway_gap"
    ).fetchall()[0]
    gaps = [gap for gap in world["gaps"] if gap["was_adverse_at_baseline"]]
    assert len(gaps) == adverse > 0
    assert (
        sum(gap["verdict"] in ("reduced", "eliminated") and not gap["is_levelling_down"] for gap in gaps)
        == reduced
    )
    assert (
        dict(known.sql("select measured_by, status from marts.mart_gateway_measurement").fetchall())
        == world["measured"]
    )
    assert set(world["measured"].values()) == {"met", "not_met"}
    for column, cumulative in (("status", True), ("own_status", False)):
        told = known.sql(f"select gateway_id, {column} from marts.mart_gateway_status").fetchall()
        world["readings"]["cumulative"] = cumulative
        assert dict(told) == gateways.expected(world)
