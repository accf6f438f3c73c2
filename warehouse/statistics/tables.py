"""Disparity tables: every group of every dimension of a table, by cohort and part, against its reference.

What belongs here: grouping and putting the parts together. What does not: measures of one dimension (`rate_table`,
`score_table`), change between cohorts (`change_table`), reading (`source`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from warehouse.statistics import disparity, proportions
from warehouse.statistics.choices import BETWEEN, Choices, require_reference, verdicts
from warehouse.statistics.estimate_table import estimate_measures
from warehouse.statistics.rate_table import rate_measures
from warehouse.statistics.score_table import score_measures
from warehouse.statistics.shrinkage import between_variance
from warehouse.statistics.source import UNKNOWN, AnalysisInputError, Records, joined

_YEAR = re.compile(r"(?:19|20)\d\d")
# Within a year as it is written in names of terms.
_SEASONS = ("winter", "spring", "summer", "autumn", "fall")


def dimensions(groups: tuple[str, ...], most: int = 3) -> list[tuple[str, ...]]:
    """Each grouping column by itself, then their crossings, up to so many at once."""
    return [
        crossed for size in range(1, min(len(groups), most) + 1) for crossed in combinations(groups, size)
    ]


@dataclass(frozen=True)
class Measured:
    """All that `throughline gaps` says of a table.

    Attributes:
        records: how each outcome was read.
        groups: a row an outcome, cohort, part, dimension and group.
        summary: a row a dimension as a whole.
        changes: a row a group, first against last cohort; empty where there is one.
    """

    records: list[Records]
    groups: pd.DataFrame
    summary: pd.DataFrame
    changes: pd.DataFrame


def measure(records: list[Records], choices: Choices, ends: tuple[str | None, str | None] = (None, None)) -> Measured:  # fmt: skip
    """Measure outcomes, and the change between two cohorts (by default the first and the last)."""
    from warehouse.statistics.change_table import change_table  # needs this module's order of cohorts

    table = disparity_table(records, choices)
    return Measured(records, table, summary_table(table), change_table(table, choices, *ends))


def disparity_table(outcomes: list[Records], choices: Choices) -> pd.DataFrame:
    """One row an outcome, cohort, part, dimension and group, with every measure (`fields` says what each one is).

    The p-values of one cohort are corrected together, over all outcomes, parts and groups (Benjamini and Hochberg).

    Raises:
        AnalysisInputError: the named reference group is in none of the dimensions.
    """
    table = pd.concat([_outcome_table(records, choices) for records in outcomes], ignore_index=True)
    require_reference(table, choices)
    table["q_value"] = np.nan
    for _, rows in table.groupby("cohort", sort=False):
        table.loc[rows.index, "q_value"] = proportions.benjamini_hochberg(rows["p_value"])
    table["verdict"] = verdicts(table, choices)
    return table


def _outcome_table(records: Records, choices: Choices) -> pd.DataFrame:
    parts = []
    for cohort, within, frame in _parts(_summed(records)):
        for crossed in dimensions(records.groups, choices.most_crossed):
            part, whole = _without_totals(frame, crossed, records.total)
            if part.empty:
                continue
            part = part.assign(group=joined(part, crossed, BETWEEN))
            measured = _measures(records, part, choices, whole)
            keys = {
                "outcome": records.outcome, "cohort": cohort, "within": within, "dimension": " x ".join(crossed)
            }  # fmt: skip
            measured[["all_successes", "all_n"]] = (np.nan, np.nan) if whole is None else whole
            parts.append(measured.assign(**keys)[[*keys, *measured.columns]])
    if not parts:
        raise AnalysisInputError(f"every row of '{records.outcome}' is a total; leave --total away")
    return pd.concat(parts, ignore_index=True)


def _summed(records: Records) -> pd.DataFrame:
    """Records of a rate added up where they are alike, so that a row a person costs no more than a row a group."""
    if records.kind != "rate":
        return records.frame
    alike = [*records.groups, "cohort", "within"]
    told = records.frame["x"].notna().rename("told")
    summed = (
        records.frame.groupby([*alike, told], sort=False)[["n", "squares", "x", "missing"]]
        .sum()
        .reset_index()
    )
    return summed.assign(x=summed["x"].where(summed["told"])).drop(columns="told")


def _measures(
    records: Records, part: pd.DataFrame, choices: Choices, whole: tuple[float, float] | None
) -> pd.DataFrame:
    """The measures of one dimension, by the kind of its outcome."""
    if records.kind == "rate":
        return rate_measures(_counted(part), choices, whole)
    if records.kind == "estimate":
        return estimate_measures(part, choices)
    return score_measures(part, choices, records.leveled)


def _without_totals(
    frame: pd.DataFrame, crossed: tuple[str, ...], total: str | None
) -> tuple[pd.DataFrame, tuple[float, float] | None]:
    """The rows of groups, and what the rows that stand for everybody say: those who met it, and people."""
    if total is None:
        return frame, None
    is_total = frame[list(crossed)].apply(lambda column: column.str.casefold() == total.casefold())
    everybody = frame[is_total.all(axis=1) & frame["x"].notna()]
    whole = (float(everybody["x"].sum()), float(everybody["n"].sum())) if len(everybody) else None
    return frame[~is_total.any(axis=1)], whole


def _parts(frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for cohort in sorted(frame["cohort"].unique(), key=natural):
        of_cohort = frame[frame["cohort"] == cohort]
        for within in sorted(of_cohort["within"].unique()):
            yield cohort, within, of_cohort[of_cohort["within"] == within]


def natural(text: str) -> tuple[int, float, int, str]:
    """Order of cohorts: numbers by size; words with a year by year and season; then others by letter; unknown last."""
    try:
        return 0, float(text), 0, text
    except ValueError:
        pass
    year = _YEAR.search(text)
    if text == UNKNOWN or year is None:
        return 1 + (text == UNKNOWN), 0.0, 0, text
    season = next((at for at, word in enumerate(_SEASONS) if word in text.casefold()), 0)
    return 0, float(year[0]), season, text


def _counted(frame: pd.DataFrame) -> pd.DataFrame:
    seen = frame["x"].notna()
    measured = frame.assign(n=frame["n"].where(seen, 0.0), squares=frame["squares"].where(seen, 0.0), x=frame["x"].fillna(0.0))  # fmt: skip
    counted = (
        measured.groupby("group", sort=True)
        .agg(n=("n", "sum"), squares=("squares", "sum"), missing_n=("missing", "sum"), successes=("x", "sum"))
        .reset_index()
    )
    counted["effective_n"] = (counted["n"] ** 2 / counted["squares"].where(counted["n"] > 0)).fillna(0.0)
    return counted[["group", "n", "effective_n", "missing_n", "successes"]]


def summary_table(table: pd.DataFrame) -> pd.DataFrame:
    """One row an outcome, cohort, part and dimension: the whole of it, and how unlike its groups are."""
    keys = ["outcome", "cohort", "within", "dimension"]
    rows = []
    for key, frame in table[table["n"] > 0].groupby(keys, sort=False):
        head = dict(zip(keys, key, strict=True)) | {"groups": len(frame), "n": frame["n"].sum()}
        all_n = frame["all_n"].iloc[0]
        if frame["n"].sum() > all_n * (1 + 1e-9):
            # People of several groups: what weighs groups by their share would count them twice.
            rows.append(head | {"overlapping": True})
        elif _has(frame, "rate"):
            rows.append(head | _rate_summary(frame))
        elif _has(frame, "mean"):
            rows.append(head | _score_summary(frame))
        else:
            rows.append(head | {"widest_gap": frame["estimate"].max() - frame["estimate"].min()})
    return pd.DataFrame(rows)


def _has(frame: pd.DataFrame, column: str) -> bool:
    return column in frame and bool(frame[column].notna().any())


def _rate_summary(frame: pd.DataFrame) -> dict[str, float]:
    x, n, p, e = (frame[column].to_numpy(float) for column in ("successes", "n", "rate", "effective_n"))
    whole = float(x.sum() / n.sum())
    chi_square, p_value = disparity.homogeneity(p * e, e)
    known = np.isfinite(p) & (whole * (1 - whole) > 0)
    excess = between_variance(p[known], whole * (1 - whole) / e[known]) if known.sum() > 1 else float("nan")
    return {
        "rate": whole,
        "widest_gap": p.max() - p.min(),
        "between_group_variance": disparity.between_group_variance(p, n),
        "between_group_sd_beyond_chance": float(np.sqrt(excess)),
        "theil_index": disparity.theil_index(p, n) if whole > 0 else float("nan"),
        "index_of_disparity": disparity.index_of_disparity(p, float(p.max())),
        "chi_square": chi_square,
        "chi_square_p_value": p_value,
    }


def _score_summary(frame: pd.DataFrame) -> dict[str, float]:
    n, m, s, e = (frame[column].to_numpy(float) for column in ("n", "mean", "sd", "effective_n"))
    whole = float((n * m).sum() / n.sum())
    between = float((n * (m - whole) ** 2).sum())
    inside = float(np.nansum(s**2 * n * (e - 1) / e))
    return {
        "mean": whole,
        "widest_gap": m.max() - m.min(),
        "between_group_variance": between / n.sum(),
        # Share of the scores' variation that lies between groups.
        "eta_squared": between / (between + inside) if between + inside else float("nan"),
    }
