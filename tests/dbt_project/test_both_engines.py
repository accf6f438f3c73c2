"""Every model compiles for Spark as well as for DuckDB, with no engine named in a model; needs no Spark."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
CROSS_DB = PROJECT / "macros" / "cross_db"

# Types that a contract may name.
TYPES_OF_BOTH = {"bigint", "boolean", "date", "double", "int", "string", "timestamp"}
# Functions that sqlglot does not model and that both engines have under one name.
KNOWN_IN_BOTH = {"make_date"}
# What one of the two engines lacks, or means otherwise by; each has a macro or a portable spelling.
NOT_PORTABLE = re.compile(
    r"\btarget\s*\.\s*(type|name)\b|\badapter\s*\.\s*type\b|\bstrftime\b|\bstrptime\b|\bdate_diff\s*\(|\barg_(max|min)\s*\("
    r"|\bexclude\s*\(|\bstring_agg\b|\blistagg\b|\bhash\s*\(|\bto_months\b|\bstr_to_date\b|\bgroup\s+by\s+all\b"
    r"|\bvarchar\b(?!\s*\()|\blist_\w+\s*\(|\bregexp_matches\b|\bepoch\w*\s*\(|\bdate_format\b|\bcollect_(list|set)\b",
    re.IGNORECASE,
)
SOURCES = sorted(
    file
    for folder in ("models", "macros", "tests")
    for file in (PROJECT / folder).rglob("*.sql")
    if CROSS_DB not in file.parents
)


def _code(text: str) -> str:
    return re.sub(r"\{#.*?#\}|--[^\n]*", "", text, flags=re.DOTALL)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    target = tmp_path_factory.mktemp("spark_compile")
    command = [
        str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "compile", "--target", "spark",
        "--no-populate-cache", "--no-introspect", "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
        "--target-path", str(target), "--log-path", str(target),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return sorted((target / "compiled").rglob("*.sql"))


def test_no_model_or_macro_names_an_engine_or_its_own_functions() -> None:
    """A model that fails this runs on one engine only, or means another thing on the other."""
    found = [
        f"{file.relative_to(PROJECT)}: {match.group(0)}"
        for file in SOURCES
        for match in NOT_PORTABLE.finditer(_code(file.read_text(encoding="utf-8")))
    ]
    assert not found, "move these behind a dispatched macro in macros/cross_db:\n" + "\n".join(found)


def test_the_check_finds_what_is_not_portable() -> None:
    """A check that cannot fail would let every model through."""
    for bad in (
        "select strftime(a, '%Y') from b",
        "{% if target.type == 'spark' %}",
        "select arg_max(a, b)",
        "date_diff('day', a, b)",
        "cast(a as varchar)",
    ):
        assert NOT_PORTABLE.search(_code(bad)), bad
    assert not NOT_PORTABLE.search(_code("{# strftime #} select a -- arg_max(\n from b"))


def test_contracts_name_types_that_both_engines_know() -> None:
    """Spark refuses a contract that says varchar without a length, and the model with it."""
    kinds = {
        f"{file.relative_to(PROJECT)}: {kind}"
        for file in (PROJECT / "models").rglob("*.yml")
        for kind in re.findall(r"data_type:\s*(\w+)", file.read_text(encoding="utf-8"))
        if kind not in TYPES_OF_BOTH
    }
    assert not kinds, "use one of " + ", ".join(sorted(TYPES_OF_BOTH)) + ":\n" + "\n".join(sorted(kinds))


def test_every_model_compiles_for_spark_and_is_spark_sql(compiled: list[Path]) -> None:
    """A model that fails this stops the night of a community that runs on Spark."""
    models = {file.stem for file in (PROJECT / "models").rglob("*.sql")}
    assert models <= {file.stem for file in compiled}
    unknown: list[str] = []
    for file in compiled:
        text = file.read_text(encoding="utf-8")
        if not text.strip():
            continue
        tree = sqlglot.parse_one(text, dialect="spark", error_level=sqlglot.ErrorLevel.RAISE)
        unknown += [
            f"{file.name}: {call.name}"
            for call in tree.find_all(exp.Anonymous)
            if call.name.lower() not in KNOWN_IN_BOTH | {"assert_true"}
        ]
    assert not unknown, "functions that only one engine may have:\n" + "\n".join(unknown)
