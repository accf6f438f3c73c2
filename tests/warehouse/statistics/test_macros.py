"""The SQL formulas of the marts against statsmodels and scipy, and against the Python of `throughline gaps`, to 1e-9."""

from __future__ import annotations

from pathlib import Path

import duckdb
import jinja2
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

from warehouse.statistics import margins, proportions

FOLDER = Path(__file__).resolve().parents[3] / "dbt_project" / "macros" / "statistics"
WIDE, NARROW = "1.959963984540054", "1.6448536269514722"


def sql(expression: str) -> str:
    """An expression with macros, rendered as dbt does."""
    source = "\n".join(file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.sql")))
    return jinja2.Environment(autoescape=False).from_string(source + "{{ " + expression + " }}").render()  # noqa: S701 - makes SQL, no page


def evaluated(frame: pd.DataFrame, expression: str) -> np.ndarray:
    with duckdb.connect() as con:
        con.register("frame", frame)
        found: np.ndarray = con.sql(f"select {sql(expression)} as v from frame").df()["v"].to_numpy(float)
        return found


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    """Pairs of counts: every edge of small ones, and large ones at random."""
    small = [(x, n, y, m) for n in (1, 2, 7) for x in range(n + 1) for m in (1, 5) for y in range(m + 1)]
    rng = np.random.default_rng(3)
    n, m = rng.integers(10, 100_000, 300), rng.integers(10, 5_000, 300)
    large = np.column_stack([rng.binomial(n, rng.random(300)), n, rng.binomial(m, rng.random(300)), m])
    frame = pd.DataFrame(np.vstack([small, large]), columns=["x1", "n1", "x2", "n2"])
    frame["p1"], frame["p2"] = frame["x1"] / frame["n1"], frame["x2"] / frame["n2"]
    return frame


@pytest.mark.parametrize(("z", "alpha"), [(WIDE, 0.05), (NARROW, 0.10)])
def test_intervals_of_rates_and_differences(pairs: pd.DataFrame, z: str, alpha: float) -> None:
    """If not, every published interval is wrong."""
    low, high = proportion_confint(pairs["x1"], pairs["n1"], alpha=alpha, method="wilson")
    assert np.allclose(evaluated(pairs, f"wilson_lower('x1', 'n1', '{z}')"), low, atol=1e-9)
    assert np.allclose(evaluated(pairs, f"wilson_upper('x1', 'n1', '{z}')"), high, atol=1e-9)
    theirs = np.array(
        [
            confint_proportions_2indep(*row, method="newcomb", compare="diff", alpha=alpha)
            for row in pairs[["x1", "n1", "x2", "n2"]].itertuples(index=False)
        ]
    )
    lower = f"newcombe_lower('p1', wilson_lower('x1', 'n1', '{z}'), 'p2', wilson_upper('x2', 'n2', '{z}'))"
    upper = f"newcombe_upper('p1', wilson_upper('x1', 'n1', '{z}'), 'p2', wilson_lower('x2', 'n2', '{z}'))"
    assert np.allclose(evaluated(pairs, lower), theirs[:, 0], atol=1e-9)
    assert np.allclose(evaluated(pairs, upper), theirs[:, 1], atol=1e-9)


def test_tests_of_two_proportions(pairs: pd.DataFrame) -> None:
    """If not, noise is told as a difference."""
    inside = pairs[(pairs["x1"] + pairs["x2"]).between(1, pairs["n1"] + pairs["n2"] - 1)]
    theirs = np.array(
        [proportions_ztest([r.x1, r.x2], [r.n1, r.n2]) for r in inside.itertuples(index=False)], dtype=float
    )
    z = "two_proportion_z('x1', 'n1', 'x2', 'n2')"
    assert np.allclose(evaluated(inside, z), theirs[:, 0], rtol=1e-9, atol=1e-9)
    assert np.allclose(evaluated(inside, f"p_two_sided({z})"), theirs[:, 1], atol=1e-9)


def test_tail_of_the_normal_distribution() -> None:
    """If not, p-values are wrong far out or near nought."""
    frame = pd.DataFrame(
        {"z": np.concatenate([np.linspace(-9, 9, 2001), [37.5, -40.0, 7.0710678, 7.0710679]])}
    )
    assert np.allclose(
        evaluated(frame, "p_two_sided('z')"), 2 * stats.norm.sf(np.abs(frame["z"])), rtol=1e-9, atol=1e-15
    )


def test_correction_for_many_tests() -> None:
    """If not, looking at many groups finds differences that are none.

    Source: Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995), section 4: of 15 tests of two
    treatments of infarction the procedure at 5 % rejects four, that of Bonferroni three.
    """
    infarction = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1.0]  # fmt: skip
    assert int((proportions.benjamini_hochberg(infarction) <= 0.05).sum()) == 4
    rng = np.random.default_rng(9)
    for p in (infarction, rng.random(200), np.repeat([0.01, 0.2], 30)):
        frame = pd.DataFrame({"p": p, "family": "f", "n": len(p)})
        frame["rank"] = frame["p"].rank(method="first")
        found = evaluated(frame, "benjamini_hochberg('p', 'rank', 'n', 'family')")
        with duckdb.connect() as con:
            con.register("frame", frame)
            window = sql("benjamini_hochberg('p', 'rank', 'n', 'family')")
            found = con.sql(f"select {window} as q from frame order by rank").df()["q"].to_numpy(float)
        expected = np.sort(multipletests(p, method="fdr_bh")[1])
        assert np.allclose(found, expected, atol=1e-9)


def test_changes_of_differences(pairs: pd.DataFrame) -> None:
    """If not, a gap is called closed that is not; MOVER of two rates is Newcombe's interval of their difference."""
    frame = pairs.assign(
        l1=proportions.wilson(pairs["x1"], pairs["n1"])[0], u1=proportions.wilson(pairs["x1"], pairs["n1"])[1],
        l2=proportions.wilson(pairs["x2"], pairs["n2"])[0], u2=proportions.wilson(pairs["x2"], pairs["n2"])[1],
    )  # fmt: skip
    low, high = proportions.newcombe(pairs["x1"], pairs["n1"], pairs["x2"], pairs["n2"])
    assert np.allclose(evaluated(frame, "mover_lower('p1', 'l1', 'p2', 'u2')"), low, atol=1e-9)
    assert np.allclose(evaluated(frame, "mover_upper('p1', 'u1', 'p2', 'l2')"), high, atol=1e-9)
    ours = proportions.mover_difference(*(frame[c] for c in ("p1", "l1", "u1", "p2", "l2", "u2")))
    assert np.allclose(ours, (low, high), atol=1e-9)


@pytest.mark.parametrize("confidence", [0.90, 0.95, 0.99])
def test_standard_errors_of_margins(confidence: float) -> None:
    """If not, a margin at one level is taken for another's."""
    frame = pd.DataFrame({"moe": [0.0, 12.5, 3303.0]})
    found = evaluated(frame, f"se_from_moe('moe', '{confidence}')")
    assert np.allclose(found, margins.standard_error(frame["moe"], confidence), atol=1e-9)


def test_margins_of_sums_and_proportions() -> None:
    """If not, a computed share of households has a margin of no meaning."""
    parts = pd.DataFrame({"x": [50.0, 0.0, 0.0, 7.0], "e": [10.0, 5.0, 8.0, 3.0]})
    assert evaluated(parts, "moe_of_sum('x', 'e')")[0] == pytest.approx(
        margins.sum_margin(parts["x"], parts["e"]), abs=1e-9
    )
    # The second has the larger relative error below the line, so that the radicand would be negative.
    pairs = pd.DataFrame({"x": [100.0, 90.0], "e": [20.0, 5.0], "y": [360.0, 100.0], "f": [30.0, 40.0]})
    assert np.allclose(
        evaluated(pairs, "moe_of_proportion('x', 'e', 'y', 'f')"),
        margins.proportion_margin(pairs["x"], pairs["e"], pairs["y"], pairs["f"]),
        atol=1e-9,
    )


@pytest.mark.parametrize(
    ("change", "half", "q", "direction", "verdict"),
    [
        (0.05, 0.04, 0.04, "higher", "improved"),
        (0.05, 0.04, 0.04, "lower", "declined"),
        (-0.05, 0.04, 0.04, "higher", "declined"),
        (-0.05, 0.04, 0.04, "lower", "improved"),
        (0.05, 0.04, 0.05, "higher", "not_enough_evidence"),  # exactly 5 % is not below it
        (0.05, 0.05, 0.01, "higher", "not_enough_evidence"),  # the interval ends at nought
        (0.005, 0.014, 0.9, "higher", "maintained"),
        (0.005, 0.015, 0.9, "higher", "not_enough_evidence"),  # the interval ends at the margin
        (0.005, 0.004, 0.01, "higher", "improved"),  # beyond noise, however small
    ],
)
def test_verdicts_at_every_boundary(
    change: float, half: float, q: float, direction: str, verdict: str
) -> None:
    """If not, a verdict falls on the wrong side of its rule."""
    frame = pd.DataFrame(
        [{"c": change, "l": round(change - half, 9), "h": round(change + half, 9), "q": q, "d": direction}]
    )
    words = sql("change_verdict('c', 'l', 'h', 'q', 'l', 'h', '0.02', 'd')")
    with duckdb.connect() as con:
        con.register("frame", frame)
        assert con.sql(f"select {words} from frame").fetchone() == (verdict,)
