"""The pages in headless Chromium: accessible by axe-core, by keyboard, on a phone, in the dark, and without network.

Needs Chromium, and the axe-core package of the npm registry, which is fetched once into the cache folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

pytestmark = pytest.mark.browser
AXE = "axe-core-4.10.3"
# Every kind of page once; the editions and indicators that are left out come of the same templates.
KINDS = (
    "index", "gaps", "gateways", "measures", "editions", "edition-baseline", "edition-2018", "methods", "downloads",
    "early_grade_reading", "employment", "chronic_absence",
)  # fmt: skip


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "throughline-tests"
    source = cache / f"{AXE}.min.js"
    if not source.is_file():
        npm = shutil.which("npm")
        assert npm, "npm is needed once to fetch axe-core; install it, or put axe.min.js at " + str(source)
        cache.mkdir(parents=True, exist_ok=True)
        name = "@".join(AXE.rsplit("-", 1))
        subprocess.run(
            [npm, "pack", "--silent", name], cwd=cache, check=True, timeout=120, capture_output=True
        )
        with tarfile.open(cache / f"{AXE}.tgz") as package:
            held = package.extractfile("package/axe.min.js")
            assert held is not None
            source.write_bytes(held.read())
    return source.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
    assert path, "Chromium is needed; install it, for example with `apt-get install chromium`"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


def _pages(report: Path) -> list[Path]:
    return [report / f"{kind}.html" for kind in KINDS] + [report / "es" / f"{kind}.html" for kind in KINDS]


def _violations(browser: Browser, axe: str, files: list[Path], scheme: Any, width: int) -> list[str]:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    found = []
    for file in files:
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        page.evaluate(axe)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [f"{file.name}: {v['id']}: {v['nodes'][0]['html'][:120]}" for v in result["violations"]]
    context.close()
    return found


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_axe_finds_no_violation(browser: Browser, axe: str, report: Path, scheme: str, width: int) -> None:
    """Otherwise someone with a disability cannot use the report card."""
    assert not _violations(browser, axe, _pages(report), scheme, width)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_no_violation_in_the_data_room(
    browser: Browser, axe: str, room: Path, scheme: str, width: int
) -> None:
    """Otherwise a partner's data steward cannot use the page."""
    assert not _violations(browser, axe, sorted(room.rglob("*.html")), scheme, width)


@pytest.mark.parametrize("width", [390, 320])
def test_the_data_room_fits_a_phone_and_shows_every_cell(browser: Browser, room: Path, width: int) -> None:
    """Otherwise a partner on a phone does not see what to mend."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    seen = 0
    for file in sorted(room.rglob("*.html")):
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, file
        for cell in page.locator(".wide td:visible").all():
            box = cell.bounding_box()
            assert box is not None and box["x"] + box["width"] <= width, file
            seen += 1
    assert seen > 50
    context.close()


@pytest.mark.parametrize("width", [390, 320])
def test_pages_fit_a_phone_and_ask_for_nothing_outside(browser: Browser, report: Path, width: int) -> None:
    """Otherwise readers scroll sideways, or a page tells others that it was read."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for file in _pages(report):
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, file.name
    assert {url.split(":")[0] for url in asked} == {"file"}
    context.close()


def test_a_phone_shows_every_column_of_a_wide_table_without_scrolling(browser: Browser, report: Path) -> None:
    """Otherwise the interval and the number of people behind a rate are out of sight, and nobody scrolls for them."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    seen = 0
    for kind in ("early_grade_reading", "gaps", "gateways", "downloads"):
        page.goto((report / f"{kind}.html").as_uri())
        for cell in page.locator(".wide td:visible").all():
            box = cell.bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390, kind
            assert cell.get_attribute("data-label"), kind
            seen += 1
    assert seen > 50
    context.close()


def test_the_keyboard_alone_reaches_everything_and_shows_where_it_is(browser: Browser, report: Path) -> None:
    """Otherwise who uses no mouse is shut out."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto((report / "early_grade_reading.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    wanted = page.evaluate("document.querySelectorAll('main a, main summary, main .wrap').length")
    hidden = page.evaluate("document.querySelectorAll('main details:not([open]) .wrap').length")
    reached = set()
    for number in range(wanted - hidden):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", number
    assert len(reached) == wanted - hidden
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")
    context.close()


def test_print_shows_the_tables_and_leaves_out_the_navigation(browser: Browser, report: Path) -> None:
    """Otherwise a printed page lacks its figures."""
    page = browser.new_page()
    page.goto((report / "early_grade_reading.html").as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.locator("details table").first.is_visible()
    page.close()


def test_a_printed_sheet_cuts_off_no_table(browser: Browser, report: Path, room: Path) -> None:
    """Otherwise the last columns, and with them the number of people, are missing on paper."""
    context = browser.new_context(
        viewport={"width": 700, "height": 990}
    )  # Letter and A4 within usual margins
    page = context.new_page()
    page.emulate_media(media="print")
    for file in [*_pages(report), *sorted(room.rglob("*.html"))]:
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 700, file.name
    context.close()


def test_the_language_switch_leads_to_the_same_page(browser: Browser, report: Path) -> None:
    """Otherwise a reader loses the place by changing the language."""
    page = browser.new_page()
    page.goto((report / "employment.html").as_uri())
    page.get_by_role("link", name="Español").click()
    assert page.url.endswith("/es/employment.html")
    assert page.evaluate("document.documentElement.lang") == "es-US"
    page.get_by_role("link", name="English").click()
    assert page.url.endswith("/report/employment.html")
    page.close()
