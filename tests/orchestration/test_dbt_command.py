"""Which tables a night leaves as they are, and whether dbt's last parse may be used again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration import dbt_command
from orchestration.dbt_manifest import manifest_path


def test_only_what_follows_from_a_changed_source_is_built() -> None:
    """If not, a correction costs a full night, or leaves an old figure standing."""
    manifest = json.loads(manifest_path().read_text())
    rest = set(dbt_command.unaffected(manifest, ["lake.k12_fafsa"]))
    assert {"dim_geography", "ind_early_grade_reading", "framework_benchmark"} <= rest
    assert not rest & {"stg_k12__fafsa", "fct_fafsa", "ind_fafsa_completion", "mart_indicator_rate"}
    everything = set(dbt_command.unaffected(manifest, []))
    assert {"fct_fafsa", "mart_indicator_rate", "framework_benchmark"} <= everything


def test_a_parse_is_used_again_only_for_the_same_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, a new indicator is missing from the union until somebody clears the folder."""
    parse = tmp_path / "partial_parse.msgpack"
    with dbt_command.known_parse(tmp_path):
        parse.write_text("of this project")
    with dbt_command.known_parse(tmp_path):
        assert parse.exists()
    monkeypatch.setattr(dbt_command, "sources_hash", lambda: "another")
    with dbt_command.known_parse(tmp_path):
        assert not parse.exists()


def test_a_parse_that_was_cut_off_is_not_used(tmp_path: Path) -> None:
    """If not, a night killed while dbt parsed harms the next."""
    with dbt_command.known_parse(tmp_path):
        (tmp_path / "partial_parse.msgpack").write_text("whole")
    with pytest.raises(RuntimeError), dbt_command.known_parse(tmp_path):
        raise RuntimeError
    with dbt_command.known_parse(tmp_path):
        assert not (tmp_path / "partial_parse.msgpack").exists()


def test_a_failed_build_names_its_tests_and_tables_and_no_value(tmp_path: Path) -> None:
    """If not, an operator reads a page of dbt's log to learn which test failed, or an alert quotes the data."""
    assert dbt_command.what_failed(tmp_path) is None
    shape = {"failures": None, "message": "OK"}
    results = [
        {**shape, "unique_id": "model.throughline.dim_person", "status": "success"},
        {
            **shape,
            "unique_id": "model.throughline.fct_wage",
            "status": "error",
            "message": "Ada is no number",
        },
        {
            **shape,
            "unique_id": "test.throughline.fct_wage__no_overlap.12ab",
            "status": "fail",
            "failures": 1200,
        },
    ]
    (tmp_path / "run_results.json").write_text(json.dumps({"results": results}))
    told = str(dbt_command.what_failed(tmp_path))
    assert "model fct_wage could not be run." in told
    assert "test fct_wage__no_overlap: 1,200 rows break it." in told
    assert "Ada" not in told and "dim_person" not in told
    dbt_command.forget_results(tmp_path)
    assert dbt_command.what_failed(tmp_path) is None
