"""SQL that turns a partner's source text into canonical text and typed values.

What belongs here: one pair of expressions a canonical column. What does not: judging the values (`judging`)
and published numbers with marks in them (`protected`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ingestion.acceptance.protected import PROTECTED_COLUMNS, exact_number_sql, protected_parts
from ingestion.contracts import Column, FeedContract, load_option_sets
from ingestion.mapping import FeedMapping, How, Layout, as_how, fold, sources_of
from warehouse.duck import quote_identifier, sql_literal

# Stands for a code that the mapping does not know; no partner's text holds this control character.
UNKNOWN_CODE = "\x1aunknown"
NOT_COLLECTED = "NotCollected"
# Month before day, as the country writes it; a partner that writes it otherwise says so in `date_format`.
_DEFAULT_DATES = ("%m/%d/%Y", "%Y%m%d")
_ISO_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
_TRUE, _FALSE = ("TRUE", "T", "YES", "Y", "1"), ("FALSE", "F", "NO", "N", "0")


@dataclass(frozen=True)
class Canonical:
    """SQL of one canonical column.

    Attributes:
        source: what the partner wrote, over the source's columns; stands as `source_name(column)` for `text`.
        text: canonical text, null where there is nothing; stands as `placeholder(column)` for what follows.
        typed: typed value over `placeholder(column)`, the text's own column.
        misfit: condition over text and typed value under which the text, where there is one, does not fit the type.
        is_single: whether `source` is the text of one source column.
        computed: the partner's expression, as a struct of one text that is null where it cannot be computed; it
            stands as `computed_name(column)` beside the source's columns.
        is_absent: whether nothing of the file fills the column, so that its values need no judging.
    """

    source: str
    text: str
    typed: str
    misfit: str | None = None
    is_single: bool = False
    computed: str | None = None
    is_absent: bool = False


def placeholder(column: Column) -> str:
    """Quoted name under which a column's canonical text stands between text and type."""
    return quote_identifier(f"_t_{column.name}")


def source_name(name: str) -> str:
    """Quoted name of what the partner wrote for a canonical column."""
    return quote_identifier(f"_s_{name}")


def canonical_columns(
    mapping: FeedMapping, layout: Layout, contract: FeedContract, present: Mapping[str, str], file_name: str
) -> dict[str, Canonical]:
    """Canonical column to its SQL.

    Args:
        mapping: the partner's mapping.
        layout: the layout that fits the file.
        contract: the feed's contract.
        present: source columns of the file by folded name.
        file_name: name of the dropped file.
    """
    result: dict[str, Canonical] = {}
    for column in contract.columns:
        entry = layout.columns.get(column.name)
        how = as_how(entry) if entry is not None else None
        absent = how is None or any(fold(name) not in present for name in sources_of(how))
        if how is None or absent:
            result.setdefault(column.name, _nothing(column))
            continue
        text = _source_text(column, how, present, file_name)
        if _is_gathered(column, how):
            text = f"[{', '.join(_cells(how, present))}]"
        if how.convert == "protected_number" and column.name in PROTECTED_COLUMNS:
            by_name = {c.name: c for c in contract.columns}
            for name, part in protected_parts(source_name(column.name)).items():
                result[name] = Canonical("null::varchar", part, *_typed(by_name[name], How()))
            result[column.name] = replace(result[column.name], source=text, computed=_computed(how))
            continue
        if column.name in result:
            continue
        result[column.name] = Canonical(
            _spring_year_parts(text) if how.convert == "spring_year" else text,
            _text(mapping, column, how),
            *_typed(column, how),
            isinstance(how.from_, str) and how.expression is None and how.convert is None,
            _computed(how),
        )
    return result


def _is_gathered(column: Column, how: How) -> bool:
    """Whether the column's list is gathered from several source columns, which then stand as a list."""
    return column.type == "option_list" and how.expression is None and len(sources_of(how)) > 1


def _computed(how: How) -> str | None:
    # One try around all of it: an error in one row is that row's, and is told from an empty result.
    return f"try({{'v': ({how.expression})::varchar}})" if how.expression is not None else None


def _nothing(column: Column) -> Canonical:
    value = _when_empty(column) if column.type in ("option", "option_list") else None
    text = sql_literal(value) if value else "null::varchar"
    typed = sql_literal(value) if value else f"null::{column.sql_type}"
    return Canonical("null::varchar", text, typed, is_absent=True)


def _when_empty(column: Column) -> str | None:
    return NOT_COLLECTED if NOT_COLLECTED in load_option_sets()[str(column.options)] else None


def computed_name(name: str) -> str:
    """Quoted name of the struct that holds the result of a column's expression."""
    return quote_identifier(f"_x_{name}")


def _source_text(column: Column, how: How, present: Mapping[str, str], file_name: str) -> str:
    if how.expression is not None:
        return f"nullif(trim({computed_name(column.name)}.v), '')"
    if how.constant is not None:
        return sql_literal(str(how.constant))
    if how.from_file_name is not None:
        match = re.search(how.from_file_name, file_name)
        found = match.group(1) if match and match.groups() else None
        return sql_literal(found) if found else "null::varchar"
    cells = _cells(how, present)
    if len(cells) == 1:
        return cells[0]
    return f"nullif(concat_ws({sql_literal(how.separator or ' ')}, {', '.join(cells)}), '')"


def _cells(how: How, present: Mapping[str, str]) -> list[str]:
    return [f"nullif(trim({quote_identifier(present[fold(name)])}), '')" for name in sources_of(how)]


def _text(mapping: FeedMapping, column: Column, how: How) -> str:
    text = source_name(column.name)
    if how.convert == "protected_number":
        return exact_number_sql(text)
    if how.convert == "spring_year":
        return _spring_year(text)
    if column.type == "option":
        return _coded(text, _codes(mapping, column, how), column)
    if column.type == "option_list":
        return _coded_list(column, how, text, _codes(mapping, column, how))
    if how.codes is not None:
        # A column of free text: what the list does not name stays as it stands.
        arms = " ".join(
            f"when {sql_literal(code)} then {sql_literal(value)}"
            for code, value in _codes(mapping, column, how).items()
            if code not in ("", "*")
        )
        return f"case upper(trim({text})) {arms} else {text} end" if arms else text
    return text


def _codes(mapping: FeedMapping, column: Column, how: How) -> dict[str, str]:
    """Code in capitals to option; the option names themselves where no list is given."""
    if how.codes is None:
        return {option.upper(): option for option in load_option_sets()[str(column.options)]}
    own = mapping.code_lists[how.codes] if isinstance(how.codes, str) else how.codes
    return {str(code).strip().upper(): str(option) for code, option in own.items()}


def _coded(text: str, codes: Mapping[str, str], column: Column) -> str:
    return _case(text, codes, codes.get("") or _when_empty(column))


def _coded_list(column: Column, how: How, text: str, codes: Mapping[str, str]) -> str:
    separator = how.separator or (";" if how.expression is not None else None)
    empty = codes.get("") or _when_empty(column) or "Unknown"
    cells = (
        [f"{text}[{at}]" for at in range(1, len(sources_of(how)) + 1)]
        if _is_gathered(column, how)
        else [text]
    )
    if len(cells) == 1 and separator is None:
        return _case(cells[0], codes, empty)
    one = _case("x", codes, None)
    split = [
        f"string_split({cell}, {sql_literal(separator)})" if separator else f"[{cell}]" for cell in cells
    ]
    gathered = split[0] if len(split) == 1 else f"flatten([{', '.join(f'coalesce({s}, [])' for s in split)}])"
    coded = f"list_filter(list_transform({gathered}, lambda x: {one}), lambda x: x is not null)"
    joined = f"nullif(array_to_string(list_sort(list_distinct({coded})), ';'), '')"
    full = f"coalesce({joined}, {sql_literal(empty)})"
    if len(cells) > 1:
        return full
    # Nearly every cell holds one code: the list is built only where a separator stands in the cell.
    simple = _case(cells[0], codes, empty)
    return f"case when contains({cells[0]}, {sql_literal(str(separator))}) then {full} else {simple} end"


def _case(text: str, codes: Mapping[str, str], empty: str | None) -> str:
    default = sql_literal(codes["*"]) if "*" in codes else sql_literal(UNKNOWN_CODE)
    arms = " ".join(
        f"when {sql_literal(code)} then {sql_literal(option)}"
        for code, option in codes.items()
        if code not in ("", "*")
    )
    nothing = sql_literal(empty) if empty else "null"
    return f"case coalesce(upper(trim({text})), '') when '' then {nothing} {arms} else {default} end"


def _spring_year_parts(text: str) -> str:
    """The text, and what stands in it: a prefix, a year, a second year."""
    pattern = r"^\s*(SY|FY|)\s*(\d{4}|\d{2})\s*(?:[-/–]\s*(\d{4}|\d{2}))?\s*$"
    return f"{{'t': {text}, 'y': regexp_extract(upper({text}), '{pattern}', ['p', 'a', 'b'])}}"


def _spring_year(parts: str) -> str:
    """The spring year of '2023-24', '2023-2024', '2023/24', 'SY24', 'SY2024', '2024'; else the text as it stood."""
    prefix, first, second = f"{parts}.y.p", f"{parts}.y.a", f"{parts}.y.b"
    start = f"try_cast(case when length({first}) = 4 then {first} else '20' || {first} end as integer)"
    follows = f"try_cast(right({second}, 2) as integer) = (try_cast(right({first}, 2) as integer) + 1) % 100"
    return (
        f"case when {first} = '' or {first} is null then {parts}.t "
        f"when {second} = '' and length({first}) = 4 then {first} "
        f"when {second} = '' and {prefix} <> '' then '20' || {first} "
        f"when {second} <> '' and {follows} then ({start} + 1)::varchar else {parts}.t end"
    )


def _typed(column: Column, how: How) -> tuple[str, str | None]:
    """SQL of the typed value, and of the condition under which the text does not fit."""
    text, name = placeholder(column), quote_identifier(column.name)
    if column.type == "date":
        return _date(text, name, how)
    if column.type == "boolean":
        arms = [f"when '{word}' then true" for word in _TRUE] + [
            f"when '{word}' then false" for word in _FALSE
        ]
        return f"case upper({text}) {' '.join(arms)} end", f"{name} is null"
    if column.type not in ("integer", "decimal"):
        return text, None
    number = _plain_number(text, how)
    changed = how.scale is not None or how.add is not None
    scaled = f"try_cast({number} as double)" + (f" * {how.scale!r}" if how.scale is not None else "")
    scaled += f" + {how.add!r}" if how.add is not None else ""
    if column.type == "decimal":
        return scaled, f"{name} is null or not isfinite({name})"
    whole = f"try_cast({scaled if changed else number} as bigint)"
    return whole, f"{name} is null or {name} <> {scaled}"


def _plain_number(text: str, how: How) -> str:
    """The number as a computer writes it; commas count as thousands only where they stand as such."""
    point, comma = (",", ".") if how.decimal_comma else (".", ",")
    grouped = f"^-?\\d{{1,3}}(\\{comma}\\d{{3}})+(\\{point}\\d+)?$"
    bare = f"ltrim({text}, '$')"
    ungrouped = (
        f"case when not contains({text}, '{comma}') then {bare} "
        f"when regexp_matches({bare}, '{grouped}') then replace({bare}, '{comma}', '') end"
    )
    return f"replace({ungrouped}, ',', '.')" if how.decimal_comma else f"({ungrouped})"


def _date(text: str, name: str, how: How) -> tuple[str, str]:
    own = [how.date_format] if isinstance(how.date_format, str) else how.date_format
    formats = list(dict.fromkeys([*(own or _DEFAULT_DATES), *_ISO_DATES]))
    listed = ", ".join(sql_literal(fmt) for fmt in formats)
    # DuckDB takes 'infinity' and 'epoch' for 1900-01-01, whatever the format.
    word = f"{name} = date '1900-01-01' and not regexp_matches({text}, '\\d')"
    plausible = f"{name} between date '1800-01-01' and date '2200-12-31'"
    return f"try_strptime({text}, [{listed}])::date", f"{name} is null or not ({plausible}) or ({word})"
