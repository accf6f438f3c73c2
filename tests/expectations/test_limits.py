"""A community sets the figures of rules otherwise, and only those that a rule has."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from expectations.drift import load_drift_rules
from expectations.limits import chosen
from expectations.model import Rule, load_suites
from expectations.run import run_suites
from orchestration.configuration import load_configured
from tests.expectations.rejected import fill
from warehouse.community import ConfigurationError

FELL = "mart_linkage_quality_match_rate_fell"
_COMMUNITY = "community_id: a\nname: A\ngeography_id: a\ngeography_name: A\n"


def _community(root: Path, limits: str) -> Path:
    root.mkdir()
    (root / "community.yml").write_text(f"{_COMMUNITY}quality:\n  limits: {limits}\n", encoding="utf-8")
    return root


def test_a_community_s_margin_decides(tmp_path: Path) -> None:
    """If not, a small community is told every night of what is chance, and stops reading."""
    root = _community(tmp_path / "a", f"{{{FELL}: {{margin: 0.3}}}}")
    limits = load_configured(root).config.quality.limits
    database = tmp_path / "warehouse.duckdb"
    suite = next(s for s in load_suites() if any(rule.id == FELL for rule in s.rules))
    with duckdb.connect(str(database)) as con:
        fill(con, suite.table, [rule for rule in suite.rules if rule.id == FELL])
    spoke = {}
    for name, suites in (("shipped", load_suites()), ("own", load_suites(limits))):
        asked = [s for s in suites if s.table == suite.table]
        spoke[name] = {r.rule_id: r for r in run_suites(database, name, asked).warnings}.get(FELL)
    assert spoke["shipped"] is not None and spoke["shipped"].limits["margin"] == 0.02
    assert spoke["own"] is None  # from 95 to 70 in a hundred is within 30 points


def test_every_figure_can_be_set() -> None:
    """If not, a figure is listed that changes nothing."""
    rules = [*load_drift_rules(), *(rule for suite in load_suites() for rule in suite.rules)]
    limited = [rule for rule in rules if rule.limits]
    assert len(limited) > 40
    for rule in limited:
        for name in rule.limits:
            (other,) = chosen([rule], {rule.id: {name: 0.123}})
            sql = str(getattr(rule, "must_hold", None) or rule.violations)  # type: ignore[attr-defined]
            assert other.asked(sql) != rule.asked(sql) and "0.123" in other.asked(sql)
            assert other.limits.keys() == rule.limits.keys()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("{no_such_rule: {margin: 1}}", "quality.limits.no_such_rule: no rule of this id has figures"),
        (
            f"{{{FELL}: {{margni: 1}}}}",
            f"quality.limits.{FELL}.margni: unknown; allowed: errors, margin, people",
        ),
        (f"{{{FELL}: {{margin: -1}}}}", "greater than or equal to 0"),
    ],
)
def test_a_figure_that_no_rule_has_is_refused(tmp_path: Path, limits: str, said: str) -> None:
    """If not, a misspelt limit leaves the shipped one in force, and nobody knows."""
    with pytest.raises(ConfigurationError) as error:
        load_configured(_community(tmp_path / "a", limits))
    assert "community.yml" in str(error.value) and said in str(error.value)


def test_a_limit_that_the_sql_does_not_read_is_refused() -> None:
    """If not, a rule offers a figure that changes nothing."""
    with pytest.raises(ValueError, match="does not read: b"):
        Rule(
            id="t", severity="warn", why="w", fix="f", must_hold="a > {a}", rejects=[{"a": 0}],
            limits={"a": 1, "b": 2},
        )  # fmt: skip
