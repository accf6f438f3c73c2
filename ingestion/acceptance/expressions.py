"""SQL expressions that turn a partner's source text into canonical text.

What belongs here: one expression a canonical column. What does not: typing and judging (`judging`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ingestion.contracts import Column, load_option_sets
from ingestion.mapping import FeedMapping, How, Layout
from warehouse.duck import quote_identifier, sql_literal

# Stands for a code that the mapping does not know; no partner's text begins like it.
UNKNOWN_CODE = "\x1aunknown"
_DEFAULT_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d")
_MISSING = {"race": "NotCollected", "gender": "NotCollected", "yes_no": "NotCollected", "sex": "NotCollected"}
_PROTECTED_PARTS = ("estimate", "lower_bound", "upper_bound", "value_status", "annotation")


def as_how(how: str | How) -> How:
    """A mapping's column entry in its long form."""
    return How(from_=how) if isinstance(how, str) else how


def sources_of(how: How) -> list[str]:
    """Source columns that an entry reads by name."""
    if how.from_ is None:
        return []
    return [how.from_] if isinstance(how.from_, str) else list(how.from_)


def canonical_expressions(
    mapping: FeedMapping,
    layout: Layout,
    columns: Collection[Column],
    present: Mapping[str, str],
    file_name: str,
) -> dict[str, str]:
    """Canonical column to SQL text expression over the source relation.

    Args:
        mapping: the partner's mapping.
        layout: the layout that fits the file.
        columns: the contract's columns.
        present: source columns of the file, by folded name.
        file_name: name of the dropped file.
    """
    expressions: dict[str, str] = {}
    for column in columns:
        entry = layout.columns.get(column.name)
        how = as_how(entry) if entry is not None else None
        if how is not None and how.convert == "protected_number":
            expressions |= _protected(_source(how, present, file_name))
        elif how is None or any(fold(name) not in present for name in sources_of(how)):
            expressions.setdefault(column.name, _absent(column))
        else:
            expressions[column.name] = _expression(mapping, column, how, present, file_name)
    return expressions


def fold(name: str) -> str:
    """Header text for comparison: case and spacing do not matter."""
    return " ".join(name.split()).casefold()


def _absent(column: Column) -> str:
    value = _MISSING.get(str(column.options)) if column.type in ("option", "option_list") else None
    return sql_literal(value) if value else "null::varchar"


def _source(how: How, present: Mapping[str, str], file_name: str) -> str:
    if how.expression is not None:
        return f"({how.expression})::varchar"
    if how.constant is not None:
        return sql_literal(str(how.constant))
    if how.from_file_name is not None:
        match = re.search(how.from_file_name, file_name)
        return sql_literal(match.group(1)) if match else "null::varchar"
    names = [quote_identifier(present[fold(name)]) for name in sources_of(how)]
    if len(names) == 1:
        return f"nullif(trim({names[0]}), '')"
    separator = sql_literal(how.separator or " ")
    return (
        f"nullif(concat_ws({separator}, {', '.join(f'nullif(trim({name}), chr(0))' for name in names)}), '')"
    )


def _expression(
    mapping: FeedMapping, column: Column, how: How, present: Mapping[str, str], file_name: str
) -> str:
    text = _source(how, present, file_name)
    if how.convert == "spring_year":
        return _spring_year(text)
    if column.type == "date":
        formats = (
            [how.date_format] if isinstance(how.date_format, str) else how.date_format or list(_DEFAULT_DATES)
        )
        tried = ", ".join(f"try_strptime({text}, {sql_literal(fmt)})::date::varchar" for fmt in formats)
        return f"coalesce({tried}, {text})"
    if column.type in ("option", "option_list"):
        return _coded(mapping, column, how, text)
    if column.type in ("integer", "decimal"):
        return _number(how, text)
    return text


def _number(how: How, text: str) -> str:
    if how.decimal_comma:
        text = f"replace(replace({text}, '.', ''), ',', '.')"
    else:
        text = f"replace(ltrim({text}, '$'), ',', '')"
    if how.scale is not None:
        return f"coalesce((try_cast({text} as double) * {how.scale!r})::varchar, {text})"
    return text


def _spring_year(text: str) -> str:
    return (
        f"case when regexp_matches({text}, '^(SY)?\\s*\\d{{4}}\\s*[-/–]\\s*\\d{{2,4}}$') "
        f"then (regexp_extract({text}, '\\d{{4}}')::integer + 1)::varchar "
        f"when regexp_matches({text}, '^(SY)?\\s*\\d{{4}}$') then regexp_extract({text}, '\\d{{4}}') "
        f"when regexp_matches({text}, '^SY\\s*\\d{{2}}$') then '20' || regexp_extract({text}, '\\d{{2}}') "
        f"else {text} end"
    )


def _coded(mapping: FeedMapping, column: Column, how: How, text: str) -> str:
    options = load_option_sets()[str(column.options)]
    codes = {option.upper(): option for option in options}
    if how.codes is not None:
        own = mapping.code_lists[how.codes] if isinstance(how.codes, str) else how.codes
        codes = {str(code).strip().upper(): str(option) for code, option in own.items()}
    if (column.type == "option_list" and how.separator and len(sources_of(how)) == 1) or (
        column.type == "option_list" and how.expression
    ):
        separator = sql_literal(how.separator or ";")
        one = _case("x", codes, empty=None)
        parts = f"list_filter(list_transform(string_split({text}, {separator}), lambda x: {one}), lambda x: x is not null)"
        empty = codes.get("", _MISSING.get(str(column.options), "Unknown"))
        return f"coalesce(nullif(array_to_string(list_sort(list_distinct({parts})), ';'), ''), {sql_literal(empty)})"
    return _case(text, codes, empty=_MISSING.get(str(column.options)))


def _case(text: str, codes: Mapping[str, str], empty: str | None) -> str:
    nothing = codes.get("", empty)
    default = sql_literal(codes["*"]) if "*" in codes else sql_literal(UNKNOWN_CODE)
    arms = " ".join(
        f"when {sql_literal(code)} then {sql_literal(option)}"
        for code, option in codes.items()
        if code not in ("", "*")
    )
    when_empty = sql_literal(nothing) if nothing else "null"
    return f"case coalesce(upper(trim({text})), '') when '' then {when_empty} {arms} else {default} end"


def _protected(text: str) -> dict[str, str]:
    """A published number, or what stands in its place: a bound, a range, a mark; never a made-up number."""
    number = f"try_cast(replace(replace({text}, ',', ''), '%', '') as double)"
    jam = f"{number} in (-222222222, -333333333, -555555555, -666666666, -888888888, -999999999)"
    below = f"regexp_extract({text}, '^(?:<|LT|LE|N<)\\s*([0-9.,]+)', 1)"
    above = f"coalesce(nullif(regexp_extract({text}, '^(?:>|GT|GE|≥)=?\\s*([0-9.,]+)', 1), ''), regexp_extract({text}, '^([0-9.,]+)\\+$', 1))"
    low = f"regexp_extract({text}, '^([0-9.,]+)\\s*-\\s*([0-9.,]+)$', 1)"
    high = f"regexp_extract({text}, '^([0-9.,]+)\\s*-\\s*([0-9.,]+)$', 2)"
    exact = f"{number} is not null and not ({jam})"

    def plain(part: str) -> str:
        return f"nullif(replace({part}, ',', ''), '')"

    status = (
        f"case when {text} is null then 'not_reported' when {exact} then 'exact' when {low} <> '' then 'range' "
        f"when {below} <> '' then 'bottom_coded' when {above} <> '' then 'top_coded' "
        f"when {text} = '(X)' then 'not_applicable' "
        f"when upper({text}) in ('*', '**', '***', 'S', 'DS', 'PS', 'N<10', 'LNE') then 'suppressed' "
        f"when {jam} or upper({text}) in ('N', '-', 'N/A', 'NA', 'NULL', '.', '') then 'not_reported' else 'unreadable' end"
    )
    return {
        "estimate": f"case when {exact} then ({number})::varchar end",
        "lower_bound": f"coalesce({plain(low)}, {plain(above)})",
        "upper_bound": f"coalesce({plain(high)}, {plain(below)})",
        "value_status": status,
        "annotation": f"case when not coalesce({exact}, false) then {text} end",
    }
