"""What is wrong with a mapping beside its form: feeds, columns, codes and patterns that there are not.

What belongs here: finding it and its place. What does not: reading files (`load`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from ingestion.contracts import Column, FeedContract, load_contracts, load_option_sets
from ingestion.mapping.model import FeedMapping, How, as_how

_Fault = tuple[tuple[str | int, ...], str]


def faults_of(mapping: FeedMapping) -> Iterator[_Fault]:
    """Each fault: its place in the file, and what is wrong in words that name what is allowed."""
    contracts = load_contracts()
    if mapping.feed not in contracts:
        yield (
            ("feed",),
            f"no feed '{mapping.feed}'{near(mapping.feed, contracts)}. Feeds: {', '.join(contracts)}",
        )
        return
    contract = contracts[mapping.feed]
    if mapping.deleted and (mapping.delivery_mode or contract.delivery_mode) != "upsert":
        yield ("deleted",), "rows delete others only with `delivery_mode: upsert`"
    if mapping.name and not re.fullmatch(r"[a-z][a-z0-9_]*", mapping.name):
        yield ("name",), f"name '{mapping.name}' is not lower_snake"
    columns = {column.name: column for column in contract.columns}
    placed: list[tuple[tuple[str | int, ...], dict[str, str | How]]] = [(("columns",), mapping.columns)]
    placed += [(("layouts", n, "columns"), layout.columns) for n, layout in enumerate(mapping.layouts)]
    for where, entries in placed:
        for name, entry in entries.items():
            place = (*where, name)
            if name not in columns:
                allowed = ", ".join(columns)
                yield (
                    place,
                    f"feed {contract.feed} has no column '{name}'{near(name, columns)}. Columns: {allowed}",
                )
                continue
            for message in _column_faults(mapping, contract, columns[name], as_how(entry)):
                yield place, f"column '{name}': {message}"
    patterns = {
        "unpivot": mapping.unpivot.pattern if mapping.unpivot else None,
        "checks": mapping.checks.trailer_pattern,
    }
    for place_name, pattern in patterns.items():
        if pattern and not _compiles(pattern):
            yield (place_name,), f"'{pattern}' is no regular expression"
    if mapping.unpivot and not {"variable", "part"} <= set(re.compile(mapping.unpivot.pattern).groupindex):
        yield ("unpivot", "pattern"), "the pattern needs the groups (?P<variable>…) and (?P<part>…)"


def _column_faults(mapping: FeedMapping, contract: FeedContract, column: Column, how: How) -> Iterator[str]:
    given = [how.constant is not None, how.from_file_name is not None, how.expression is not None]
    if sum(given) > 1 or not (any(given) or how.from_):
        yield "give one of from, constant, from_file_name, expression"
    if how.from_file_name is not None and not (
        _compiles(how.from_file_name) and re.compile(how.from_file_name).groups
    ):
        yield f"'{how.from_file_name}' is no regular expression with a group"
    if how.convert == "protected_number" and not any(c.name == "value_status" for c in contract.columns):
        yield f"feed {contract.feed} has no columns for protected numbers"
    if how.codes is None:
        return
    if isinstance(how.codes, str) and how.codes not in mapping.code_lists:
        lists = ", ".join(mapping.code_lists) or "none"
        yield f"no code list '{how.codes}'{near(how.codes, mapping.code_lists)}. Code lists: {lists}"
        return
    if column.options is None:
        return
    codes = mapping.code_lists[how.codes] if isinstance(how.codes, str) else how.codes
    allowed = load_option_sets()[column.options]
    for code, option in codes.items():
        if option not in allowed:
            yield f"code '{code}' is mapped to '{option}'{near(option, allowed)}. Options: {', '.join(allowed)}"


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def near(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most like one; empty where none is."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
