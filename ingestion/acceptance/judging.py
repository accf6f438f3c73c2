"""Typing and judging rows as one SQL statement: every row with the list of all that is wrong with it.

What belongs here: generated SQL. What does not: where rows go (`store`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from ingestion.acceptance.expressions import UNKNOWN_CODE
from ingestion.contracts import Column, FeedContract, load_option_sets
from warehouse.duck import quote_identifier, sql_literal


def judged_sql(contract: FeedContract, expressions: Mapping[str, str], source: str, as_of: date) -> str:
    """SQL of a table with `_record`, the typed columns, and `_failures`, a list of 'code|column or rule'.

    Duplicates by the contract's key fail from the second row on: identical ones as `duplicate_row`, others as
    `duplicate_key`.
    """
    texts = ", ".join(f"{expressions[c.name]} as {_text(c)}" for c in contract.columns)
    typed = ", ".join(f"{_typed(c)} as {quote_identifier(c.name)}" for c in contract.columns)
    kept = ", ".join(_text(c) for c in contract.columns)
    checks = [check for c in contract.columns for check in _column_checks(c)]
    for rule in contract.rules:
        condition = re.sub(r"\bas_of_date\b", f"date {sql_literal(as_of.isoformat())}", rule.sql)
        if rule.severity == "quarantine":
            checks.append(f"case when not ({condition}) then {sql_literal('rule|' + rule.id)} end")
    failures = f"list_filter([{', '.join(checks)}], lambda x: x is not null)" if checks else "[]::varchar[]"
    key = ", ".join(quote_identifier(name) for name in contract.key)
    content = (
        f"md5(concat_ws(chr(31), {', '.join(f'coalesce({_text(c)}, chr(30))' for c in contract.columns)}))"
    )
    return f"""
        with canonical as (select _record, {texts} from {source}),
        typed as (select _record, {typed}, {kept} from canonical),
        checked as (select *, {failures} as _row_failures, {content} as _content from typed),
        ranked as (
            select *,
                row_number() over (partition by {key}, len(_row_failures) = 0 order by _record) as _nth,
                first_value(_content) over (partition by {key}, len(_row_failures) = 0 order by _record) as _first
            from checked
        )
        select * exclude (_row_failures, _nth, _first, _content, {kept}),
            case
                when len(_row_failures) > 0 or _nth = 1 then _row_failures
                when _content = _first then ['duplicate_row|']
                else ['duplicate_key|']
            end as _failures
        from ranked
    """


def _text(column: Column) -> str:
    return quote_identifier(f"_t_{column.name}")


def _typed(column: Column) -> str:
    text = _text(column)
    if column.type == "integer":
        return f"try_cast(case when try_cast({text} as double) = floor(try_cast({text} as double)) then try_cast({text} as double) end as bigint)"
    if column.type in ("decimal", "date", "boolean"):
        return f"try_cast({text} as {column.sql_type})"
    return text


def _column_checks(column: Column) -> list[str]:
    text, name = _text(column), quote_identifier(column.name)

    def failed(condition: str, code: str) -> str:
        return f"case when {condition} then {sql_literal(f'{code}|{column.name}')} end"

    checks = []
    if column.required:
        checks.append(failed(f"{text} is null", "required"))
    if column.type in ("integer", "decimal", "date", "boolean"):
        checks.append(failed(f"{text} is not null and {name} is null", "type"))
    if column.type == "option":
        options = ", ".join(sql_literal(option) for option in load_option_sets()[str(column.options)])
        checks.append(failed(f"{text} not in ({options})", "unknown_code"))
    if column.type == "option_list":
        checks.append(failed(f"contains({text}, {sql_literal(UNKNOWN_CODE)})", "unknown_code"))
    if column.min is not None:
        checks.append(failed(f"{name} < {column.min}", "below_minimum"))
    if column.max is not None:
        checks.append(failed(f"{name} > {column.max}", "above_maximum"))
    return checks
