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
        text: canonical text over the source's columns; null where there is nothing.
        typed: typed value over `placeholder(column)`, the text's own column; null where the text does not fit.
        source: text as the partner wrote it, where one source column holds it.
        computed: the partner's expression, as a struct of one text that is null where it cannot be computed; it
            stands as `computed_name(column)` beside the source's columns.
    """

    text: str
    typed: str
    source: str | None = None
    computed: str | None = None


def placeholder(column: Column) -> str:
    """Quoted name under which a column's canonical text stands between text and type."""
    return quote_identifier(f"_t_{column.name}")


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
        if how.convert == "protected_number" and column.name in PROTECTED_COLUMNS:
            by_name = {c.name: c for c in contract.columns}
            for name, part in protected_parts(text).items():
                result[name] = Canonical(part, _typed(by_name[name], How()))
            result[column.name] = replace(result[column.name], computed=_computed(how))
            continue
        if column.name in result:
            continue
        single = isinstance(how.from_, str) and how.expression is None
        result[column.name] = Canonical(
            _text(mapping, column, how, text, present),
            _typed(column, how),
            text if single else None,
            _computed(how),
        )
    return result


def _computed(how: How) -> str | None:
    # One try around all of it: an error in one row is that row's, and is told from an empty result.
    return f"try({{'v': ({how.expression})::varchar}})" if how.expression is not None else None


def _nothing(column: Column) -> Canonical:
    value = _when_empty(column) if column.type in ("option", "option_list") else None
    text = sql_literal(value) if value else "null::varchar"
    return Canonical(text, _typed(column, How()))


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


def _text(mapping: FeedMapping, column: Column, how: How, text: str, present: Mapping[str, str]) -> str:
    if how.convert == "protected_number":
        return exact_number_sql(text)
    if how.convert == "spring_year":
        return _spring_year(text)
    if column.type == "option":
        return _coded(text, _codes(mapping, column, how), column)
    if column.type == "option_list":
        return _coded_list(column, how, text, _codes(mapping, column, how), present)
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


def _coded_list(
    column: Column, how: How, text: str, codes: Mapping[str, str], present: Mapping[str, str]
) -> str:
    separator = how.separator or (";" if how.expression is not None else None)
    empty = codes.get("") or _when_empty(column) or "Unknown"
    cells = _cells(how, present) if how.expression is None and how.from_ is not None else [text]
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


def _spring_year(text: str) -> str:
    """The spring year of '2023-24', '2023-2024', '2023/24', 'SY24', 'SY2024', '2024'; else the text as it stood."""
    bare = f"regexp_replace({text}, '^(?i:SY|FY)?\\s*', '')"
    first = f"regexp_extract({bare}, '^(\\d{{2}}|\\d{{4}})\\s*[-/–]\\s*(\\d{{2}}|\\d{{4}})$', 1)"
    second = f"regexp_extract({bare}, '^(\\d{{2}}|\\d{{4}})\\s*[-/–]\\s*(\\d{{2}}|\\d{{4}})$', 2)"
    start = f"(right({first}, 2)::integer + 1) % 100"
    century = f"(case when length({first}) = 4 then {first}::integer else 2000 + {first}::integer end)"
    return (
        f"case when {text} is null then null when regexp_full_match({text}, '\\d{{4}}') then {text} "
        f"when regexp_full_match({bare}, '\\d{{4}}') then {bare} "
        f"when regexp_full_match({text}, '(?i:SY|FY)\\s*\\d{{2}}') then '20' || right({text}, 2) "
        f"when {first} <> '' and right({second}, 2)::integer = {start} then ({century} + 1)::varchar "
        f"else {text} end"
    )


def _typed(column: Column, how: How) -> str:
    text = placeholder(column)
    if column.type == "date":
        return _date(text, how)
    if column.type == "boolean":
        arms = [f"when '{word}' then true" for word in _TRUE] + [
            f"when '{word}' then false" for word in _FALSE
        ]
        return f"case upper({text}) {' '.join(arms)} end"
    if column.type not in ("integer", "decimal"):
        return text
    number = f"try_cast({_plain_number(text, how)} as double)"
    if how.scale is not None:
        number = f"({number} * {how.scale!r})"
    if column.type == "integer":
        return f"case when {number} % 1 = 0 and abs({number}) < 9e15 then {number}::bigint end"
    return f"case when isfinite({number}) then {number} end"


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


def _date(text: str, how: How) -> str:
    own = [how.date_format] if isinstance(how.date_format, str) else how.date_format
    formats = list(dict.fromkeys([*(own or _DEFAULT_DATES), *_ISO_DATES]))
    listed = ", ".join(sql_literal(fmt) for fmt in formats)
    parsed = f"try_strptime({text}, [{listed}])::date"
    # DuckDB takes 'infinity' and 'epoch' for 1900-01-01, whatever the format.
    word = f"{parsed} = date '1900-01-01' and not regexp_matches({text}, '\\d')"
    plausible = f"{parsed} between date '1800-01-01' and date '2200-12-31'"
    return f"case when {word} then null when {plausible} then {parsed} end"
