"""Line charts as inline SVG, drawn when the release is made: no script, no outside request.

What belongs here: drawing. What does not: what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 640, 260, 44, 10, 28
Scale = Callable[[float], float]
# Told apart in grey by their dashes, in colour by hue (Okabe and Ito's palette, darkened for contrast).
_DASHES = ("", "6 3", "2 3", "8 3 2 3", "12 4", "1 4", "5 5", "10 2 2 2", "3 6")


def line_chart(series: Mapping[str, Sequence[tuple[int, float | None]]], title: str) -> str:
    """SVG of rates over years, one line a group; gaps where nothing is published."""
    years = sorted({year for points in series.values() for year, _ in points})
    if not years:
        return ""
    span = max(years[-1] - years[0], 1)
    right = _WIDTH - 140

    def x(year: float) -> float:
        return _LEFT + (year - years[0]) / span * (right - _LEFT)

    def y(rate: float) -> float:
        return _TOP + (1 - rate) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}: rates by year, also in the table below">'
    ]
    for tick in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.0%}</text>')
    for year in sorted({years[0], years[len(years) // 2], years[-1]}):
        parts.append(f'<text x="{x(year):.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{year}</text>')
    labels: list[tuple[float, str, int]] = []
    for index, (name, points) in enumerate(sorted(series.items())):
        parts += _lines(points, x, y, index)
        last = next((rate for _, rate in reversed(points) if rate is not None), None)
        if last is not None and len(series) > 1:
            labels.append((y(last), name, index))
    parts += _labels(labels, right)
    return "".join([*parts, "</svg>"])


def _lines(points: Sequence[tuple[int, float | None]], x: Scale, y: Scale, index: int) -> list[str]:
    runs: list[list[tuple[int, float]]] = [[]]
    for year, rate in points:
        if rate is None:
            runs.append([])
        else:
            runs[-1].append((year, rate))
    dash = _DASHES[index % len(_DASHES)]
    drawn = []
    for run in runs:
        if len(run) > 1:
            path = " ".join(f"{x(year):.1f},{y(rate):.1f}" for year, rate in run)
            drawn.append(f'<polyline class="s{index % 9}" stroke-dasharray="{dash}" points="{path}"/>')
        drawn += [
            f'<circle class="s{index % 9}" cx="{x(year):.1f}" cy="{y(rate):.1f}" r="2.5"/>'
            for year, rate in run
        ]
    return drawn


def _labels(labels: list[tuple[float, str, int]], right: int) -> list[str]:
    """Names at the ends of the lines, moved apart so that none covers another."""
    placed, below = [], -100.0
    for height, name, index in sorted(labels):
        below = max(height, below + 13)
        text = escape(name.replace("_", " "))
        placed.append(f'<text class="t{index % 9}" x="{right + 8}" y="{below + 4:.1f}">{text}</text>')
    return placed
