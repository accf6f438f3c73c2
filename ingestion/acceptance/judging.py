"""Typing and judging all rows in one SQL statement, a bit for each thing that can be wrong with a row.

What belongs here: generated SQL. What does not: what the bits are called to a partner (`findings`) and where the
rows go (`store`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from ingestion.acceptance.canonical import UNKNOWN_CODE, Canonical, computed_name, placeholder, source_name
from ingestion.contracts import Column, FeedContract
from ingestion.readers.scratch import drop_table, is_kept
from warehouse.duck import quote_identifier, sql_literal
from warehouse.lake import DELETED

SOURCE = "source"  # the file's records as text, from the reader
SCOPED = "source_rows"  # those in the mapping's scope
JUDGED = "judged"  # typed values and bits, of every column of the contract
ROWS = "judged_rows"  # typed values and the bits of what each row shows by itself, of those columns that the file fills
FLAGGED = "flagged_rows"  # the bits of the rows that have any
_KEYED = "keyed_rows"  # bits and a hash of the key, of every row
_WORD = 60  # bits used of a BIGINT


@dataclass(frozen=True)
class Check:
    """One way in which a row can fail; `condition` is over canonical text and typed columns."""

    code: str
    subject: str
    condition: str

    @property
    def name(self) -> str:
        """Code and column or rule, as reasons are stored."""
        return f"{self.code}|{self.subject}" if self.subject else self.code


@dataclass(frozen=True)
class Plan:
    """Everything that judging one file needs: the columns' SQL and the checks, by position of their bit."""

    contract: FeedContract
    columns: Mapping[str, Canonical]
    checks: tuple[Check, ...]
    issuer: str | None = None
    deleted: str | None = None

    @property
    def words(self) -> list[str]:
        """Names of the columns that hold the bits."""
        return [f"_fail_{n}" for n in range((len(self.checks) + 2 + _WORD - 1) // _WORD)]

    @property
    def bad(self) -> str:
        """Condition under which a judged row is put aside."""
        return " or ".join(f"{word} <> 0" for word in self.words)

    @property
    def good(self) -> str:
        """Condition under which a judged row is accepted."""
        return " and ".join(f"{word} = 0" for word in self.words)

    def row_issuer(self, issuer_id: str, alias: str = "") -> str:
        """SQL of whose id a row's is: as the row says, else the partner's own issuer."""
        own = sql_literal(issuer_id)
        return f"coalesce(nullif(trim({alias}_issuer), ''), {own})" if self.issuer else own

    def bit(self, position: int) -> tuple[str, int]:
        """Column and value of a check's bit; the two after the checks mark duplicates."""
        return self.words[position // _WORD], 1 << (position % _WORD)

    def named_bits(self) -> list[tuple[str, str, int]]:
        """Name, column and value of every bit."""
        names = [*(check.name for check in self.checks), "duplicate_row", "duplicate_key"]
        return [(name, *self.bit(position)) for position, name in enumerate(names)]


def make_plan(
    contract: FeedContract,
    columns: Mapping[str, Canonical],
    as_of: date,
    issuer: str | None = None,
    deleted: str | None = None,
) -> Plan:
    """Lay out the checks of a contract for a file's columns."""
    checks = [check for column in contract.columns for check in _column_checks(column, columns[column.name])]
    for rule in contract.rules:
        if rule.severity == "quarantine":
            checks.append(Check("rule", rule.id, f"not try({rule_condition(rule.sql, as_of)})"))
    if deleted:
        # A row that takes its key out need hold no more than the key.
        checks = [
            check
            if check.subject in contract.key
            else replace(check, condition=f"not {DELETED} and ({check.condition})")
            for check in checks
        ]
    return Plan(contract, columns, tuple(checks), issuer, deleted)


def rule_condition(sql: str, as_of: date) -> str:
    """A rule's condition with the run's date in place."""
    return re.sub(r"\bas_of_date\b", f"date {sql_literal(as_of.isoformat())}", sql)


def judge(con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make relation `judged` from view `source_rows`: `_record`, typed columns, and the bits of what is wrong.

    Where the source is kept packed, typed columns are not stored: whoever asks for some of them has these made again,
    which there is work on each distinct value: it takes no longer than storing them, and half of the memory.
    """
    query = _typed_sql(plan)
    drop_table(con, ROWS)
    if is_kept(con, SOURCE) and not _has_expressions(plan):
        con.execute(f"create view {ROWS} as {query}")
    else:
        con.execute("set preserve_insertion_order = true")
        con.execute(f"create table {ROWS} as {query}")
        con.execute("set preserve_insertion_order = false")
    _flag(con, plan)
    words = ", ".join(f"coalesce(f.{word}, 0) as {word}" for word in plan.words)
    con.execute(
        f"create or replace view {JUDGED} as select r._record{_carried(plan)}, {_every(plan)}, {words} "
        f"from {ROWS} r left join {FLAGGED} f on f._record = r._record"
    )
    _flag_duplicates(con, plan)
    con.execute(f"drop table {_KEYED}")


def _typed_sql(plan: Plan) -> str:
    """The rows in scope with their typed values, and the bits of what each shows by itself."""
    columns = plan.contract.columns
    sources = [f"{c.source} as {source_name(name)}" for name, c in plan.columns.items() if not c.is_absent]
    texts = [
        f"{plan.columns[c.name].text} as {placeholder(c)}"
        for c in columns
        if c.required or not plan.columns[c.name].is_absent
    ]
    expressions = {name: c.computed for name, c in plan.columns.items() if c.computed is not None}
    computed = "".join(f", {sql} as {computed_name(name)}" for name, sql in expressions.items())
    fails = [f"{computed_name(name)} is null as {_failed_name(name)}" for name in expressions]
    issuer = [f"({plan.issuer})::varchar as _issuer"] if plan.issuer else []
    if plan.deleted:
        issuer.append(f"coalesce(({plan.deleted}), false) as {DELETED}")
    typed = [f"{plan.columns[c.name].typed} as {quote_identifier(c.name)}" for c in columns]
    terms: dict[str, list[str]] = {word: ["0::bigint"] for word in plan.words}
    for position, check in enumerate(plan.checks):
        word, value = plan.bit(position)
        terms[word].append(f"case when {check.condition} then {value}::bigint else 0 end")
    bits = ", ".join(f"{' + '.join(parts)} as {word}" for word, parts in terms.items())
    filled = ", ".join(quote_identifier(c.name) for c in columns if not plan.columns[c.name].is_absent)
    return f"""
        with computed as (select *{computed} from {SCOPED}),
        written as (select _record, {", ".join([*sources, *fails, *issuer])} from computed),
        canonical as (select *, {", ".join(texts)} from written),
        typed as (select *, {", ".join(typed)} from canonical)
        select _record{_carried(plan)}, {filled}, {bits} from typed
        """


def _has_expressions(plan: Plan) -> bool:
    """Whether the mapping has SQL of its own, of which nobody knows how much work it is."""
    computed = any(column.computed is not None for column in plan.columns.values())
    return computed or plan.issuer is not None or plan.deleted is not None


def _carried(plan: Plan) -> str:
    return (", _issuer" if plan.issuer else "") + (f", {DELETED}" if plan.deleted else "")


def _every(plan: Plan) -> str:
    """All columns of the contract over `ROWS`; what no row has is not stored a row at a time."""
    return ", ".join(
        f"{plan.columns[c.name].typed} as {quote_identifier(c.name)}"
        if plan.columns[c.name].is_absent
        else quote_identifier(c.name)
        for c in plan.contract.columns
    )


def _key(plan: Plan) -> str:
    return ", ".join(map(quote_identifier, plan.contract.key)) + (", _issuer" if plan.issuer else "")


def _flag(con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Make table `flagged_rows` of what rows show by themselves, and note the hash of every row's key."""
    words = ", ".join(plan.words)
    con.execute(
        f"create or replace table {_KEYED} as select _record, hash({_key(plan)}) as _hash, {words} "
        f"from (select _record{_carried(plan)}, {_every(plan)}, {words} from {ROWS})"
    )
    con.execute(
        f"create or replace table {FLAGGED} as select _record, {words} from {_KEYED} where {plan.bad}"
    )


def _flag_duplicates(con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Flag the second and later good rows of a key; only rows whose key's hash repeats are ranked."""
    found = con.execute(
        f"create or replace table repeated as select _hash from {_KEYED} where {plan.good} "
        "group by _hash having count(*) > 1"
    ).fetchone()
    if not found or not found[0]:
        return
    content = ", ".join(quote_identifier(column.name) for column in plan.contract.columns)
    bits = dict.fromkeys(plan.words, "0")
    for condition, position in (("_same", len(plan.checks)), ("not _same", len(plan.checks) + 1)):
        word, value = plan.bit(position)
        bits[word] += f" + case when {condition} then {value}::bigint else 0 end"
    con.execute(
        f"""
        create or replace table duplicated as
        with ranked as (
            select _record, row({content}) as _content,
                row_number() over by_key as _nth, first_value(row({content})) over by_key as _first
            from {JUDGED} where {plan.good}
                and _record in (select _record from {_KEYED} where _hash in (from repeated))
            window by_key as (partition by {_key(plan)} order by _record)
        )
        select _record, _content is not distinct from _first as _same from ranked where _nth > 1
        """
    )
    con.execute(f"insert into {FLAGGED} select _record, {', '.join(bits.values())} from duplicated")
    con.execute("drop table duplicated")


def reasons_sql(plan: Plan) -> str:
    """SQL of the rows put aside: `_record` and `_reasons`, the names of all that is wrong."""
    named = ", ".join(
        f"case when {word} & {value} <> 0 then {sql_literal(name)} end"
        for name, word, value in plan.named_bits()
    )
    return f"select _record, list_filter([{named}], lambda x: x is not null) as _reasons from {JUDGED} where {plan.bad}"


def _failed_name(name: str) -> str:
    return quote_identifier(f"_e_{name}")


def _column_checks(column: Column, canonical: Canonical) -> list[Check]:
    text, name = placeholder(column), quote_identifier(column.name)
    checks = []
    if canonical.computed is not None:
        checks.append(Check("expression_failed", column.name, _failed_name(column.name)))
    if column.required:
        checks.append(Check("required", column.name, f"{text} is null"))
    if canonical.is_absent:
        return checks
    if canonical.misfit is not None:
        checks.append(Check("type", column.name, f"{text} is not null and ({canonical.misfit})"))
    if column.type == "option":
        checks.append(Check("unknown_code", column.name, f"{text} = {sql_literal(UNKNOWN_CODE)}"))
    if column.type == "option_list":
        checks.append(Check("unknown_code", column.name, f"contains({text}, {sql_literal(UNKNOWN_CODE)})"))
    if column.min is not None:
        checks.append(Check("below_minimum", column.name, f"{name} < {column.min}"))
    if column.max is not None:
        checks.append(Check("above_maximum", column.name, f"{name} > {column.max}"))
    return checks
