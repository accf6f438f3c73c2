"""How the groups of a table are compared: the choices, and the reference that they lead to.

What belongs here: options with their defaults and the choice of a reference. What does not: measures (`rate_table`,
`score_table`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from warehouse.statistics.proportions import Array, rate
from warehouse.statistics.source import NOT_TOLD, AnalysisInputError

BETWEEN = " / "
ALPHA = 0.05
_ALIASES = {
    "hpg": "highest",
    "highest performing group": "highest",
    "all but current": "others",
    "all_but_current": "others",
    "all others": "others",
    "overall": "whole",
    "all": "whole",
}
_KEYWORDS = ("highest", "lowest", "largest", "others", "whole")
Kind = Literal["group", "others", "whole", "target", "none"]


@dataclass(frozen=True)
class Choices:
    """How groups are compared.

    Attributes:
        reference: highest, lowest, largest, others (everybody else), whole (all), a group's name, or a number; several
            names, one a grouping column, also name the crossings of these groups.
        direction: whether a higher or a lower outcome is better.
        minimum_n: groups smaller than this get no verdict.
        impact_minimum_n: groups smaller than this get no word on disproportionate impact; ten or fewer are too few
            for the percentage-point-gap method of the California Community Colleges.
        reference_least_n: a highest or lowest group must be this large, not to be so by chance.
        ppg_least: least margin of the percentage-point-gap method.
        ppg_at_rate: whether its margin is taken at the group's own rate (2022) or at one half (before).
        ppg_edge_rate: rate at which the margin is taken for a group of which none or all met it; none: the least margin.
        index_cutoff: proportionality and 80 % indices below this show disproportionate impact.
        margin: practical margin within which a change is maintained; none: two points of a rate, and no margin of scores.
        reference_is_name: whether the reference is a group's name, whatever it says.
        most_crossed: how many grouping columns are crossed at most.
    """

    reference: str | tuple[str, ...] = "highest"
    direction: str = "higher"
    minimum_n: int = 10
    impact_minimum_n: int = 11
    reference_least_n: int = 30
    ppg_least: float = 0.02
    ppg_at_rate: bool = True
    ppg_edge_rate: float | None = None
    index_cutoff: float = 0.8
    margin: float | None = None
    reference_is_name: bool = False
    most_crossed: int = 3

    @property
    def higher(self) -> bool:
        """Whether a higher outcome is better."""
        return self.direction == "higher"

    @property
    def names(self) -> tuple[str, ...]:
        """The reference as it was given, one or several names."""
        given = (self.reference,) if isinstance(self.reference, str) else self.reference
        return tuple(name.strip() for name in given)

    @property
    def wanted(self) -> str:
        """The reference by its plain keyword, where it is one under another name."""
        text = " or ".join(self.names)
        word = text.casefold()
        if self.reference_is_name:
            return text
        return _ALIASES.get(word, word if word in _KEYWORDS else text)

    @property
    def target(self) -> float | None:
        """The reference as a number; none where it is a word."""
        text = self.names[0]
        try:
            return float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            return None

    def is_named(self, group: str) -> bool:
        """Whether a group is the one that was named, or a crossing of those that were."""
        wanted = {name.casefold() for name in self.names}
        return group.casefold() in wanted or all(part.casefold() in wanted for part in group.split(BETWEEN))


@dataclass(frozen=True)
class Reference:
    """What each group of a dimension is compared with.

    Attributes:
        name: its name in the table.
        kind: one group, everybody else, all, a number, or none in this dimension.
        row: position of the group that is the reference.
    """

    name: str | None
    kind: Kind
    row: int | None = None


def reference_of(groups: pd.Series, n: Array, value: Array, choices: Choices) -> Reference:
    """The reference of a dimension's groups.

    Args:
        groups: names of the groups.
        n: people measured of each.
        value: rate or mean of each; not a number where nobody was measured.
        choices: what was asked.
    """
    wanted = "" if choices.reference_is_name else choices.wanted
    if wanted in ("others", "whole"):
        return Reference(
            "all others" if wanted == "others" else "all", "others" if wanted == "others" else "whole"
        )
    if wanted in _KEYWORDS:
        row = _extreme(groups, n, value, wanted, choices.reference_least_n)
        return Reference(None, "none") if row is None else Reference(str(groups.iloc[row]), "group", row)
    named = np.flatnonzero(groups.map(choices.is_named).to_numpy(dtype=bool))
    if named.size:
        return Reference(str(groups.iloc[int(named[0])]), "group", int(named[0]))
    if choices.target is not None:
        return Reference(f"target {choices.target:g}", "target")
    return Reference(None, "none")


def _extreme(groups: pd.Series, n: Array, value: Array, wanted: str, least_n: int) -> int | None:
    """Position of the largest, highest or lowest group; unknown is nobody's yardstick where there is another."""
    measured = (n > 0) & ~np.isnan(value)
    told = groups.map(lambda group: not any(part.casefold() in NOT_TOLD for part in group.split(BETWEEN)))
    known = measured & told.to_numpy(dtype=bool)
    pools = [known & (n >= least_n), known, measured]
    pool = next((pool for pool in pools if pool.any()), None)
    if pool is None:
        return None
    score = {"largest": n, "highest": value, "lowest": -value}[wanted]
    # Of equals the larger group, which is the surer yardstick; then the first by name.
    return int(np.lexsort((-n, np.where(pool, -score, np.inf)))[0])


def require_reference(table: pd.DataFrame, choices: Choices) -> None:
    """Refuse a reference that names no group of any dimension.

    Raises:
        AnalysisInputError: it does not.
    """
    if choices.wanted in _KEYWORDS or choices.target is not None or table["reference"].notna().any():
        return
    known = ", ".join(f"'{group}'" for group in table["group"].unique())
    words = ", ".join(_KEYWORDS)
    raise AnalysisInputError(
        f"no group is named '{choices.wanted}'. Groups: {known}; or use a number, or one of {words}"
    )


def reference_counts(
    reference: Reference, group: tuple[Array, Array, Array], whole: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Those who met it, people and effective people of the reference, for each group; not numbers where it has none."""
    x, n, e = group
    size = len(n)
    if reference.row is not None:
        return tuple(np.full(size, values[reference.row]) for values in group)  # type: ignore[return-value]
    if reference.kind not in ("others", "whole"):
        nothing = np.full(size, np.nan)
        return nothing, nothing, nothing
    rx, rn = np.full(size, whole[0]), np.full(size, whole[1])
    squares = np.nan_to_num(rate(n**2, e))
    # Where a total says that there are more or fewer people than in the groups, they weigh as those of the groups do.
    all_squares = squares.sum() * (whole[1] / n.sum() if n.sum() else 1.0)
    if reference.kind == "whole":
        return rx, rn, rate(rn**2, np.full(size, all_squares))
    return rx - x, rn - n, np.nan_to_num(rate((rn - n) ** 2, all_squares - squares))


def is_reference(frame: pd.DataFrame, reference: Reference) -> Array:
    """1 for the row that is itself the reference."""
    marks = np.zeros(len(frame))
    if reference.row is not None:
        marks[reference.row] = 1
    return marks


def verdicts(frame: pd.DataFrame, choices: Choices) -> Array:
    """Where a group stands against its reference, beyond noise and after correction for looking at many."""
    sure = frame["q_value"] < ALPHA
    few = frame[["effective_n", "reference_effective_n"]].min(axis=1) < choices.minimum_n
    conditions = [
        frame["is_reference"],
        frame["n"] == 0,
        frame["reference"].isna(),
        few,
        sure & (frame["gap_low"] > 0),
        sure & (frame["gap_high"] < 0),
    ]
    words = ["reference", "not measured", "no reference", "too few people", "behind", "ahead"]
    found: Array = np.select(
        [condition.to_numpy(dtype=bool) for condition in conditions], words, "no difference shown"
    )
    return found
