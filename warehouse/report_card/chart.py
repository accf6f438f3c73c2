"""Charts as inline SVG, drawn when the release is made: no script, no outside request, the same in print.

What belongs here: drawing. What does not: which figures are drawn, and their table, which stands beside each chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from markupsafe import Markup

from warehouse.report_card.catalogue import Catalogue
from warehouse.report_card.drawing import (
    STEPS,
    Plane,
    line,
    nice_top,
    opening,
    rate_axis,
    rule,
    shown_rows,
    text,
    tick,
    whisker,
)
from warehouse.report_card.tables import Row


def trend(
    words: Catalogue,
    rows: Sequence[Row],
    title: str,
    kind: str,
    baseline: int | None = None,
    since: int | None = None,
) -> Markup:
    """Rates of one group over years: line, points and band, first and last value written beside them.

    Years before `since` do not compare with it: the line begins anew.
    """
    shown = shown_rows(rows)
    if not shown:
        return Markup("")
    plane = Plane(
        rows[0]["cohort_year"], rows[-1]["cohort_year"], nice_top([r["rate_high"] or r["rate"] for r in shown], sorted(STEPS)),
        44, 372, 22, 178,
    )  # fmt: skip
    parts = [opening(420, 204, _trend_text(words, shown, title, kind))]
    parts += rate_axis(words, plane, STEPS[plane.top])
    years = sorted({plane.first, (plane.first + plane.last) // 2, plane.last})
    for place, year in enumerate(years):
        anchor = "middle" if 0 < place < len(years) - 1 else ("start" if place == 0 else "end")
        x = plane.x(year) + (0 if anchor == "middle" else -8 if anchor == "start" else 12)
        parts.append(text(x, 198, words.short_year(year, kind), anchor))
    if baseline is not None and plane.first < baseline <= plane.last:
        x = plane.x(baseline)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{plane.upper}" y2="{plane.lower}"/>')
    for part in _comparable(rows, since):
        parts += line(plane, part, "one", band=True)
    parts += [_end_label(words, plane, shown[0]), _end_label(words, plane, shown[-1])]
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text in it is escaped


def _comparable(rows: Sequence[Row], since: int | None) -> list[Sequence[Row]]:
    """The years before and those from `since` on, which make two lines; one line where all compare."""
    if since is None:
        return [rows]
    return [[r for r in rows if r["cohort_year"] < since], [r for r in rows if r["cohort_year"] >= since]]


def panel(
    words: Catalogue, rows: Sequence[Row], everyone: Sequence[Row], name: str, kind: str, top: float
) -> Markup:
    """A small chart of one group, with everyone as a dashed line; drawn on the scale of its neighbours."""
    years = [row["cohort_year"] for row in [*rows, *everyone]]
    shown = shown_rows(rows)
    if not shown:
        return Markup(f'<p class="empty">{escape(words.t("chart.nothing"))}</p>')  # noqa: S704 - escaped
    plane = Plane(min(years), max(years), top, 44, 176, 12, 92)
    first, last = shown[0], shown[-1]
    told = words.t(
        "chart.panel_alt",
        group=name,
        first=words.pct(first["rate"]),
        first_year=words.year(first["cohort_year"], kind),
        last=words.pct(last["rate"]),
        last_year=words.year(last["cohort_year"], kind),
    )
    parts = [opening(220, 112, told), *rate_axis(words, plane, 2)]
    parts.append(text(plane.left - 4, 108, words.short_year(plane.first, kind), "start"))
    parts.append(text(plane.right + 8, 108, words.short_year(plane.last, kind), "end"))
    parts += line(plane, everyone, "all")
    parts += line(plane, rows, "one", band=True)
    value = words.pct(last["rate"], 0)
    y = min(max(plane.y(last["rate"]) + 4, 12), 92)
    parts.append(text(plane.x(last["cohort_year"]) + 6, y, value, "start", "strong"))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text in it is escaped


def sparkline(rows: Sequence[Row]) -> Markup:
    """A line without axes; decoration, as the figures stand beside it."""
    shown = shown_rows(rows)
    if len(shown) < 2:
        return Markup("")
    plane = Plane(
        rows[0]["cohort_year"], rows[-1]["cohort_year"], nice_top([r["rate"] for r in shown]), 3, 157, 4, 40
    )
    parts = ['<svg class="spark" viewBox="0 0 160 44" aria-hidden="true" focusable="false">']
    parts.append(f'<line class="grid" x1="0" x2="160" y1="{plane.lower + 1}" y2="{plane.lower + 1}"/>')
    return Markup("".join([*parts, *line(plane, rows, "one", dots=False), "</svg>"]))  # noqa: S704 - no text


def dots(
    words: Catalogue, rows: Sequence[Row], names: Sequence[str], title: str, everyone: float | None = None
) -> Markup:
    """Rates of one year beside each other: a dot with its interval for each, its name above."""
    pairs = [(row, name) for row, name in zip(rows, names, strict=True) if row["state"] == "shown"]
    if not pairs:
        return Markup("")
    top = nice_top([row["rate_high"] or row["rate"] for row, _ in pairs])
    height = 34 * len(pairs) + 26
    told = words.t(
        "chart.dots_alt",
        title=title,
        items="; ".join(f"{name} {words.pct(row['rate'])}" for row, name in pairs),
    )
    parts = [opening(420, height, told)]
    plane = Plane(0, 1, top, 6, 356, 0, 1)  # across only

    def x(rate: float) -> float:
        return plane.left + min(rate, top) / top * (plane.right - plane.left)

    for step in range(5):
        share = top * step / 4
        anchor = "start" if step == 0 else "end" if step == 4 else "middle"
        parts.append(rule(x(share), 4, height - 20))
        parts.append(text(x(share), height - 5, tick(words, share), anchor))
    if everyone is not None:
        parts.append(rule(x(everyone), 4, height - 20, "mark"))
    for place, (row, name) in enumerate(pairs):
        y = 34 * place + 26
        parts.append(text(8, y - 9, name, "start", "name"))
        parts += whisker(x, y, row["rate"], row["rate_low"], row["rate_high"])
        parts.append(text(414, y + 4, words.pct(row["rate"]), "end", "strong"))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text in it is escaped


def gaps(words: Catalogue, rows: Sequence[Row], title: str) -> Markup:
    """Gaps now with their intervals, and a ring where each stood at the start."""
    if not rows:
        return Markup("")
    told = [
        *(row["gap"] for row in rows),
        *(row["gap_low"] for row in rows),
        *(row["gap_high"] for row in rows),
    ]
    ends = [value for value in [*told, *(row.get("before") for row in rows)] if value is not None]
    low, high = min(0.0, *ends), max(0.05, *ends)
    height = 34 * len(rows) + 26

    def x(gap: float) -> float:
        return 8 + (gap - low) / (high - low) * 306  # what is left of the value

    items = "; ".join(f"{_gap_name(words, row)} {words.points(row['gap'], sign=True)}" for row in rows)
    parts = [opening(420, height, words.t("chart.gap_alt", title=title, items=items))]
    parts.append(text(x(0), height - 5, "0", "middle"))
    for edge, anchor in ((low, "start"), (high, "end")):
        if abs(edge) > 0.1 * (high - low):
            parts.append(text(x(edge), height - 5, words.points(edge, sign=True), anchor))
    for place, row in enumerate(rows):
        y = 34 * place + 26
        parts.append(rule(x(0), y - 6, y + 11, "zero"))  # in pieces, so that it crosses no name
        parts.append(text(8, y - 9, words.group(row["group_value"]), "start", "name"))
        parts += whisker(x, y, row["gap"], row["gap_low"], row["gap_high"])
        if row.get("before") is not None:
            parts.append(f'<circle class="ring" cx="{x(row["before"]):.1f}" cy="{y}" r="4.5"/>')
        parts.append(text(414, y + 4, words.points(row["gap"], sign=True), "end", "strong"))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text in it is escaped


def estimates(words: Catalogue, rows: Sequence[Mapping[str, object]], title: str, unit: str | None) -> Markup:
    """Estimates by period with their intervals, where there are at least two."""
    found = [row for row in rows if row["estimate"] is not None]
    if len(found) < 2:
        return Markup("")
    high = max(_float(row["estimate_high"] or row["estimate"]) for row in found) or 1.0
    height = 34 * len(found) + 8

    def x(value: float) -> float:
        return 8 + value / high * 300

    items = "; ".join(f"{row['period']} {words.amount(_float(row['estimate']), unit)}" for row in found)
    parts = [opening(420, height, words.t("chart.dots_alt", title=title, items=items))]
    parts.append(rule(8, 4, height - 4, "zero"))
    for place, row in enumerate(found):
        y, value = 34 * place + 26, _float(row["estimate"])
        low = _float(row["estimate_low"]) if row["estimate_low"] is not None else None
        upper = _float(row["estimate_high"]) if row["estimate_high"] is not None else None
        parts.append(text(12, y - 9, str(row["period"]), "start", "name"))
        parts.append(f'<line class="stem" x1="8" x2="{x(value):.1f}" y1="{y}" y2="{y}"/>')
        parts += whisker(x, y, value, low, upper)
        parts.append(text(414, y + 4, words.amount(value, unit), "end", "strong"))
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every text in it is escaped


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


def _trend_text(words: Catalogue, shown: Sequence[Row], title: str, kind: str) -> str:
    rates = [row["rate"] for row in shown]
    first, last = shown[0], shown[-1]
    return words.t(
        "chart.trend_alt",
        title=title,
        first=words.pct(first["rate"]),
        first_year=words.year(first["cohort_year"], kind),
        last=words.pct(last["rate"]),
        last_year=words.year(last["cohort_year"], kind),
        low=words.pct(min(rates)),
        high=words.pct(max(rates)),
    )


def _end_label(words: Catalogue, plane: Plane, row: Row) -> str:
    """The value of the first or last dot, above it and inside the drawing."""
    x = plane.x(row["cohort_year"])
    y = max(plane.y(row["rate"]) - 9, 13)
    return text(x, y, words.pct(row["rate"], 0), "middle", "strong")


def _gap_name(words: Catalogue, row: Row) -> str:
    against = words.t("gap.reference", group=words.group(row["reference_value"]))
    return f"{words.group(row['group_value'])} ({against})"
