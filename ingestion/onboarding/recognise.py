"""Recognising exports for which a ready-made mapping ships: the likely layouts by a cheap look, then the true judgement.

What belongs here: which ready-made mappings take a file, how well, and what they would still have to be told. What
does not: the cheap look (`footprint`) and guessing at files that no standard covers (`propose`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import duckdb

from ingestion.acceptance import Finding, Judgement, judge_file
from ingestion.contracts import FeedContract, load_contracts, load_option_sets
from ingestion.mapping import FeedMapping, How, load_standard, standard_title, standards, told_by_name
from ingestion.onboarding.footprint import Footprint, Look, footprint, look
from ingestion.onboarding.needs import Verdict, verdicts_of_rows
from ingestion.readers import Keys
from warehouse.settings import Settings

# Of a layout's weight, this much is that all it needs is there; the rest is the share of rows that it takes.
_SEEN_WEIGHT = 0.8
_MOST_JUDGED = 12
_NEAR = 0.7


@dataclass(frozen=True)
class Fit:
    """A ready-made mapping that takes the file.

    Attributes:
        standard: its name, as a partner's mapping names it.
        title: what it is made for.
        confidence: 0 to 1; 0.8 as all that it needs is there, and the rest by the share of rows that it takes.
        judgement: what it makes of the file; with `unsaid`, as if these were said.
        verdicts: which indicators it feeds, and which it cannot.
        by_name: columns that were read from the file's name alone, though it is not named as the layout expects.
        unsaid: required columns that neither the file nor its name tells, so that a person has to.
    """

    standard: str
    title: str
    feed: str
    confidence: float
    judgement: Judgement
    verdicts: tuple[Verdict, ...] = ()
    by_name: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recognition:
    """What ready-made mappings make of a file.

    Attributes:
        seen: the look at it.
        fits: the mappings that take it, at most one a feed, best first.
        empty: names of those that would, if the file held a row for them.
        parts: those that read it only together with other files, which are missing. Beside mappings that take it, only
            those of which it holds something that they need.
        near: those from which it differs by a few columns.
    """

    seen: Look
    fits: tuple[Fit, ...] = ()
    empty: tuple[str, ...] = ()
    parts: tuple[Footprint, ...] = ()
    near: tuple[Footprint, ...] = ()


@lru_cache(maxsize=1)
def ready_made() -> Mapping[str, FeedMapping]:
    """Every ready-made mapping by name."""
    return {name: load_standard(name) for name in standards()}


def recognise(path: Path, con: duckdb.DuckDBPyConnection, settings: Settings) -> Recognition:
    """Find the ready-made mappings that take a file.

    Raises:
        UnreadableFileError: the file is refused as a whole.
    """
    keys = Keys(settings.pgp_home, settings.pgp_passphrase)
    seen = look(path, con, settings.limits, keys, ready_made().values())
    prints = [footprint(seen, name, mapping) for name, mapping in ready_made().items()]
    likely = sorted((p for p in prints if p.share == 1), key=lambda p: (-p.found, p.standard))[:_MOST_JUDGED]
    judged = [_fit(path, print_.standard, con, settings) for print_ in likely]
    best: dict[str, Fit] = {}
    for fit in sorted((f for f in judged if isinstance(f, Fit)), key=lambda f: -f.confidence):
        best.setdefault(fit.feed, fit)
    empty = tuple(name for name in judged if isinstance(name, str))
    parts = [p for p in prints if p.is_part]
    if best or any(p.found for p in parts):
        parts = [p for p in parts if p.found]
    near = sorted((p for p in prints if _NEAR <= p.share < 1 and not p.is_part), key=lambda p: -p.share)
    return Recognition(seen, tuple(best.values()), empty, tuple(parts), tuple(near[:2]))


def _fit(path: Path, standard: str, con: duckdb.DuckDBPyConnection, settings: Settings) -> Fit | str | None:
    """How a mapping takes the file; its name where the file only holds no row for it; None where it does not fit."""
    mapping = ready_made()[standard]
    contract = load_contracts()[mapping.feed]
    unsaid: tuple[str, ...] = ()
    try:
        judgement = judge_file(con, path, mapping, contract, settings)
        if judgement.status == "refused":
            unsaid = _unsaid(mapping, contract, judgement.findings)
            if unsaid:
                said = _said(mapping, unsaid, settings)
                judgement = judge_file(con, path, said, contract, settings)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return None  # its expressions do not fit what the file holds
    plan = judgement.plan
    if plan is None:  # refused
        return standard if _is_empty(judgement) else None
    share = judgement.accepted / max(judgement.accepted + judgement.quarantined, 1)
    return Fit(
        standard,
        standard_title(standard),
        mapping.feed,
        round(_SEEN_WEIGHT + (1 - _SEEN_WEIGHT) * share, 3),
        replace(judgement, plan=None),
        tuple(verdicts_of_rows(con, plan)),
        () if mapping.takes(path.name) else _by_name(mapping, unsaid),
        unsaid,
    )


def _is_empty(judgement: Judgement) -> bool:
    refusing = {finding.code for finding in judgement.findings if finding.severity == "refuse"}
    aside = any(finding.severity == "quarantine" for finding in judgement.findings)
    return (
        judgement.rows_in > 0 and bool(refusing) and refusing <= {"no_good_row", "too_few_rows"} and not aside
    )


def _unsaid(mapping: FeedMapping, contract: FeedContract, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Required columns that only the file's name tells, and that it does not tell here."""
    wanting = {finding.column for finding in findings if finding.severity == "quarantine"}
    return tuple(
        column.name
        for column in contract.columns
        if column.required
        and column.type in ("integer", "option")
        and column.name in wanting
        and any(told_by_name(layout.columns.get(column.name)) for layout in mapping.layouts)
    )


def _by_name(mapping: FeedMapping, unsaid: Sequence[str]) -> tuple[str, ...]:
    columns = {c for layout in mapping.layouts for c, entry in layout.columns.items() if told_by_name(entry)}
    return tuple(sorted(columns - set(unsaid)))


def _said(mapping: FeedMapping, columns: Sequence[str], settings: Settings) -> FeedMapping:
    """The mapping with a year or an option in place of what the name does not tell, to see whether all else fits."""
    options = {column.name: column.options for column in load_contracts()[mapping.feed].columns}
    stand_in = {
        name: How(
            constant=load_option_sets()[str(options[name])][0] if options[name] else settings.clock().year
        )
        for name in columns
    }
    layouts = [
        layout.model_copy(update={"columns": {**layout.columns, **stand_in}}) for layout in mapping.layouts
    ]
    return mapping.model_copy(update={"layouts": layouts})
