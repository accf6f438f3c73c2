"""Words and number formats of a language, from one file each in `locale/`, with a community's own words on top.

What belongs here: looking up and formatting. What does not: which figure is told where (`pages` and the templates).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from warehouse.community import ConfigurationError

BASE = "en"  # the language of the published tables' own words
_NUMBER = re.compile(r"\d+")


class Catalogue:
    """One language: `t` for a text, and numbers, years, dates, groups and the tables' own words in that language."""

    def __init__(self, code: str, content: Mapping[str, Any]) -> None:
        self.code = code
        self.language = content["language"]
        self.tag = str(self.language["tag"])
        self.name = str(self.language["name"])
        self._texts = flatten(content["texts"])
        self._groups = dict(content["groups"])
        self._order = {group: place for place, group in enumerate(self._groups)}
        self._plain = dict(content["plain"])
        self._stages = {name: place for place, name in enumerate(self._plain)}
        self._data = content.get("data") or {}

    def t(self, key: str, **values: object) -> str:
        """A text by its dotted key; `n` chooses between `one` and `other` where the text has both.

        Raises:
            KeyError: the language has no such text.
        """
        if key not in self._texts:
            key = f"{key}.{'one' if str(values.get('n')) == '1' else 'other'}"
        return self._texts[key].format(**values)

    def has(self, key: str) -> bool:
        """Whether there is a text with this key."""
        return key in self._texts

    def pct(self, share: float | None, digits: int = 1) -> str:
        """A share of 0 to 1 as a percentage; a dash where there is none."""
        return "–" if share is None else self.language["percent"].format(n=self.num(100 * share, digits))

    def points(self, share: float | None, *, sign: bool = False, bare: bool = False) -> str:
        """A difference of shares in percentage points, with its sign and without the word where asked for."""
        if share is None:
            return "–"
        rounded = round(100 * share, 1) + 0.0
        text = self.num(abs(rounded), 1)
        mark = ("−" if rounded < 0 else "+" if rounded > 0 else "") if sign else ""
        if bare:
            return mark + text
        return self.t("points.one" if abs(rounded) == 1 else "points.value", n=mark + text)

    def num(self, value: float | None, digits: int = 0) -> str:
        """A number with the language's marks."""
        if value is None:
            return "–"
        text = f"{value:,.{digits}f}".replace("-", "−")
        marks = {",": str(self.language["thousands"]), ".": str(self.language["decimal"])}
        return "".join(marks.get(character, character) for character in text)

    def amount(self, value: float | None, unit: str | None) -> str:
        """An estimate in its unit; percent is 0 to 100 as sources give it."""
        if value is None:
            return "–"
        digits = 1 if unit in ("percent", "rate") else 0
        key = f"measures.units.{unit}"
        return self.t(key if self.has(key) else "measures.units.other", n=self.num(value, digits))

    def year(self, year: int | None, kind: str = "school") -> str:
        """A cohort year in words: a school year, a class, or a calendar year."""
        return "–" if year is None else self.t(f"years.{kind}", label=self.short_year(year, kind))

    @staticmethod
    def short_year(year: int, kind: str = "school") -> str:
        """A cohort year as short as it can be told."""
        return f"{year - 1}-{year % 100:02d}" if kind == "school" else str(year)

    def date(self, day: date | str | None) -> str:
        """A day in words."""
        if day is None:
            return "–"
        value = date.fromisoformat(day[:10]) if isinstance(day, str) else day
        month = self.language["months"][value.month - 1]
        return self.language["date"].format(day=value.day, month=month, year=value.year)

    def group(self, value: str | None) -> str:
        """Name of a group; the parts of a combined one are joined."""
        parts = str(value or "all").split(" / ")
        return ", ".join(str(self._groups.get(part, part.replace("_", " "))) for part in parts)

    def place_of(self, value: str | None) -> tuple[int, ...]:
        """Where a group comes in the order of the language file; unknown ones last."""
        return tuple(self._order.get(part, len(self._order)) for part in str(value or "all").split(" / "))

    def listed(self, items: Sequence[str]) -> str:
        """Items as a list in a sentence."""
        *most, last = items
        return f"{', '.join(most)}{self.language['list_and']}{last}" if most else last

    def plain(self, indicator_id: str) -> str | None:
        """The one sentence that tells a resident what an indicator is."""
        return self._plain.get(indicator_id)

    def order_of(self, indicator_id: str) -> tuple[int, str]:
        """Where an indicator comes: in the order of the language file, a community's own ones after it."""
        return self._stages.get(indicator_id, len(self._stages)), indicator_id

    def word(self, section: str, item: str | None, field: str, published: object) -> str:
        """A published table's own words in this language; as published where nobody translated them."""
        return self._translated(section, item, field) or str(published or "")

    def words(self, section: str, item: str | None, field: str, published: object) -> Markup:
        """The same for a page: words left in the tables' language say so to screen readers."""
        told = self._translated(section, item, field)
        if told or self.code == BASE or not published:
            return Markup.escape(told or published or "")
        return Markup('<span lang="en">{}</span>').format(published)

    def detail(self, measured_by: str | None, published: str | None) -> Markup:
        """The sentence behind a measurement; its figures are set into this language's sentence."""
        pattern = self._translated("measurements", measured_by, "detail")
        numbers = _NUMBER.findall(published or "")
        if pattern and len(numbers) == len(set(_NUMBER.findall(pattern))):
            return Markup.escape(pattern.format(*numbers))
        return self.words("measurements", None, "detail", published)

    def _translated(self, section: str, item: str | None, field: str) -> str | None:
        found = (self._data.get(section) or {}).get(item) or {}
        return found.get(field) if isinstance(found, Mapping) else found


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Texts by dotted key."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def shipped_languages() -> tuple[str, ...]:
    """Codes of the languages that come with the software."""
    folder = files("warehouse.report_card") / "locale"
    return tuple(sorted(item.name[:-4] for item in folder.iterdir() if item.name.endswith(".yml")))


def load_catalogue(code: str, community: Path | None = None) -> Catalogue:
    """The words of a language: the shipped file, with `<community>/locale/<code>.yml` over it.

    Raises:
        ConfigurationError: there is no such language, or its words are not complete; names what is missing.
    """
    content: dict[str, Any] = {}
    if code in shipped_languages():
        content = _merged({}, _shipped(code))
    own = community / "locale" / f"{code}.yml" if community else None
    if own and own.is_file():
        content = _merged(content, _read(own.read_text(encoding="utf-8"), own))
    if not content:
        raise ConfigurationError(
            f"community.yml: languages: there are no words for '{code}'; shipped are {', '.join(shipped_languages())}. "
            f"Write locale/{code}.yml beside community.yml, with the keys of the English file."
        )
    missing = sorted(keys(_shipped(BASE)) - keys(content))
    if missing:
        raise ConfigurationError(f"locale/{code}.yml: these words are missing: {', '.join(missing[:20])}")
    return Catalogue(code, content)


def keys(content: Mapping[str, Any]) -> set[str]:
    """Every key that each language must have."""
    needed = {part: content.get(part) or {} for part in ("language", "texts", "groups", "plain")}
    return set(flatten(needed))


@cache
def _shipped(code: str) -> Mapping[str, Any]:
    resource = files("warehouse.report_card") / "locale" / f"{code}.yml"
    return _read(resource.read_text(encoding="utf-8"), Path(f"{code}.yml"))


def _read(text: str, name: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise ConfigurationError(f"{name}: not readable as YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{name}: expected keys and texts.")
    return content


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(inner, value) if both else value  # type: ignore[arg-type]
    return merged
