"""Protecting and auditing a set of tables from end to end: what the command line and the release call.

What belongs here: the order of the steps and their report. What does not: each step, or printing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.disclosure.attacker import Range, attack, gather, give_away
from warehouse.disclosure.describe import Description
from warehouse.disclosure.insider import told_to_lone
from warehouse.disclosure.model import System, build_system
from warehouse.disclosure.policy import DisclosurePolicy
from warehouse.disclosure.suppress import Suppression, suppress
from warehouse.disclosure.tables import Table, dimension_names, read_tables, write_table

_NEAR = 1e-6
_MOST_CHAINS = 100


@dataclass(frozen=True)
class Finding:
    """One withheld cell as the attacker sees it.

    Attributes:
        range: least and most that it can be.
        unsafe: why its doubt is too small, in words; empty where it is wide enough.
        chain: published cells that give it away.
    """

    range: Range
    unsafe: str
    chain: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """What the attacker found.

    Attributes:
        findings: one a withheld cell.
        cells: printed cells.
        seconds: time of the attack.
    """

    findings: tuple[Finding, ...]
    cells: int
    seconds: float

    @property
    def unsafe(self) -> tuple[Finding, ...]:
        """Cells given away."""
        return tuple(finding for finding in self.findings if finding.unsafe)


@dataclass(frozen=True)
class Protected:
    """Tables with what must be withheld withheld, the choice, and the attacker's audit of the result."""

    tables: tuple[Table, ...]
    withheld: tuple[dict[str, np.ndarray], ...]
    suppression: Suppression
    audit: Audit
    sensitive: int


def protect_files(
    files: Sequence[Path],
    description: Description,
    policy: DisclosurePolicy,
    *,
    complementary: bool = True,
    seconds: float = 40.0,
) -> Protected:
    """Choose what to withhold of tables with true numbers, and have the attacker try the result.

    Raises:
        DisclosureInputError: a file or the description is wrong.
    """
    names = dimension_names(description, files)
    tables = read_tables(files, description)
    system, long = build_system(tables, description, names, policy)
    chosen = suppress(system, complementary=complementary, defend_single=policy.singletons, seconds=seconds)
    withheld = _withheld(tables, system, long, chosen.hidden)
    public = [_blanked(table, hidden) for table, hidden in zip(tables, withheld, strict=True)]
    audit = audit_tables(public, description, names, policy, truth=truth_of(system, long, names))
    return Protected(tuple(tables), tuple(withheld), chosen, audit, int(system.sensitive.sum()))


def audit_files(
    files: Sequence[Path],
    description: Description,
    policy: DisclosurePolicy,
    *,
    original: Sequence[Path] = (),
) -> Audit:
    """Attack published tables.

    Args:
        files: as published, withheld values marked.
        description: how they hang together.
        policy: how much doubt must remain.
        original: the same tables with true numbers, where the auditor may have them: then each sensitive cell is
            held against its own protection interval, and nobody who is the only one of a withheld group may know
            another one exactly, unless the policy says `singletons: false`.
    """
    names = dimension_names(description, files)
    truth = None
    if original:
        system, long = build_system(read_tables(original, description), description, names, policy)
        truth = truth_of(system, long, names)
    return audit_tables(
        read_tables(files, description), description, names, policy, truth=truth, insiders=policy.singletons
    )


def truth_of(system: System, long: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Sensitive cells by name, with true value and the doubt that must remain; complements stand for their part."""
    first = long.drop_duplicates("cell").set_index("cell").sort_index()
    cells = first.index.to_numpy()
    kept = cells[system.sensitive[cells]]
    keys = [("", first.at[i, "measure"], *(first.at[i, name] for name in names)) for i in kept]
    content = {"value": system.value[kept], "down": system.down[kept], "up": system.up[kept]}
    return pd.DataFrame(content, index=pd.Index(keys, tupleize_cols=False))


def audit_tables(
    tables: Sequence[Table],
    description: Description,
    names: Sequence[str],
    policy: DisclosurePolicy,
    *,
    truth: pd.DataFrame | None = None,
    insiders: bool = False,
) -> Audit:
    """Attack tables as they will be published and judge what the attacker gets; with `insiders` each lone person too."""
    started = time.perf_counter()
    known = gather(tables, description, names)
    parts = {part for table in tables for part in table.about.numerators}
    findings: list[Finding] = []
    spans = attack(known)
    lone = told_to_lone(known, truth, parts) if insiders and truth is not None else {}
    for span in spans:
        why = _judge(span, policy, parts, truth)
        if not why and span.cell in lone:
            why = f"known exactly to the only one of {lone[span.cell]}"
        told = sum(bool(finding.chain) for finding in findings) < _MOST_CHAINS
        findings.append(Finding(span, why, give_away(known, span.cell) if why and told else ()))
    cells = sum(len(table.keys) * len(table.about.counts) for table in tables)
    return Audit(tuple(findings), cells, time.perf_counter() - started)


def _judge(span: Range, policy: DisclosurePolicy, parts: set[str], truth: pd.DataFrame | None) -> str:
    if truth is not None:
        if span.cell not in truth.index:
            return ""
        at = truth.index.get_loc(span.cell)
        value, down, up = truth[["value", "down", "up"]].to_numpy()[at]
        if span.low > value - down + _NEAR or span.high < value + up - _NEAR:
            return "narrower than its protection interval"
        return ""
    if span.width < _NEAR:
        return "known exactly"
    threshold = policy.smallest_part if span.cell[1] in parts else policy.minimum_n
    if span.high < threshold - _NEAR and span.width < policy.lower + policy.upper:
        return "known to be small, within a narrow range"
    return ""


def _withheld(
    tables: Sequence[Table], system: System, long: pd.DataFrame, hidden: np.ndarray
) -> list[dict[str, np.ndarray]]:
    cell_hidden = np.zeros(len(system.value), dtype=bool)
    has = system.unit >= 0
    cell_hidden[has] = hidden[system.unit[has]]
    cell_hidden &= ~system.known
    result = []
    for number, table in enumerate(tables):
        columns = {}
        for measure in table.about.counts:
            mine = long[(long["table"] == number) & (long["measure"] == measure)]
            flags = np.isnan(table.values[measure])
            if not table.about.earlier:
                flags = flags | cell_hidden[mine["cell"].to_numpy()]
            columns[measure] = flags
        result.append(columns)
    return result


def _blanked(table: Table, hidden: dict[str, np.ndarray]) -> Table:
    """The table as it will be read: numbers, rates and followers blank where withheld."""
    frame = table.frame.copy()
    for name, rate in table.about.rates.items():
        frame.loc[hidden[rate.numerator] | hidden[rate.denominator], name] = ""
    values = {name: np.where(hidden[name], np.nan, column) for name, column in table.values.items()}
    return replace(table, frame=frame, values=values)


def write_protected(result: Protected, folder: Path, mark: str = "") -> list[Path]:
    """Write today's tables with what is withheld blank; earlier releases are not written again."""
    return [
        write_table(table, hidden, folder, mark)
        for table, hidden in zip(result.tables, result.withheld, strict=True)
        if not table.about.earlier
    ]
