"""Formulas against published examples and a second implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, mannwhitneyu, norm
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest
from statsmodels.stats.weightstats import ttest_ind

from warehouse.statistics import disparity, margins, proportions, scores
from warehouse.statistics.ordinal import probability_higher, v_from_levels, v_statistic
from warehouse.statistics.shrinkage import between_variance


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 5000))
    return draw(st.integers(0, n)), n


# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_limits(x: int, n: int, low: float, high: float) -> None:
    """If not, every interval of a rate is wrong."""
    found = proportions.wilson(x, n)
    assert found[0] == pytest.approx(low, abs=5e-5)
    assert found[1] == pytest.approx(high, abs=5e-5)


# Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
@pytest.mark.parametrize(
    ("x1", "n1", "x2", "n2", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_newcombe_gives_the_published_limits(
    x1: int, n1: int, x2: int, n2: int, low: float, high: float
) -> None:
    """If not, a gap's interval says too much or too little."""
    found = proportions.newcombe(x1, n1, x2, n2)
    assert found[0] == pytest.approx(low, abs=5e-5)
    assert found[1] == pytest.approx(high, abs=5e-5)


@settings(max_examples=200, deadline=None)
@given(counts(), counts())
def test_proportions_agree_with_a_second_implementation(one: tuple[int, int], two: tuple[int, int]) -> None:
    """If not, one of two independent programs is wrong."""
    assert np.allclose(proportions.wilson(*one), proportion_confint(*one, method="wilson"), atol=1e-9)
    theirs = confint_proportions_2indep(*one, *two, method="newcomb", compare="diff")
    assert np.allclose(proportions.newcombe(*one, *two), theirs, atol=1e-9)
    if 0 < one[0] + two[0] < one[1] + two[1]:
        z, p = proportions_ztest([one[0], two[0]], [one[1], two[1]])
        ours = proportions.two_proportion_z(*one, *two)
        assert ours == pytest.approx(z, abs=1e-9)
        assert proportions.p_two_sided(ours) == pytest.approx(p, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_corrected_p_values_agree_with_a_second_implementation(p: list[float]) -> None:
    """If not, looking at many groups finds differences that are none."""
    assert np.allclose(proportions.benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1], atol=1e-9)


def test_a_missing_p_value_is_not_of_the_family() -> None:
    """If not, groups without a test weaken those with one."""
    found = proportions.benjamini_hochberg([0.01, np.nan, 0.04])
    assert np.isnan(found[1])
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])


def test_means_agree_with_a_second_implementation() -> None:
    """If not, differences of scores are wrong."""
    rng = np.random.default_rng(5)
    one, two = rng.normal(10, 3, 40), rng.normal(11, 5, 25)
    m1, s1, m2, s2 = one.mean(), one.std(ddof=1), two.mean(), two.std(ddof=1)
    _, _, p = scores.difference_interval(m1, s1, 40, m2, s2, 25)
    assert p == pytest.approx(ttest_ind(one, two, usevar="unequal")[1], abs=1e-9)
    pooled = np.sqrt((39 * s1**2 + 24 * s2**2) / 63)
    assert scores.cohens_d(m1, s1, 40, m2, s2, 25) == pytest.approx((m1 - m2) / pooled)
    # The exact factor is near its usual approximation 1 - 3 / (4 df - 1).
    assert scores.hedges_correction(40, 25) == pytest.approx(1 - 3 / (4 * 63 - 1), abs=1e-4)


def test_disproportionate_impact_by_hand() -> None:
    """If not, a college counts the wrong groups as served worse."""
    x, n = np.array([60.0, 30.0, 8.0]), np.array([100.0, 80.0, 20.0])
    p = x / n
    others = disparity.all_but_current(x, n)
    assert others == pytest.approx([38 / 100, 68 / 120, 90 / 180])
    margin = disparity.ppg_margin(p, n)
    assert margin[0] == pytest.approx(1.96 * np.sqrt(0.24 / 100))
    assert list(disparity.has_disproportionate_impact(p, others, margin)) == [0, 1, 0]
    assert disparity.proportionality_index(x, n) == pytest.approx([0.6 / 0.49, 0.375 / 0.49, 0.4 / 0.49])
    assert list(disparity.people_needed(p, n, 0.6)) == [0, 18, 4]


def test_the_edge_of_disproportionate_impact_counts() -> None:
    """If not, a group exactly at the edge is missed: p + E <= reference."""
    assert disparity.has_disproportionate_impact([0.5], [0.52], [0.02])[0] == 1


def test_people_needed_is_whole_and_never_one_too_many() -> None:
    """If not, rounding of a rate asks for a person too many."""
    assert disparity.people_needed([0.1], [30], [0.2])[0] == 3
    assert disparity.people_needed([0.3], [10], [0.2])[0] == 0
    assert disparity.people_needed([0.3], [10], [0.2], higher_is_better=False)[0] == 1


def test_indices_of_a_dimension_by_hand() -> None:
    """If not, a dimension's summary misleads."""
    assert disparity.between_group_variance([0.2, 0.6], [50, 50]) == pytest.approx(0.04)
    assert disparity.index_of_disparity([0.8, 0.4], 0.8) == pytest.approx(50)
    relative = np.array([0.5, 1.5])
    assert disparity.theil_index([0.2, 0.6], [50, 50]) == pytest.approx((relative * np.log(relative)).mean())


def test_margins_follow_the_handbook() -> None:
    """If not, sums and shares of Census estimates carry wrong margins; figures worked by hand from its formulas."""
    assert margins.standard_error(1645) == pytest.approx(1000)
    assert margins.sum_margin([100, 200], [30, 40]) == pytest.approx(50)
    assert margins.sum_margin([100, 0, 0], [30, 12, 40]) == pytest.approx(50)
    assert margins.proportion_margin(50, 10, 100, 10) == pytest.approx(np.sqrt(100 - 25) / 100)
    assert margins.proportion_margin(90, 1, 100, 10) == pytest.approx(np.sqrt(1 + 81) / 100)
    assert margins.ratio_margin(50, 10, 100, 10) == pytest.approx(np.sqrt(100 + 25) / 100)
    assert margins.change_z(110, 16.45, 100, 0) == pytest.approx(1.0)
    with pytest.raises(ValueError, match=r"0\.90"):
        margins.standard_error(10, 0.8)


def test_margins_of_the_handbooks_own_examples() -> None:
    """If not, sums, shares and ratios of Census estimates carry wrong margins.

    Source: Census Bureau, A Compass for Understanding and Using American Community Survey Data (2008), appendix 3,
    examples 1 to 3: females living alone in Fairfax, Arlington and Alexandria; Black females with a graduate degree as a
    share of all, and for each such Black male.
    """
    alone, errors = [52_354, 19_464, 17_190], [3_303, 2_011, 1_854]
    assert sum(alone) == 89_008
    assert round(margins.sum_margin(alone, errors)) == 4_289
    assert margins.proportion_margin(4_634, 989, 31_713, 601) == pytest.approx(0.0311, abs=5e-5)
    assert margins.ratio_margin(4_634, 989, 6_440, 1_328) == pytest.approx(0.2135, abs=2e-4)
    # Never-married females of the same area in the handbook of 2018, table 8.1.
    assert round(margins.sum_margin([135_173, 43_104, 24_842], [3_860, 2_642, 1_957])) == 5_070
    # A difference is one at 90 % where it exceeds both margins together: median ages of a city and its country.
    assert margins.change_z(38.4, 0.1, 37.9, 0.1) / 1.645 == pytest.approx(3.535533905932737)


def test_ratio_of_two_rates_as_published() -> None:
    """If not, a ratio's interval is wrong: aspirin and infarction, Agresti, Categorical Data Analysis (2002), 3.1."""
    low, high = proportions.ratio_interval(189, 11_034, 104, 11_037)
    assert (low, high) == (pytest.approx(1.43, abs=5e-3), pytest.approx(2.31, abs=5e-3))


@settings(max_examples=60, deadline=None)
@given(st.lists(counts(), min_size=2, max_size=8))
def test_dimensions_agree_with_a_second_implementation(groups: list[tuple[int, int]]) -> None:
    """If not, a dimension as a whole is told wrongly: chi-square by scipy, variance between groups by statsmodels."""
    x, n = (np.array(values, dtype=float) for values in zip(*groups, strict=True))
    whole = x.sum() / n.sum()
    if not 0 < whole < 1:
        assert np.isnan(disparity.homogeneity(x, n)[0])
        return
    theirs = chi2_contingency(np.array([x, n - x]), correction=False)
    assert disparity.homogeneity(x, n) == pytest.approx((theirs.statistic, theirs.pvalue), abs=1e-9, rel=1e-9)
    variances = whole * (1 - whole) / n
    tau2 = combine_effects(x / n, variances, method_re="dl").tau2
    assert between_variance(x / n, variances) == pytest.approx(max(0.0, tau2), abs=1e-9)
    assert disparity.between_group_variance(x / n, n) == pytest.approx(
        np.average((x / n - whole) ** 2, weights=n), abs=1e-9
    )


def test_ranks_agree_with_a_second_implementation() -> None:
    """If not, V is not what Ho and Reardon call so; for normal scores of one variance it is the standardized gap."""
    rng = np.random.default_rng(4)
    one, other = rng.integers(0, 12, 300), rng.integers(2, 14, 200)
    values = np.arange(14)
    counts_of = [np.array([(scores_ == v).sum() for v in values])[:, None] for scores_ in (one, other)]
    u = mannwhitneyu(other, one).statistic
    assert probability_higher(*counts_of)[0] == pytest.approx(u / (300 * 200), abs=1e-9)
    assert v_statistic([0.5, 1.0])[0] == 0
    assert np.isnan(v_statistic([1.0])[0])
    # 0.5 standard deviations apart, cut at -1, 0 and 1: exact shares give exactly V.
    low, high = (np.diff(norm.cdf([-np.inf, -1, 0, 1, np.inf], shift)) for shift in (0.0, 0.5))
    assert v_from_levels(low, high) == pytest.approx(0.5, abs=1e-9)


def test_hedges_factor_is_the_exact_one() -> None:
    """If not, small groups' standardized gaps are biased: one over the root of pi for two degrees of freedom."""
    assert scores.hedges_correction(2, 2) == pytest.approx(1 / np.sqrt(np.pi), abs=1e-9)


def test_no_change_is_seldom_called_one() -> None:
    """If not, noise is reported as progress: at most one verdict in twenty on data without change."""
    rng = np.random.default_rng(11)
    p = rng.uniform(0.1, 0.9, 4000)
    n1, n2 = rng.integers(20, 800, 4000), rng.integers(20, 800, 4000)
    x1, x2 = rng.binomial(n1, p), rng.binomial(n2, p)
    low, high = proportions.newcombe(x1, n1, x2, n2)
    assert ((low > 0) | (high < 0)).mean() <= 0.05
