"""The written pages: complete, self-contained, in two languages, and telling nothing that is withheld."""

from __future__ import annotations

import csv
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from ruamel.yaml import YAML

from warehouse.report_card.catalogue import flatten
from warehouse.report_card.tables import Published
from warehouse.settings import CommunityPaths

ROOT = Path(__file__).parents[3]
LOCALE = ROOT / "warehouse" / "report_card" / "locale"
LIMIT = 300_000  # bytes of a page with its style
LOADING = {"src", "srcset", "data", "poster", "action", "xlink:href"}


class _Page(HTMLParser):
    """What a page links to, loads, names and heads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.lang = ""
        self.headings: list[int] = []
        self.unnamed: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "html":
            self.lang = held.get("lang", "")
        if tag == "a" and "href" in held:
            self.links.append(held["href"])
        if tag == "link":
            self.loads.append(held["href"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "svg" and not held.get("aria-label") and held.get("aria-hidden") != "true":
            self.unnamed.append(tag)
        if "id" in held:
            self.ids.append(held["id"])
        self.loads += [value for name, value in held.items() if name in LOADING]
        self.loads += re.findall(r"url\(([^)]*)\)", held.get("style", ""))


def _seed(name: str) -> list[dict[str, str]]:
    with (ROOT / "dbt_project" / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def pages(report: Path) -> dict[str, _Page]:
    return {
        file.relative_to(report).as_posix(): _Page(file.read_text(encoding="utf-8"))
        for file in sorted(report.rglob("*.html"))
    }


def test_there_is_a_page_for_everything_in_both_languages(report: Path, pages: dict[str, _Page]) -> None:
    """Otherwise a resident finds an outcome, an edition or a language missing."""
    kinds = {"index", "gaps", "gateways", "measures", "editions", "methods", "downloads", "edition-baseline"}
    indicators = {"kindergarten_readiness", "employment", "chronic_absence"}
    years = {f"edition-{year}" for year in range(2018, 2025)}
    here = {name[:-5] for name in pages if "/" not in name}
    assert here >= kinds | indicators | years
    assert {name.removeprefix("es/")[:-5] for name in pages if name.startswith("es/")} == here


def test_nothing_is_loaded_from_elsewhere_and_no_script_runs(report: Path, pages: dict[str, _Page]) -> None:
    """Otherwise a page tells a third party who reads it, or does not open from disk."""
    for name, page in pages.items():
        outside = [load for load in page.loads if "style.css" not in load and not load.startswith("#")]
        assert not outside, name
        assert not {"script", "iframe", "object", "embed", "img", "base"} & set(page.tags), name
    style = (report / "style.css").read_text(encoding="utf-8")
    assert "@import" not in style
    assert set(re.findall(r"url\(([^)]*)\)", style)) <= {"#stripes"}


def test_every_link_leads_somewhere(report: Path, pages: dict[str, _Page]) -> None:
    """Otherwise a reader ends at a missing file."""
    dead = [
        (name, link)
        for name, page in pages.items()
        for link in page.links
        for path, _, anchor in [link.partition("#")]
        if not _leads(report, pages, name, path, anchor)
    ]
    assert not dead


def _leads(report: Path, pages: dict[str, _Page], name: str, path: str, anchor: str) -> bool:
    target = (report / name).parent / path if path else report / name
    if not target.resolve().is_file():
        return False
    inside = target.resolve().relative_to(report.parent).as_posix().removeprefix("report/")
    return not anchor or anchor in pages[inside].ids


def test_pages_are_small(report: Path) -> None:
    """Otherwise a phone on a slow line waits."""
    style = (report / "style.css").stat().st_size
    assert max(file.stat().st_size for file in report.rglob("*.html")) + style < LIMIT


def test_pages_name_their_language_and_head_their_parts_in_order(pages: dict[str, _Page]) -> None:
    """Otherwise a screen reader reads Spanish as English, or cannot move by headings."""
    for name, page in pages.items():
        assert page.lang == ("es-US" if name.startswith("es/") else "en-US"), name
        assert page.headings[0] == 1 and page.headings.count(1) == 1, name
        steps = [after - before for before, after in zip(page.headings, page.headings[1:], strict=False)]
        assert max(steps, default=0) <= 1, name
        assert len(page.ids) == len(set(page.ids)), name
        assert not page.unnamed, name


def test_no_english_is_left_on_a_spanish_page(report: Path) -> None:
    """Otherwise a page that claims to be Spanish falls back to English in the middle of a sentence."""
    english = YAML(typ="safe").load((LOCALE / "en.yml").read_text(encoding="utf-8"))
    seeds = [row for name in ("indicator", "framework_benchmark", "framework_rule") for row in _seed(name)]
    told = [text for part in ("texts", "groups", "plain") for text in flatten(english[part]).values()]
    told += [
        text for row in seeds for name, text in row.items() if name not in ("source", "source_note") and text
    ]
    # Of a sentence with blanks, each piece that is long enough to be no accident.
    pieces = {piece.strip() for text in told for piece in re.split(r"{\w+}", text)}
    wanted = {piece for piece in pieces if len(re.findall(r"\b[A-Za-z]{2,}\b", piece)) >= 3 and " " in piece}
    assert len(wanted) > 300
    found = set()
    for file in (report / "es").glob("*.html"):
        page = re.sub(r'<(\w+)[^>]* lang="en[^"]*"[^>]*>.*?</\1>', " ", file.read_text(encoding="utf-8"))
        page = unescape(page)
        found |= {(file.name, piece) for piece in wanted if piece in page}
    assert not found


def test_names_from_outside_are_escaped(report: Path) -> None:
    """Otherwise a partner's name could put markup into the public pages."""
    for file in report.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "<b>&" not in text
        assert "Riverbend &lt;b&gt;&amp; Partners" in text


def test_withheld_rates_are_not_told(community_paths: CommunityPaths, report: Path) -> None:
    """Otherwise the pages undo what disclosure control withheld."""
    rates = (report.parent / "tables" / "pub_indicator_rate_v1.parquet").as_posix()
    withheld = duckdb.sql(
        f"""select count(*) from read_parquet('{rates}') where indicator_id = 'early_grade_reading' and cohort_year = 2024
        and organization_key = 'all' and race_group = 'american_indian_or_alaska_native' and gender_group = 'all'
        and economic_group = 'all' and geography_id = 'riverbend' and is_suppressed"""
    ).fetchone()
    assert withheld == (1,)
    text = (report / "edition-2024.html").read_text(encoding="utf-8")
    row = re.search(r"American Indian or Alaska Native</th>(.*?)</tr>", text, re.DOTALL)
    assert row is not None and "not shown" in row.group(1) and "%" not in row.group(1)


def test_a_year_below_the_minimum_coverage_says_so(report: Path) -> None:
    """Otherwise a rate of the few who were measured passes for the rate of all."""
    text = (report / "edition-2018.html").read_text(encoding="utf-8")
    part = text[text.index('<a href="employment.html"') :]
    assert "Not enough data." in part[: part.index("</main>")]


def test_a_withheld_year_of_which_too_little_is_known_says_so(tmp_path: Path) -> None:
    """If not, a large community reads that fewer than ten people were counted where a feed is missing."""
    (tmp_path / "tables").mkdir()
    duckdb.sql(
        """select 'i' as indicator_id, y as cohort_year, 'g' as geography_id, 'all' as organization_key, 'federal7' as race_scheme,
            'all' as race_group, 'all' as gender_group, 'all' as economic_group, null::double as rate,
            null::boolean as is_enough_data, null as missing_feeds, true as is_suppressed from range(2023, 2025) t(y)"""
    ).write_parquet(str(tmp_path / "tables" / "pub_indicator_rate_v1.parquet"))
    duckdb.sql(
        "select 'i' as indicator_id, 2024 as cohort_year, false as is_enough_data, 'north:k12_course' as missing_feeds"
    ).write_parquet(str(tmp_path / "tables" / "pub_indicator_coverage_v1.parquet"))
    published = Published(tmp_path, "g")
    rows = published.everyone()["i"]
    published.close()
    assert [row["state"] for row in rows] == ["suppressed", "not_enough"]
    assert [row["missing_feeds"] for row in rows] == [None, "north:k12_course"]


def test_gaps_are_shown_of_years_of_which_enough_is_known(tmp_path: Path) -> None:
    """If not, a year that the page calls too little known still says who is behind."""
    (tmp_path / "tables").mkdir()
    cell = "'i' as indicator_id, 'g' as geography_id, 'all' as organization_key, 'federal7' as race_scheme"
    made = {
        "pub_indicator_rate_v1": f"""select {cell}, y as cohort_year, r as race_group, 'all' as gender_group,
            'all' as economic_group, 0.5 as rate, y < 2024 as is_enough_data, false as is_suppressed
            from range(2022, 2025) t(y) cross join (values ('all'), ('white'), ('asian')) u(r)""",
        "pub_disparity_gap_v1": f"""select {cell}, y as cohort_year, 'race' as dimension, 'white' as group_value,
            'asian' as reference_value, 0.1 as gap from range(2022, 2025) t(y)""",
        "pub_gap_trend_v1": f"""select {cell}, 'race' as dimension, 'white' as group_value, 'asian' as reference_value,
            2022 as baseline_year, 2023 as latest_year, 0.1 as baseline_gap, 0.1 as latest_gap, 0.0 as change, -0.1 as change_low, 0.1 as change_high,
            'persistent' as verdict, false as is_levelling_down, 0.05 as smallest_detectable_change,
            true as was_adverse_at_baseline""",
    }
    for name, query in made.items():
        duckdb.sql(query).write_parquet(str(tmp_path / "tables" / f"{name}.parquet"))
    published = Published(tmp_path, "g")
    rows = published.gaps()
    published.close()
    assert [(row["cohort_year"], row["group_value"], row["verdict"]) for row in rows] == [
        (2023, "white", "persistent")
    ]


def test_pages_speak_in_labels_percentages_and_school_years(report: Path) -> None:
    """Otherwise residents read ids and fractions."""
    text = (report / "early_grade_reading.html").read_text(encoding="utf-8")
    words = re.sub(r"<[^>]*>", " ", text)
    assert "2023-24" in words and "%" in words and "Hispanic or Latino" in words
    assert not re.findall(
        r"\b(?:hispanic_or_latino|not_disadvantaged|not_enough_evidence|k12_\w+|0\.\d{3,})\b", words
    )
    assert not re.findall(r"\b(?:None|nan|undefined)\b", words)


def test_the_first_page_tells_whether_each_outcome_truly_changed(report: Path) -> None:
    """Otherwise noise is read as progress."""
    text = (report / "index.html").read_text(encoding="utf-8")
    cards = text[text.index('class="cards"') : text.index('class="key"')]
    assert cards.count('class="card"') == 7
    assert cards.count('class="verdict ') == 7


def test_every_chart_stands_with_its_table(report: Path) -> None:
    """Otherwise who cannot see a chart cannot have its figures."""
    for file in report.glob("*.html"):
        text = file.read_text(encoding="utf-8")
        for part in text.split("<figure>")[1:]:
            assert "<table" in part.split("<figure>")[0], file.name


def test_a_map_is_drawn_where_shapes_are_configured(report: Path) -> None:
    """Otherwise configured places stay a table."""
    text = (report / "early_grade_reading.html").read_text(encoding="utf-8")
    assert 'class="map ' in text
    assert "45201" in text[text.index('class="map ') : text.index("</figure>", text.index('class="map '))]


def test_gateways_tell_rule_by_rule_and_benchmark_by_benchmark(report: Path) -> None:
    """Otherwise a status stands without its evidence."""
    text = (report / "gateways.html").read_text(encoding="utf-8")
    for needed in (
        "Vision and geography",
        "8 of 8 required",
        "6 of 7 required; 1 more needed",
        "They disagree",
    ):
        assert needed in text
    spanish = (report / "es" / "gateways.html").read_text(encoding="utf-8")
    assert "Visión y geografía" in spanish
    assert "3 de 7 indicadores principales" in spanish


def test_pages_are_part_of_the_sealed_release(report: Path) -> None:
    """Otherwise a page can be changed after publication unseen."""
    files = json.loads((report.parent / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {f"report/{file.relative_to(report).as_posix()}" for file in report.rglob("*.*")} <= set(files)


def test_earlier_releases_stay_reachable(community_paths: CommunityPaths, report: Path) -> None:
    """Otherwise what was published before can no longer be read."""
    from warehouse.community import load_community
    from warehouse.report_card.around import kept_releases

    community = load_community(community_paths.root)
    assert kept_releases(community, "00002-other")[0]["release_id"] == report.parent.name
    assert kept_releases(community, report.parent.name) == []


def test_an_exported_card_stands_alone_and_leaves_the_release_whole(
    community_paths: CommunityPaths, report: Path, tmp_path: Path
) -> None:
    """Otherwise a web server shows dead links or audits, or a release is changed by publishing it."""
    from warehouse.community import load_community
    from warehouse.release.shelf import verify_release
    from warehouse.report_card import export_report_card

    community = load_community(community_paths.root)
    page = export_report_card(report.parent, community, tmp_path / "site")
    assert not (tmp_path / "site" / "audits").exists()
    here = page.parent.resolve()
    told = {
        file.relative_to(here).as_posix(): _Page(file.read_text(encoding="utf-8"))
        for file in here.rglob("*.html")
    }
    for name, held in told.items():
        assert all(_leads(here, told, name, *link.partition("#")[::2]) for link in held.links), name
    assert verify_release(community_paths) == []
    with pytest.raises(FileExistsError, match="is there already"):
        export_report_card(report.parent, community, tmp_path / "site")


def test_each_group_says_whether_it_truly_changed(report: Path) -> None:
    """Otherwise a rise of everyone hides a group that fell."""
    text = (report / "early_grade_reading.html").read_text(encoding="utf-8")
    table = text[text.index("<caption>By gender, 2023-24</caption>") :]
    assert table[: table.index("</table>")].count('class="verdict ') == 2
