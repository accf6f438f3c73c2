"""What `throughline onboard` prints.

What belongs here: words and tables. What does not: anything that decides.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from orchestration.cli.console import console

if TYPE_CHECKING:
    from ingestion.onboarding import Proposal, Recognition
    from orchestration.cli.onboard import Draft, Written
    from warehouse.community import Community

_SHOWN = 12
# What comes of feeds from which no indicator is computed.
_BESIDE = {
    "organization": "No indicator is computed from it: it names the schools and sites by which others are broken down.",
    "community_measure": "No indicator of people is computed from it: its measures are published beside them.",
    "benchmark_evidence": "No indicator is computed from it: it is evidence for the gateways.",
}


def tell(
    file: Path, drafts: Sequence[Draft], recognition: Recognition | None, ranked: Sequence[Proposal]
) -> None:
    """What the file is, and what each mapping would make of it."""
    for draft in drafts:
        _tell_draft(file, draft, ranked)
    if recognition is None:
        return
    for name in recognition.empty if drafts else ():
        _say(f"It also fits the ready-made {name}, but holds no row for it now.")
    for part in recognition.parts if drafts else ():
        _say(
            f"It also holds a part of the ready-made {part.standard}, which further needs {_few(part.missing)}."
        )
    if not drafts and (recognition.parts or not ranked):
        _tell_parts(file, recognition)
    for near in recognition.near if not any(draft.standard for draft in drafts) else ():
        _say(f"It is much like the ready-made {near.standard}, but lacks {_few(near.missing)}.")
    if not drafts and ranked:
        _say(
            f"{file.name} is like no feed: the best guess is {ranked[0].feed}, {ranked[0].confidence:.0%} sure, too little to "
            "write down. If you know its feed, name it with --feed; `throughline inspect` shows what is in the file."
        )


def _tell_draft(file: Path, draft: Draft, ranked: Sequence[Proposal]) -> None:
    if draft.standard:
        console.print(
            f"[bold]{escape(file.name)}[/bold] is recognised as {escape(draft.title)}. The ready-made mapping "
            f"{draft.standard} fills the feed [bold]{draft.feed}[/bold], {draft.confidence:.0%} sure.",
            soft_wrap=True,
        )
    else:
        console.print(
            f"[bold]{escape(file.name)}[/bold] is no ready-made standard; by its columns it fills the feed "
            f"[bold]{draft.feed}[/bold], {draft.confidence:.0%} sure.",
            soft_wrap=True,
        )
        _tell_guess(draft, ranked)
    _tell_rows(draft)
    _tell_indicators(draft)


def _tell_guess(draft: Draft, ranked: Sequence[Proposal]) -> None:
    if draft.guess is None:
        return
    table = Table()
    for heading in ("canonical column", "source column", "confidence"):
        table.add_column(heading)
    for guess in draft.guess.columns:
        table.add_row(guess.canonical, escape(guess.source), f"{guess.confidence:.0%}")
    console.print(table)
    for guess in draft.guess.columns:
        if f"until its codes are known: {guess.canonical}:" in draft.text:
            console.print(f"[yellow]left out until its codes are known:[/yellow] {guess.canonical}")
    for name in draft.guess.missing:
        console.print(f"[red]required, not found:[/red] {name}")
    if len(ranked) > 1:
        _say("Else it may be: " + ", ".join(f"{p.feed} ({p.confidence:.0%})" for p in ranked[1:3]))


def _tell_rows(draft: Draft) -> None:
    j = draft.judgement
    if j.status == "refused":
        _say("  As proposed, the file would be refused:")
    else:
        past = f", {j.not_applicable:,} meant for another feed or none" if j.not_applicable else ""
        aside = f", {j.quarantined:,} put aside" if j.quarantined else ""
        _say(f"  {_rows(j.rows_in)}: {j.accepted:,} would be accepted{aside}{past}")
    if draft.by_name:
        _say(
            f"  to settle: {', '.join(draft.by_name)} come from the file's name; look whether it tells them rightly"
        )
    for name in draft.unsaid:
        _say(
            f"  to settle: neither the file nor its name says {name}; until it is said, every row is put aside"
        )
    for finding in j.findings:
        if finding.severity in ("refuse", "quarantine"):
            place = f" in {finding.column}" if finding.column else ""
            count = f" ({_rows(finding.count)})" if finding.count else ""
            _say(f"  {finding.code}{place}{count}: {finding.why} {finding.fix}")


def _tell_indicators(draft: Draft) -> None:
    verdicts = draft.verdicts
    fed = [verdict for verdict in verdicts if verdict.is_fed]
    if fed:
        _say("  Indicators it would feed:")
    for verdict in fed:
        also = f" (together with {', '.join(verdict.also)})" if verdict.also else ""
        _say(f"    {verdict.indicator}{also}")
    if len(fed) < len(verdicts):
        _say("  Indicators it could not feed:")
    for verdict in verdicts:
        if verdict.missing:
            _say(f"    {verdict.indicator}: for want of {', '.join(verdict.missing)}")
        elif verdict.no_rows:
            _say(f"    {verdict.indicator}: no row has {verdict.no_rows}")
    if not verdicts:
        _say(f"  {_BESIDE.get(draft.feed, 'No indicator needs this feed.')}")


def _tell_parts(file: Path, recognition: Recognition) -> None:
    if not recognition.parts:
        _say(
            f"{file.name} holds no ready-made standard. Onboard its files one by one, as they would be dropped."
        )
        return
    _say(f"{file.name} is a part of what is read together. It belongs to")
    for part in recognition.parts:
        _say(f"  {part.standard}, which further needs {_few(part.missing)}")
    _say(
        "Put the files into one ZIP and onboard that; drop them so, too. Nothing was written. To map this file alone, name "
        "its feed with --feed."
    )


def tell_written(
    community: Community,
    partner: str,
    file: Path,
    drafts: Sequence[Draft],
    written: Written,
    *,
    is_dry: bool,
) -> None:
    """What was written, and what comes next."""
    if not drafts:
        return
    if is_dry:
        for draft in drafts:
            console.print()
            console.print(draft.text, markup=False, soft_wrap=True, end="")
        _say("\nNothing was written (--dry-run).")
        return
    for draft, target, reason in zip(drafts, written.mappings, written.reasons, strict=True):
        if target is not None:
            _say(f"Wrote {target}")
        else:
            _say(f"{reason}; the proposal would be:\n")
            console.print(textwrap.indent(draft.text, "  "), markup=False, soft_wrap=True)
    if written.partner is not None:
        _say(f"Wrote {written.partner}: who '{partner}' is")
    if not any(written.mappings):
        return
    if any("# check:" in draft.text for draft in drafts) or written.partner is not None:
        _say("Settle the lines marked '# check:' in what was written.")
    landing = community.paths.landing / partner
    check = f"`throughline check {shlex.quote(str(file))} --partner {partner}`"
    if all(draft.judgement.status == "refused" for draft in drafts):
        _say(f"Next: {check}, until it would be accepted; then drop the file into {landing}.")
    elif file.is_dir():
        _say(
            f"Next: put the folder's files into one ZIP, {file.resolve().name}.zip, and drop it into {landing};"
        )
        _say("`throughline run` takes it in.")
    else:
        _say(f"Next: {check}; then drop the file into {landing};")
        _say("`throughline run` takes it in.")


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _say(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
