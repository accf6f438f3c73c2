"""Lines, dots, bands and texts of SVG: what every chart is put together from.

What belongs here: single marks. What does not: whole charts (`chart`, `shapes`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from warehouse.report_card.catalogue import Catalogue
from warehouse.report_card.tables import Row

_TOPS = (0.1, 0.2, 0.5, 1.0)
STEPS = {0.1: 4, 0.2: 4, 0.3: 3, 0.5: 5, 0.75: 3, 1.0: 4}  # level lines that fall on round shares


@dataclass(frozen=True)
class Plane:
    """A rectangle with years across and rates upward."""

    first: int
    last: int
    top: float
    left: float
    right: float
    upper: float
    lower: float

    def x(self, year: float) -> float:
        """Where a year stands."""
        span = max(self.last - self.first, 1)
        return self.left + (year - self.first) / span * (self.right - self.left)

    def y(self, rate: float) -> float:
        """Where a rate stands."""
        return self.lower - min(rate, self.top) / self.top * (self.lower - self.upper)


def nice_top(rates: Sequence[float | None], tops: Sequence[float] = _TOPS) -> float:
    """The end of an axis that begins at zero and holds all rates."""
    largest = max((rate for rate in rates if rate is not None), default=1.0)
    return next((top for top in tops if largest <= top), 1.0)


def shared_top(rows: Sequence[Row]) -> float:
    """One end for charts that are compared with each other; intervals may be cut so that lines stay readable."""
    return nice_top([row["rate"] for row in rows if row["state"] == "shown"])


def shown_rows(rows: Sequence[Row]) -> list[Row]:
    """Rows whose figure may be shown."""
    return [row for row in rows if row["state"] == "shown"]


def opening(width: int, height: int, told: str) -> str:
    """The start of a chart with its text alternative."""
    return f'<svg class="w{width}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(told)}">'


def text(x: float, y: float, told: str, anchor: str, kind: str = "tick") -> str:
    """A word or a number."""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{place}>{escape(told)}</text>'


def rule(x: float, upper: float, lower: float, kind: str = "grid") -> str:
    """An upright line."""
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{upper}" y2="{lower}"/>'


def tick(words: Catalogue, share: float) -> str:
    """A share on an axis."""
    return words.pct(share, 0 if abs(100 * share - round(100 * share)) < 1e-9 else 1)


def rate_axis(words: Catalogue, plane: Plane, steps: int) -> list[str]:
    """Level lines with their shares."""
    parts = []
    for step in range(steps + 1):
        share = plane.top * step / steps
        y = plane.y(share)
        parts.append(f'<line class="grid" x1="{plane.left}" x2="{plane.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(text(plane.left - 5, y + 4, tick(words, share), "end"))
    return parts


def _runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Shown rows in runs of years that follow each other; a line never bridges a year that is not shown."""
    runs: list[list[Row]] = [[]]
    for row in rows:
        if row["state"] != "shown":
            runs.append([])
        elif runs[-1] and row["cohort_year"] != runs[-1][-1]["cohort_year"] + 1:
            runs.append([row])
        else:
            runs[-1].append(row)
    return [run for run in runs if run]


def line(plane: Plane, rows: Sequence[Row], kind: str, *, band: bool = False, dots: bool = True) -> list[str]:
    """A line over years, with its dots and its band where asked for."""
    drawn: list[str] = []
    runs = _runs(rows)
    for run in runs:
        ends = [row for row in run if row["rate_low"] is not None]
        if band and len(ends) > 1:
            upper = [f"{plane.x(r['cohort_year']):.1f},{plane.y(r['rate_high']):.1f}" for r in ends]
            lower = [f"{plane.x(r['cohort_year']):.1f},{plane.y(r['rate_low']):.1f}" for r in reversed(ends)]
            drawn.append(f'<polygon class="band" points="{" ".join([*upper, *lower])}"/>')
        elif band and ends:
            x = plane.x(ends[0]["cohort_year"])
            y1, y2 = plane.y(ends[0]["rate_high"]), plane.y(ends[0]["rate_low"])
            drawn.append(f'<line class="bandline" x1="{x:.1f}" x2="{x:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>')
    for run in runs:
        points = [(plane.x(row["cohort_year"]), plane.y(row["rate"])) for row in run]
        if len(points) > 1:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            drawn.append(f'<polyline class="{kind}" points="{path}"/>')
        if kind == "one" and (dots or len(points) == 1):
            drawn += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.4"/>' for x, y in points]
    return drawn


def whisker(
    x: Callable[[float], float], y: float, value: float, low: float | None, high: float | None
) -> list[str]:
    """A dot with its interval."""
    drawn = []
    if low is not None and high is not None:
        drawn.append(f'<line class="bar" x1="{x(low):.1f}" x2="{x(high):.1f}" y1="{y}" y2="{y}"/>')
    return [*drawn, f'<circle class="dot" cx="{x(value):.1f}" cy="{y}" r="4"/>']
