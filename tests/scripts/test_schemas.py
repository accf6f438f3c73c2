"""The JSON Schemas in docs say what the models accept."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "ingestion" / "sample" / "community"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_schemas", ROOT / "scripts" / "make_schemas.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _plain(file: Path) -> Any:
    """The YAML as an editor sees it: dates are texts."""
    return json.loads(json.dumps(YAML(typ="safe").load(file.read_text()), default=str))


def test_the_schemas_in_docs_are_current(maker: ModuleType) -> None:
    """If not, an editor marks as wrong what is right. `python scripts/make_schemas.py` writes them anew."""
    assert maker.stale() == []


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("community", "community.yml"),
        ("partner", "partners/*/partner.yml"),
        ("feed", "partners/*/feeds/*.yml"),
    ],
)
def test_the_sample_is_valid_by_them(maker: ModuleType, name: str, pattern: str) -> None:
    """If not, a schema is narrower than what runs."""
    checker = jsonschema.Draft202012Validator(maker.schemas()[name])
    files = sorted(SAMPLE.glob(pattern))
    assert files
    for file in files:
        faults = [error.message for error in checker.iter_errors(_plain(file))]
        # Codes and years that YAML takes for numbers are texts to the models.
        assert [fault for fault in faults if "is not of type 'string'" not in fault] == [], file


def test_a_slip_is_found(maker: ModuleType) -> None:
    """If not, the schemas check nothing."""
    checker = jsonschema.Draft202012Validator(maker.schemas()["feed"])
    assert list(
        checker.iter_errors({"feed": "k12_enrolment", "file_pattern": "*.csv", "layouts": [{"columns": {}}]})
    )
    assert list(checker.iter_errors({"feed": "k12_enrollment", "file_patern": "*.csv"}))
