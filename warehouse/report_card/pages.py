"""Writing the report card's pages, in every language, from the published tables of a release that is being made.

What belongs here: which pages there are and what each template gets. What does not: rows (`views`), drawings (`chart`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from warehouse.community import Community
from warehouse.report_card import chart, views
from warehouse.report_card.around import downloads, kept_releases
from warehouse.report_card.catalogue import Catalogue, load_catalogue
from warehouse.report_card.drawing import shared_top
from warehouse.report_card.reflow import labelled
from warehouse.report_card.shapes import draw_map, load_shapes
from warehouse.report_card.tables import DIMENSIONS, Published, Row

Context = dict[str, Any]
Page = tuple[str, str, Context]  # file, template, what the template gets


def write_report_card(
    folder: Path, community: Community, manifest: Mapping[str, Any], *, with_earlier: bool = True
) -> Path:
    """Write `report/` into a release folder: the community's first language at its top, others in folders beside.

    Reads nothing but that folder's own tables, the community's configuration and its `shapes.geojson` and `locale/`.

    Args:
        folder: a release folder that has its tables and downloads.
        community: whose release it is.
        manifest: of the release, as far as it is known by then.
        with_earlier: whether to link to the releases before, which stand beside the folder.

    Returns:
        The first page.

    Raises:
        ConfigurationError: a language or the shapes are configured wrongly.
    """
    report = folder / "report"
    report.mkdir()
    style = (files("warehouse.report_card") / "templates" / "style.css").read_text(encoding="utf-8")
    (report / "style.css").write_text(style, encoding="utf-8")
    root = community.paths.root
    catalogues = [load_catalogue(code, root) for code in community.config.languages or ["en"]]
    environment = make_environment()
    published = Published(folder, str(manifest.get("geography_id") or community.config.geography_id))
    try:
        for number, words in enumerate(catalogues):
            target = report if number == 0 else report / words.code
            target.mkdir(exist_ok=True)
            card = _Card(published, words, community, manifest, folder)
            card.earlier = kept_releases(community, manifest["release_id"]) if with_earlier else []
            for file, template, context in card.pages():
                shared = _shared(card, catalogues, number, file)
                text = environment.get_template(template).render(**shared, **context)
                (target / file).write_text(text, encoding="utf-8")
    finally:
        published.close()
    return report / "index.html"


def make_environment() -> Environment:
    """Templates of pages; a name that a template does not get is an error, and every value is escaped."""
    environment = Environment(
        loader=PackageLoader("warehouse.report_card"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["labelled"] = labelled
    return environment


def _shared(card: _Card, catalogues: Sequence[Catalogue], number: int, file: str) -> Context:
    """What every page gets."""
    words, config, manifest = catalogues[number], card.community.config, card.manifest
    here = "" if number == 0 else "../"
    return {
        "L": words,
        "t": words.t,
        "charts": card.charts,
        "community": config.name,
        "place": config.geography_name,
        "root": here,
        "current": Path(file).stem,
        "languages": [
            {
                "code": other.code,
                "tag": other.tag,
                "name": other.name,
                "href": f"{here}{file}" if place == 0 else f"{here}{other.code}/{file}",
            }
            for place, other in enumerate(catalogues)
        ],
        "release_id": manifest["release_id"],
        "made": str(manifest["created_at"])[:10],
        "minimum_n": manifest["minimum_n"],
        "coverage": manifest.get("minimum_coverage", config.privacy.minimum_coverage),
        "margin": config.gateways.practical_margin,
    }


class _Card:
    """The report card in one language."""

    def __init__(
        self,
        published: Published,
        words: Catalogue,
        community: Community,
        manifest: Mapping[str, Any],
        folder: Path,
    ) -> None:
        self.published, self.words, self.community = published, words, community
        self.manifest, self.folder = manifest, folder
        self.earlier: list[Row] = []
        self.views = views.indicator_views(published, words)
        self.gaps = views.gap_views(published, words)
        self.gateways = views.gateway_views(published, cumulative=community.config.gateways.cumulative)
        self.health = published.rows("pub_data_health_v1", "order by partner_id, feed_id")
        shapes = load_shapes(community.paths.root)
        self.charts = SimpleNamespace(
            trend=partial(chart.trend, words),
            panel=partial(chart.panel, words),
            sparkline=chart.sparkline,
            dots=partial(chart.dots, words),
            gaps=partial(chart.gaps, words),
            estimates=partial(chart.estimates, words),
            map=lambda rows, title: draw_map(words, rows, shapes, title),
        )

    def pages(self) -> Iterator[Page]:
        """Every page."""
        summary = views.gap_summary(self.gaps, self.views, self.published.gap_trends())
        yield (
            "index.html",
            "index.html.j2",
            {
                "views": self.views,
                "counts": views.outcome_counts(self.views),
                "gaps": summary,
                "gateways": self.gateways,
            },
        )
        by_indicator = {name: self._single(rows) for name, rows in self.gaps.items()}
        yield (
            "gaps.html",
            "gaps.html.j2",
            {"views": self.views, "summary": summary, "by_indicator": by_indicator},
        )
        yield "gateways.html", "gateways.html.j2", self._gateways()
        measures = views.measure_views(
            self.published.measures(), self.published.rows("pub_gateway_adjacent_v1")
        )
        yield "measures.html", "measures.html.j2", {"measures": measures}
        health = [{**row, "partner_name": self._partner(row["partner_id"])} for row in self.health]
        readings = self.community.config.gateways
        yield (
            "methods.html",
            "methods.html.j2",
            {"views": self.views, "health": health, "readings": readings},
        )
        yield "downloads.html", "downloads.html.j2", downloads(self.folder, self.manifest, self.words)
        yield from self._editions()
        for view in self.views:
            yield f"{view['indicator_id']}.html", "indicator.html.j2", self._indicator(view)

    @staticmethod
    def _single(rows: Sequence[Row]) -> Context:
        held = [row for dimension in DIMENSIONS for row in views.single(rows, dimension)]
        return {"rows": held, "year": held[0]["cohort_year"]} if held else {}

    def _partner(self, partner_id: str) -> str:
        partner = self.community.partners.get(partner_id)
        return partner.name if partner else partner_id

    def _feed(self, feed_id: str) -> str:
        unnamed = feed_id.replace("_", " ").capitalize()
        title = next((row["feed_title"] for row in self.health if row["feed_id"] == feed_id), unnamed)
        return self.words.word("feeds", feed_id, "title", title)

    def _indicator(self, view: views.View) -> Context:
        name, latest = view["indicator_id"], view["latest"]
        year = latest["cohort_year"] if latest else None
        rows = self.published.groups(name)
        sections = views.group_sections(rows, self.words, year)
        verdicts = self.published.group_trends(name)
        for section in sections:
            for row in section["now"]:
                row["verdict"] = verdicts.get((row["race_scheme"], row["group_value"])) or "hidden"
            section["top"] = shared_top([*section["rows"], *view["rows"]])
        combined = views.combinations(rows, self.words, year)
        for part in combined:
            part["names"] = [self.words.group(row["group_value"]) for row in part["rows"]]
        gaps = self.gaps.get(name, [])
        single = self._single(gaps)
        parent = view["variant_of"] or (None if view["is_core"] else view["outcome_id"])
        return {
            "view": view,
            "parent": next((other for other in self.views if other["indicator_id"] == parent), None),
            "sections": sections,
            "combined": combined,
            "gaps": {
                "single": single.get("rows", []),
                "combined": views.certain_combined(gaps),
                "year": single.get("year"),
            },
            "places": self.published.places(name, year) if year else [],
            "organizations": self.published.organizations(name, year) if year else [],
            "feeds": [self._feed(feed) for feed in (view["feeds"] or "").split(";") if feed],
            "missing": self._missing((latest or view["newest"] or {}).get("missing_feeds")),
        }

    def _missing(self, told: str | None) -> list[str]:
        """Feeds that were missing, `partner:feed` or `feed` separated by commas, in words."""
        found = []
        for item in (told or "").split(", "):
            partner, _, feed = item.rpartition(":")
            if partner:
                words = {"feed": self._feed(feed), "partner": self._partner(partner)}
                found.append(self.words.t("indicator.missing_from", **words))
            elif feed:
                found.append(self._feed(feed))
        return found

    def _gateways(self) -> Context:
        by_id = {view["indicator_id"]: view for view in self.views}
        measures = {row["measure_id"]: row for row in self.published.measures()}

        def seen(rows: list[Row]) -> list[Row]:
            kept = [{**row, "view": by_id.get(row["indicator_id"])} for row in rows]
            return sorted(kept, key=lambda row: self.words.order_of(row["indicator_id"] or ""))

        names: Callable[[Sequence[Row]], list[str]] = lambda rows: [  # noqa: E731 - given to the template
            self.words.word("gateways", row["gateway_id"], "title", row["gateway_title"]) for row in rows
        ]
        adjacent = self.published.rows("pub_gateway_adjacent_v1", "order by measure_id, geography_id")
        return {
            "gateways": self.gateways,
            "names": names,
            "outcomes": seen(self.published.rows("pub_gateway_outcome_v1")),
            "gap_rows": seen(
                self.published.rows("pub_gateway_gap_v1", "order by outcome_id, dimension, group_value")
            ),
            "adjacent": [
                {
                    **row,
                    "title": (measures.get(row["measure_id"]) or {}).get("measure_title"),
                    "unit": (measures.get(row["measure_id"]) or {}).get("unit"),
                }
                for row in adjacent
            ],
        }

    def _editions(self) -> Iterator[Page]:
        years = views.edition_years(self.views)
        groups = self.published.core_groups()
        yield (
            "editions.html",
            "editions.html.j2",
            {
                "years": years,
                "releases": self.earlier,
            },
        )
        for place, year in enumerate([None, *years]):
            context = {
                "year": year,
                "items": views.edition(self.views, groups, self.words, year),
                "after": years[place - 2] if place > 1 else None,
                "before": years[place] if 0 < place < len(years) else None,
            }
            yield f"edition-{year or 'baseline'}.html", "edition.html.j2", context
