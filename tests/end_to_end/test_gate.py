"""The gate on a built community: each blocking rule stops the release, or holds the delivery that breaks it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import dagster as dg
import duckdb
import pytest

import ingestion
from expectations.model import Suite, load_suites
from expectations.run import run_suites
from orchestration import names
from orchestration.assets.release import build_release_asset
from orchestration.checks import build_quality_checks
from orchestration.community_resource import CommunityResource
from tests.expectations.broken import break_rules
from tests.expectations.built import break_tables
from warehouse.community import load_community
from warehouse.ledger import Ledger
from warehouse.settings import CommunityPaths, Settings

pytestmark = pytest.mark.slow

_RUN = "00000000-0000-4000-8000-000000000001"


def _blocking(suites: Sequence[Suite], among: set[str] | None = None) -> list[Suite]:
    """Suites of built tables with their blocking rules alone, or with some of them."""
    narrowed = []
    for suite in (suite for suite in suites if not suite.table.startswith("lake.")):
        rules = [r for r in suite.rules if r.severity == "block" and (among is None or r.id in among)]
        if rules:
            narrowed.append(suite.model_copy(update={"rules": rules}))
    return narrowed


def _gate_and_release(root: Path) -> dg.ExecuteInProcessResult:
    """The night's own steps after the tables are built, without the rest."""
    marts = [
        dg.AssetKey(suite.table.split(".")) for suite in load_suites() if suite.table.startswith("marts.")
    ]
    checks, release = build_quality_checks(set(marts)), build_release_asset([])
    definitions = dg.Definitions(
        assets=[release],
        asset_checks=[checks],
        jobs=[
            dg.define_asset_job("gate", selection=dg.AssetSelection.checks(*checks.check_keys)),
            dg.define_asset_job(
                "publish", selection=dg.AssetSelection.assets(names.RELEASE_KEY, names.REPORT_CARD)
            ),
        ],
        resources={"community": CommunityResource(folder=str(root))},
    )
    definitions.resolve_job_def("gate").execute_in_process(run_id=_RUN, raise_on_error=False)
    return definitions.resolve_job_def("publish").execute_in_process(run_id=_RUN, raise_on_error=False)


def test_every_blocking_rule_of_built_tables_stops_the_release(demo_copy: Path) -> None:
    """If not, a fault of the models, which no partner can mend, is published."""
    paths = CommunityPaths(demo_copy)
    wanted = {rule.id for suite in _blocking(load_suites()) for rule in suite.rules}
    whole = paths.warehouse.with_name("whole.duckdb")
    shutil.copyfile(paths.warehouse, whole)
    before = paths.releases.joinpath("current").readlink()
    break_tables(paths.warehouse, _blocking(load_suites()))
    published = _gate_and_release(demo_copy)
    assert not published.success and paths.releases.joinpath("current").readlink() == before
    (failure,) = published.filter_events(lambda event: event.is_step_failure)
    told = str(failure.step_failure_data.user_failure_data.description)
    missed = {rule for rule in wanted if f" {rule}: " not in told}
    # What asks that something be there is broken only where it is not.
    lacking = _blocking(load_suites(), missed)
    assert len(missed) < 10
    break_tables(whole, lacking, alone=True)
    assert {result.rule_id for result in run_suites(whole, "lacking", lacking).blocking_failures} == missed


def test_a_night_goes_on_without_the_delivery_that_breaks_a_rule(
    demo_copy: Path, run_cli: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """If not, one partner's bad table keeps everybody's figures back, or its figures are published."""
    community, settings = load_community(demo_copy), Settings(settle_seconds=0)
    before = community.paths.releases.joinpath("current").readlink()
    for night in ("02", "03"):
        shutil.copytree(demo_copy / "nights" / night, community.paths.landing, dirs_exist_ok=True)
    taken = [o for o in ingestion.receive_all(community, settings) if o.feed_id == "k12_enrollment"]
    bad = taken[0].delivery_id
    ledger = Ledger.open(community.paths, settings)
    suite = next(suite for suite in load_suites() if suite.table == "lake.k12_enrollment")
    rule = next(rule for rule in suite.rules if rule.id.endswith("gender_in_option_set"))
    break_rules(community.paths, ledger, bad, [rule])
    done = run_cli("run", "--dir", str(demo_copy))
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"delivery {bad}, held" in done.stdout and rule.id in done.stdout
    current = community.paths.releases.joinpath("current")
    assert current.readlink() != before and f'"{bad}"' not in (current / "manifest.json").read_text()
    with duckdb.connect(str(community.paths.warehouse), read_only=True) as con:
        query = "select partner_id, feed_id, held_by from marts.mart_data_health where held_n > 0"
        assert con.execute(query).fetchall() == [(taken[0].partner_id, "k12_enrollment", rule.id)]
    assert rule.id in run_cli("status", "--dir", str(demo_copy)).stdout
    assert rule.id in run_cli("quality", "explain", "--dir", str(demo_copy)).stdout
    receipt = community.paths.data / str(ledger.find(bad).receipt)  # type: ignore[union-attr]
    assert rule.id.replace("_", " ") in receipt.read_text() and "held" in receipt.read_text()
