"""The words: alike in every language, none left in templates, numbers and dates as the language writes them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from warehouse.community import ConfigurationError
from warehouse.report_card.catalogue import Catalogue, flatten, keys, load_catalogue, shipped_languages
from warehouse.report_card.tables import year_kind

ROOT = Path(__file__).parents[3]
HOME = ROOT / "warehouse" / "report_card"
SEEDS = ROOT / "dbt_project" / "seeds"
FIELDS = ("title", "population", "numerator", "denominator", "exclusions", "timing")


def _content(code: str) -> dict[str, dict[str, object]]:
    content: dict[str, dict[str, object]] = YAML(typ="safe").load(
        (HOME / "locale" / f"{code}.yml").read_text(encoding="utf-8")
    )
    return content


def _seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def english() -> Catalogue:
    return load_catalogue("en")


@pytest.fixture(scope="module")
def spanish() -> Catalogue:
    return load_catalogue("es")


@pytest.mark.parametrize("code", shipped_languages())
def test_every_language_has_the_same_words_and_blanks(code: str) -> None:
    """Otherwise a page of that language fails, or tells a figure in the wrong place."""
    base, other = _content("en"), _content(code)
    assert keys(base) == keys(other)
    blanks = {key: set(re.findall(r"{(\w+)}", text)) for key, text in flatten(base["texts"]).items()}
    told = {key: set(re.findall(r"{(\w+)}", text)) for key, text in flatten(other["texts"]).items()}
    assert told == blanks


def test_spanish_words_are_not_english_ones() -> None:
    """Otherwise English stands on Spanish pages."""
    base, other = _content("en"), _content("es")
    wordless = re.compile(r"{\w+}|[^a-záéíóúñ]", re.IGNORECASE)
    same = {
        key
        for part in ("texts", "groups", "plain")
        for key, text in flatten(base[part]).items()
        if flatten(other[part])[key] == text and wordless.sub("", text)
    }
    assert same <= {"downloads.csv", "downloads.parquet", "gateways.no", "gap.no"}


@pytest.mark.parametrize("code", [code for code in shipped_languages() if code != "en"])
def test_every_word_of_the_seeds_is_translated(code: str) -> None:
    """Otherwise an indicator or a benchmark stays English on that language's pages."""
    data = _content(code)["data"]
    wanted = {f"indicators.{row['indicator_id']}.{f}" for row in _seed("indicator") for f in FIELDS if row[f]}
    wanted |= {f"gateways.{row['gateway_id']}.title" for row in _seed("gateway")}
    wanted |= {f"pillars.{row['pillar_id']}.title" for row in _seed("pillar")}
    wanted |= {f"rules.{row['rule_id']}.requirement" for row in _seed("framework_rule")}
    benchmarks = _seed("framework_benchmark")
    wanted |= {f"benchmarks.{row['benchmark_id']}.{f}" for row in benchmarks for f in ("title", "statement")}
    wanted |= {f"measurements.{row['measured_by']}.detail" for row in benchmarks if row["measured_by"]}
    wanted |= {f"measures.{row['measure_id']}.title" for row in _seed("community_measure_definition")}
    published = YAML(typ="safe").load((ROOT / "warehouse/release/published.yml").read_text(encoding="utf-8"))
    wanted |= {f"tables.{table['name']}.title" for table in published}
    assert wanted == {key for key in flatten(data) if not key.startswith("feeds.")}


@pytest.mark.parametrize("code", shipped_languages())
def test_every_group_and_indicator_of_the_seeds_has_its_words(code: str) -> None:
    """Otherwise residents read an id."""
    content = _content(code)
    assert {row["race_group"] for row in _seed("race_group")} <= set(content["groups"])
    assert {row["indicator_id"] for row in _seed("indicator")} == set(content["plain"])


def test_english_race_groups_are_named_as_in_the_seed(english: Catalogue) -> None:
    """Otherwise the downloads and the pages name a group differently."""
    rows = [row for row in _seed("race_group") if row["race_scheme"] == "federal7"]
    assert {english.group(row["race_group"]) for row in rows} == {row["race_group_title"] for row in rows}


@pytest.mark.parametrize("template", sorted((HOME / "templates").rglob("*.j2")), ids=lambda file: file.name)
def test_no_word_stands_in_a_template(template: Path) -> None:
    """Otherwise it stays English in every language."""
    if template.parent.name == "data_room":
        return  # pages for partners' staff, in English
    text = template.read_text(encoding="utf-8")
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", text, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', text)
    text = re.sub(r"<[^>]*>", " ", text)
    assert not re.findall(r"[A-Za-zÁ-ú]{2,}", " ".join([text, *labels]).replace("&nbsp;", ""))


def test_numbers_years_and_dates_follow_the_language(english: Catalogue, spanish: Catalogue) -> None:
    """Otherwise figures are misread."""
    assert english.pct(0.4356) == "43.6%"
    assert spanish.pct(0.4356) == "43.6\u00a0%"
    assert english.points(-0.029, sign=True) == "−2.9 points"
    assert spanish.points(0.01, sign=True) == "+1.0 punto"
    assert english.points(-0.0001, sign=True) == "0.0 points"
    assert english.num(12345) == "12,345"
    assert english.year(2024) == "2023-24"
    assert english.year(2000) == "1999-00"
    assert english.year(2024, "class") == "class of 2024"
    assert spanish.date("2024-11-05T02:30:00+00:00") == "5 de noviembre de 2024"
    assert english.date("2024-11-05") == "November 5, 2024"
    assert english.group("white / female") == "White, Girls and women"
    assert english.pct(None) == "–"


def test_the_kind_of_year_follows_the_indicators_timing() -> None:
    """Otherwise a graduating class is called a school year."""
    kinds = {row["indicator_id"]: year_kind(row["timing"]) for row in _seed("indicator")}
    assert kinds["early_grade_reading"] == "school"
    assert kinds["high_school_graduation"] == "class"
    assert kinds["postsecondary_persistence"] == "class"
    assert kinds["employment"] == "calendar"


def test_figures_of_a_measurement_stand_in_the_languages_sentence(spanish: Catalogue) -> None:
    """Otherwise evidence is told with another's figures."""
    told = spanish.detail("core_indicators_configured", "7 of 7 outcomes have a core indicator.")
    assert told == "7 de 7 resultados tienen un indicador principal."
    unknown = spanish.detail("core_indicators_configured", "Nothing is configured.")
    assert unknown == '<span lang="en">Nothing is configured.</span>'


def test_words_nobody_translated_are_marked_as_english(english: Catalogue, spanish: Catalogue) -> None:
    """Otherwise a screen reader reads English with Spanish sounds, or markup of a title gets into the page."""
    assert spanish.words("indicators", "own_one", "title", "A & B") == '<span lang="en">A &amp; B</span>'
    assert english.words("indicators", "own_one", "title", "A & B") == "A &amp; B"


def test_a_community_adds_a_language_and_its_own_words_by_a_file(tmp_path: Path) -> None:
    """Otherwise a language needs a change of the software."""
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / "en.yml").write_text("texts: {nav: {index: Our goals}}\n", encoding="utf-8")
    whole = (HOME / "locale" / "en.yml").read_text(encoding="utf-8")
    (tmp_path / "locale" / "vi.yml").write_text(whole.replace("tag: en-US", "tag: vi"), encoding="utf-8")
    assert load_catalogue("en", tmp_path).t("nav.index") == "Our goals"
    assert load_catalogue("en", tmp_path).t("nav.gaps") == "Gaps"
    assert load_catalogue("vi", tmp_path).tag == "vi"


def test_an_unknown_or_half_language_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    """Otherwise a night fails at a page without saying what to write."""
    with pytest.raises(ConfigurationError, match="no words for 'xx'"):
        load_catalogue("xx", tmp_path)
    (tmp_path / "locale").mkdir()
    (tmp_path / "locale" / "xx.yml").write_text("language: {name: X}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"words are missing: groups.all"):
        load_catalogue("xx", tmp_path)
