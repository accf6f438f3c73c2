"""Data Docs: what the gate asked and found in one night, table by table, kept for the last nights.

What belongs here: having Great Expectations write its pages of results, taking out of them whatever a browser would
fetch from elsewhere, and the pages that lead to them. What does not: running suites (`run`), results as data (`reports`).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from lxml import html

from expectations.model import QualityReport, Since

# A night's pages take about 2 MB.
_KEPT_NIGHTS = 10
_SITE = "night"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
)
_STYLE = (Path(__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
# Scripts, styles and pictures come from servers of others, and what only scripts would use goes with them.
_SUPERFLUOUS = (
    "//script | //link | //style | //img | //form | //label | //*[contains(@class, 'modal')]"
    " | //*[@data-toggle='collapse']/../.. | //div[contains(@class, 'card')][div/strong[.='Actions']]"
)
_IN_WORDS = {
    "fa-check-circle": "passed",
    "fa-times": "failed",
    "fa-exclamation-triangle": "could not be computed",
}


def write_data_docs(
    context: Any, outcomes: Mapping[str, Any], report: QualityReport, since: Mapping[str, Since], folder: Path
) -> Path:
    """Write the pages of one night and forget those of long ago.

    Args:
        context: the context in which the suites ran.
        outcomes: the library's result of each suite, by table; they hold counts, never values.
        report: of the same night.
        since: of each failed rule since when it fails.
        folder: where the nights lie, a folder each, beside `index.html`, which lists them.

    Returns:
        The first page of the night.
    """
    day = str(report.made_on or "an unknown day")
    making = folder / ".making"
    shutil.rmtree(making, ignore_errors=True)
    _write_results(context, outcomes, report, making)
    shutil.rmtree(making / "static", ignore_errors=True)
    found = {page.stem: page for page in making.rglob("*.html")}
    for page in found.values():
        _stand_alone(page)
    tables = [
        {
            "name": table,
            "page": found[table].relative_to(making).as_posix(),
            "rules": len(outcome.results),
            "failed": sum(not item.success for item in outcome.results),
        }
        for table, outcome in outcomes.items()
    ]
    failed = [*report.blocking_failures, *report.warnings]
    _render(making, "night.html.j2", day=day, report=report, failed=failed, since=since, tables=tables)
    night = folder / f"{report.made_on or 'undated'}_{report.run_id}"
    shutil.rmtree(night, ignore_errors=True)
    making.rename(night)
    _list_nights(folder)
    return night / "index.html"


def _write_results(context: Any, outcomes: Mapping[str, Any], report: QualityReport, folder: Path) -> None:
    context.add_data_docs_site(
        _SITE,
        {
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        },
    )
    day = report.made_on
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else datetime.fromtimestamp(0, UTC)
    run = RunIdentifier(run_name=report.run_id, run_time=moment)
    for table, outcome in outcomes.items():
        outcome.meta["run_id"] = run
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(table), run, table)
        context.validation_results_store.set(key, outcome)
    context.build_data_docs(site_names=[_SITE], build_index=False)


def _stand_alone(page: Path) -> None:
    """Take out of a page whatever a browser would fetch from elsewhere, and give it a plain look."""
    document = html.fromstring(page.read_bytes())
    for element in document.xpath(_SUPERFLUOUS):
        element.drop_tree()
    for link in document.xpath("//a[starts-with(@href, 'http') or contains(@href, '/expectations/')]"):
        link.drop_tag()
    for icon in document.xpath("//i"):
        icon.text = next((word for name, word in _IN_WORDS.items() if name in icon.get("class", "")), None)
    style = html.Element("style")
    style.text = _STYLE
    document.find("head").append(style)
    page.write_bytes(html.tostring(document, encoding="utf-8", doctype="<!doctype html>"))


def _list_nights(folder: Path) -> None:
    """Keep the pages of the last nights, and list them, the latest first."""
    nights = sorted(folder.glob("*/index.html"), key=lambda page: page.stat().st_mtime_ns, reverse=True)
    for old in nights[_KEPT_NIGHTS:]:
        shutil.rmtree(old.parent)
    _render(folder, "nights.html.j2", nights=[page.parent.name for page in nights[:_KEPT_NIGHTS]])


def _render(folder: Path, template: str, **values: Any) -> None:
    beside = folder / "index.tmp"
    beside.write_text(_TEMPLATES.get_template(template).render(style=_STYLE, **values), encoding="utf-8")
    beside.replace(folder / "index.html")
