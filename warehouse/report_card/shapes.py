"""Maps as inline SVG from a community's own GeoJSON file, one shape a place.

What belongs here: reading shapes and drawing them. What does not: figures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from math import cos, radians
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from warehouse.community import ConfigurationError
from warehouse.report_card.catalogue import Catalogue
from warehouse.report_card.drawing import opening, text
from warehouse.report_card.tables import Row

SHAPES = "shapes.geojson"  # beside community.yml
_SIZE = 400.0
_CLASSES = 5
Ring = NDArray[np.float64]
Shapes = dict[str, list[Ring]]


def load_shapes(community: Path) -> Shapes:
    """Outlines by geography id from `shapes.geojson` beside `community.yml`; empty where there is no such file.

    A feature is a place's `Polygon` or `MultiPolygon` in degrees; its property `geography_id`, or its `id`, is the id
    of the published tables.

    Raises:
        ConfigurationError: the file is no GeoJSON of that kind; names the feature.
    """
    file = community / SHAPES
    if not file.is_file():
        return {}
    try:
        features = json.loads(file.read_text(encoding="utf-8"))["features"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{file}: not a GeoJSON FeatureCollection ({type(error).__name__}: {error})"
        ) from None
    return {_place(file, number, f): _rings(file, number, f) for number, f in enumerate(features, 1)}


def _place(file: Path, number: int, feature: dict[str, Any]) -> str:
    place = (feature.get("properties") or {}).get("geography_id", feature.get("id"))
    if not place:
        raise ConfigurationError(
            f"{file}: feature {number} names no place; give it the property geography_id"
        )
    return str(place)


def _rings(file: Path, number: int, feature: dict[str, Any]) -> list[Ring]:
    geometry = feature.get("geometry") or {}
    kind, held = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon") or not held:
        raise ConfigurationError(f"{file}: feature {number} is no Polygon or MultiPolygon with coordinates")
    polygons = held if kind == "MultiPolygon" else [held]
    try:
        return [np.asarray(ring, dtype=float)[:, :2] for polygon in polygons for ring in polygon]
    except (ValueError, IndexError):
        raise ConfigurationError(f"{file}: feature {number} has a point without two numbers") from None


def draw_map(words: Catalogue, rows: Sequence[Row], shapes: Shapes, title: str) -> Markup:
    """Places by rate in five steps of darkness, the rate written on each; striped where nothing is shown.

    Empty unless at least two of the rows have a shape.
    """
    held = [row for row in rows if row["geography_id"] in shapes]
    if len(held) < 2:
        return Markup("")
    points = np.vstack([ring for row in held for ring in shapes[row["geography_id"]]])
    low, high = points.min(axis=0), points.max(axis=0)
    # Degrees of longitude shrink towards the poles; at the size of a county one factor does for the whole map.
    factor = np.array([cos(radians(float(low[1] + high[1]) / 2)), 1.0])
    extent = (high - low) * factor
    scale = _SIZE / max(float(extent.max()), 1e-9)
    width, height = (float(side) for side in extent * scale + 20)
    rates = [row["rate"] for row in held if row["state"] == "shown"]
    items = "; ".join(f"{row['name']} {_told(words, row)}" for row in held)
    parts = [
        opening(round(width), round(height), words.t("chart.map_alt", title=title, items=items)).replace(
            'class="w', 'class="map w'
        ),
        '<defs><pattern id="stripes" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="p0" width="6" height="6"/><line class="p1" x1="0" y1="0" x2="0" y2="6"/>'
        "</pattern></defs>",
    ]
    labels = []
    for row in held:
        rings = [((ring - low) * factor * scale + 10) for ring in shapes[row["geography_id"]]]
        path = "".join(_path(ring, height) for ring in rings)
        parts.append(
            f'<path class="{_step(row, rates)}" d="{path}"><title>{escape(row["name"])}</title></path>'
        )
        middle = (rings[0].min(axis=0) + rings[0].max(axis=0)) / 2
        x, y = float(middle[0]), height - float(middle[1])
        labels.append(text(x, y - 2, row["name"], "middle", "halo"))
        labels.append(text(x, y + 13, _told(words, row), "middle", "halo strong"))
    return Markup("".join([*parts, *labels, "</svg>"]))  # noqa: S704 - every text in it is escaped


def _path(ring: Ring, height: float) -> str:
    return "M" + "L".join(f"{x:.1f},{height - y:.1f}" for x, y in ring) + "Z"


def _told(words: Catalogue, row: Row) -> str:
    return words.pct(row["rate"], 0) if row["state"] == "shown" else words.t(f"state.{row['state']}")


def _step(row: Row, rates: Sequence[float]) -> str:
    if row["state"] != "shown":
        return "none"
    low, high = min(rates), max(rates)
    return f"q{min(int((row['rate'] - low) / max(high - low, 1e-9) * _CLASSES), _CLASSES - 1)}"
