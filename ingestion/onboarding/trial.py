"""Trying a proposed mapping on its file: what would be accepted, and which indicators that feeds.

What belongs here: the trial, which stores nothing. What does not: the proposal (`propose`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ingestion.acceptance import Finding, Judgement, judge_file
from ingestion.contracts import load_contracts
from ingestion.mapping import MappingError, read_mapping
from ingestion.onboarding.needs import Verdict, verdicts_of_columns, verdicts_of_rows
from ingestion.onboarding.propose import Proposal
from warehouse.settings import Settings
from warehouse.temporary import private_folder


@dataclass(frozen=True)
class Trial:
    """What a proposed mapping makes of its file.

    Attributes:
        judgement: the judgement; refused with its reason where the proposal is not yet a whole mapping.
        verdicts: indicators by what the accepted rows hold, or by the columns found where no row is accepted yet.
    """

    judgement: Judgement
    verdicts: tuple[Verdict, ...]


def try_mapping(
    path: Path, text: str, proposal: Proposal, con: duckdb.DuckDBPyConnection, settings: Settings
) -> Trial:
    """Judge a file by the text of a mapping as `check` would once it is written."""
    judgement = _judged(path, text, con, settings)
    if judgement.plan is not None:
        verdicts = verdicts_of_rows(con, judgement.plan)
    else:
        verdicts = verdicts_of_columns(proposal.feed, frozenset(g.canonical for g in proposal.columns))
    return Trial(replace(judgement, plan=None), tuple(verdicts))


def _judged(path: Path, text: str, con: duckdb.DuckDBPyConnection, settings: Settings) -> Judgement:
    with private_folder(None) as folder:
        file = folder / "proposal.yml"
        file.write_text(text, encoding="utf-8")
        try:
            mapping = read_mapping(file)
        except MappingError as error:
            why = str(error).replace(str(file), "the proposal")
            return _refused("wrong_mapping", why, "Settle the lines marked '# check:'.")
    try:
        return judge_file(con, path, mapping, load_contracts()[mapping.feed], settings)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        why = f"The proposal could not be applied ({type(error).__name__})."
        return _refused("mapping_failed", why, "Settle the lines marked '# check:'.")


def _refused(code: str, why: str, fix: str) -> Judgement:
    return Judgement("refused", findings=[Finding(code=code, severity="refuse", why=why, fix=fix)])
