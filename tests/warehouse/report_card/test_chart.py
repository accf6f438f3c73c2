"""Drawings: honest about gaps and scales, escaped, with text alternatives."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from warehouse.community import ConfigurationError
from warehouse.report_card import chart
from warehouse.report_card.catalogue import load_catalogue
from warehouse.report_card.drawing import nice_top
from warehouse.report_card.shapes import draw_map, load_shapes

WORDS = load_catalogue("en")


def _row(year: int, rate: float | None, state: str = "shown") -> dict[str, Any]:
    low = None if rate is None else max(0.0, rate - 0.05)
    high = None if rate is None else min(1.0, rate + 0.05)
    return {"cohort_year": year, "rate": rate, "rate_low": low, "rate_high": high, "state": state}


def test_a_line_never_bridges_a_year_that_is_not_shown() -> None:
    """Otherwise a withheld year is drawn as if it were known."""
    rows = [
        _row(2018, 0.4),
        _row(2019, 0.5),
        _row(2020, None, "suppressed"),
        _row(2021, 0.5),
        _row(2022, 0.6),
    ]
    assert chart.trend(WORDS, rows, "Reading", "school").count("<polyline") == 2
    absent = [row for row in rows if row["cohort_year"] != 2020]
    assert chart.trend(WORDS, absent, "Reading", "school").count("<polyline") == 2


def test_axes_begin_at_zero_and_hold_every_rate() -> None:
    """Otherwise a small change looks large, or a line leaves the drawing."""
    assert nice_top([0.04, None]) == 0.1
    assert nice_top([0.3]) == 0.5
    assert nice_top([0.51]) == 1.0
    assert nice_top([]) == 1.0
    drawn = chart.trend(WORDS, [_row(2020, 0.02), _row(2021, 0.97)], "Reading", "school")
    assert ">0%<" in drawn and ">100%<" in drawn
    assert all(0 <= float(y) <= 204 for y in re.findall(r' cy="([\d.]+)"', drawn))


def test_charts_tell_their_content_in_words_and_escape_names() -> None:
    """Otherwise who cannot see the chart learns nothing, or a name breaks the page."""
    rows = [_row(2020, 0.4), _row(2021, 0.5)]
    drawn = chart.trend(WORDS, rows, 'A "quoted" <title>', "school")
    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own drawing
    assert root.get("role") == "img"
    assert "40.0% in 2019-20, 50.0% in 2020-21" in str(root.get("aria-label"))
    dots = chart.dots(WORDS, rows, ["<script>", "b"], "t", 0.45)
    assert "<script>" not in dots
    ElementTree.fromstring(dots)  # noqa: S314 - our own drawing


def test_a_chart_of_nothing_is_no_chart() -> None:
    """Otherwise an empty frame stands where a sentence should."""
    hidden = [_row(2020, None, "suppressed")]
    assert chart.trend(WORDS, hidden, "t", "school") == ""
    assert chart.dots(WORDS, hidden, ["a"], "t") == ""
    assert chart.sparkline(hidden) == ""
    assert chart.gaps(WORDS, [], "t") == ""
    assert chart.estimates(WORDS, [], "t", "percent") == ""


def _shapes(folder: Path, features: list[dict[str, Any]]) -> Path:
    (folder / "shapes.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    return folder


def _square(place: str, west: float) -> dict[str, Any]:
    ring = [[west, 40], [west + 1, 40], [west + 1, 41], [west, 40]]
    return {"type": "Feature", "id": place, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def test_a_map_stripes_what_is_not_shown_and_writes_every_rate(tmp_path: Path) -> None:
    """Otherwise a withheld place looks like a low rate, or grey print tells nothing."""
    shapes = load_shapes(_shapes(tmp_path, [_square("a", 0), _square("b", 1), _square("c", 2)]))
    rows = [
        {**_row(2024, 0.2), "geography_id": "a", "name": "North"},
        {**_row(2024, 0.8), "geography_id": "b", "name": "South"},
        {**_row(2024, None, "suppressed"), "geography_id": "c", "name": "East"},
    ]
    drawn = draw_map(WORDS, rows, shapes, "Reading")
    ElementTree.fromstring(drawn)  # noqa: S314 - our own drawing
    assert re.findall(r'<path class="(\w+)"', drawn) == ["q0", "q4", "none"]
    assert "20%" in drawn and "80%" in drawn and "not shown" in drawn
    assert draw_map(WORDS, rows[:1], shapes, "Reading") == ""


@pytest.mark.parametrize(
    ("feature", "told"),
    [
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}}, "names no place"),
        ({"id": "a", "geometry": {"type": "Point", "coordinates": [0, 0]}}, "no Polygon"),
        ({"id": "a", "geometry": {"type": "Polygon", "coordinates": [[[0], [1, 2]]]}}, "without two numbers"),
    ],
)
def test_wrong_shapes_are_refused_by_feature(tmp_path: Path, feature: dict[str, Any], told: str) -> None:
    """Otherwise the map silently misses a place."""
    with pytest.raises(ConfigurationError, match=f"feature 1 .*{told}"):
        load_shapes(_shapes(tmp_path, [feature]))


def test_no_shapes_no_map(tmp_path: Path) -> None:
    """Otherwise a community without shapes has no report card."""
    assert load_shapes(tmp_path) == {}
