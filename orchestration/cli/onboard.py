"""`throughline onboard`: a mapping for an export never seen before, and a `partner.yml` for who sends it.

What belongs here: arguments and writing. What does not: recognising and guessing (`ingestion.onboarding`), and the
words printed (`onboard_print`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration.cli import onboard_print
from orchestration.cli.console import CommunityOption, JsonOption, console, open_community

if TYPE_CHECKING:
    import duckdb

    from ingestion.acceptance import Judgement
    from ingestion.onboarding import Proposal, Recognition, Verdict
    from warehouse.community import Community

# A guess below this is no help, and its YAML would have to be written anew.
_WORTH_WRITING = 0.5


@dataclass(frozen=True)
class Draft:
    """One mapping to be written.

    Attributes:
        title: the ready-made standard it uses, in words; empty for a guess.
        judgement: what it makes of the file.
        verdicts: which indicators the file feeds by it.
        by_name: columns read from a name that is not as the layout expects.
        unsaid: what neither the file nor its name tells.
        guess: the proposal behind a guess.
    """

    feed: str
    text: str
    confidence: float
    judgement: Judgement
    verdicts: tuple[Verdict, ...]
    title: str = ""
    standard: str | None = None
    by_name: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()
    guess: Proposal | None = None


@dataclass
class Written:
    """What was written: the mapping's place, or why none was; in the same order as the drafts."""

    mappings: list[Path | None]
    reasons: list[str]
    partner: Path | None = None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("onboard", epilog="Example: `throughline onboard export.csv --partner example_district`")(
        onboard
    )


def onboard(
    file: Annotated[
        Path, typer.Argument(exists=True, help="The export to look at; a folder is looked at as one ZIP.")
    ],
    partner: Annotated[str, typer.Option("--partner", "-p", help="Partner that sends it; may be new.")],
    feed: Annotated[
        str | None, typer.Option(help="Feed, if it is known; else the best fit is proposed.")
    ] = None,
    standards: Annotated[
        bool, typer.Option("--standards/--no-standards", help="Look for a ready-made mapping first.")
    ] = True,
    write: Annotated[
        bool, typer.Option("--write/--dry-run", help="Write the files, or only show what they would say.")
    ] = True,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a mapping for a file, and describe its partner if nobody has; what exists is never overwritten.

    A layout that ships ready-made (OneRoster, Ed-Fi, HMIS, StudentTracker, Census, vendors of tests) is recognised and
    used; else feed, columns, dates and codes are guessed. What a person has to settle is marked `# check:` in the YAML.
    """
    community = open_community(directory)
    _check_arguments(partner, feed)
    drafts, recognition, ranked = _drafts(file, feed, standards)
    written = Written([None] * len(drafts), [""] * len(drafts))
    if write:
        written = _write(community, partner, file.name, drafts)
    if as_json:
        typer.echo(json.dumps(_document(drafts, recognition, written), indent=1, ensure_ascii=False))
    else:
        onboard_print.tell(file, drafts, recognition, ranked)
        onboard_print.tell_written(community, partner, file, drafts, written, is_dry=not write)
    done = bool(drafts) and (not write or any(written.mappings))
    raise typer.Exit(0 if done else 1)


def _check_arguments(partner: str, feed: str | None) -> None:
    from ingestion.contracts import load_contracts
    from ingestion.onboarding import is_partner_id, near_partner_id

    if not is_partner_id(partner):
        console.print(
            f"'{partner}' cannot be a partner's id: small letters, digits and _, a letter first. "
            f"Try --partner {near_partner_id(partner)}.",
            markup=False,
            soft_wrap=True,
        )
        raise typer.Exit(2)
    if feed is not None and feed not in load_contracts():
        console.print(f"No feed '{feed}'. Feeds are: {', '.join(sorted(load_contracts()))}", soft_wrap=True)
        raise typer.Exit(2)


def _drafts(
    file: Path, feed: str | None, standards: bool
) -> tuple[list[Draft], Recognition | None, list[Proposal]]:
    """The mappings to write, what was recognised, and the feeds ranked where it came to a guess."""
    from ingestion.onboarding import packed, recognise
    from warehouse import duck
    from warehouse.settings import Settings
    from warehouse.temporary import private_folder

    settings = Settings()
    with private_folder(None) as folder, duck.connect() as con:
        path = packed(file, folder) if file.is_dir() else file
        recognition = recognise(path, con, settings) if standards else None
        if recognition is not None:
            ready = [_ready(fit, path.name) for fit in recognition.fits if feed in (None, fit.feed)]
            if ready or (recognition.parts and feed is None) or file.is_dir():
                return ready, recognition, []
        ranked = _ranked(path, con, feed)
        best = ranked[0]
        if feed is None and best.confidence < _WORTH_WRITING:
            return [], recognition, ranked
        return [_guessed(path, con, best)], recognition, ranked


def _ready(fit: Any, file_name: str) -> Draft:
    from ingestion.onboarding import ready_made, standard_text

    text = standard_text(fit, ready_made()[fit.standard], file_name)
    return Draft(
        fit.feed,
        text,
        fit.confidence,
        fit.judgement,
        fit.verdicts,
        fit.title,
        fit.standard,
        fit.by_name,
        fit.unsaid,
    )


def _ranked(path: Path, con: duckdb.DuckDBPyConnection, feed: str | None) -> list[Proposal]:
    from ingestion.contracts import load_contracts
    from ingestion.onboarding import profile_columns, propose
    from ingestion.readers import Keys, read
    from warehouse.settings import Settings

    settings = Settings()
    keys = Keys(settings.pgp_home, settings.pgp_passphrase)
    result = read(path, con, "onboarded", limits=settings.limits, keys=keys)
    profiles = profile_columns(con, "onboarded", result.columns)
    return propose(profiles, {feed: load_contracts()[feed]} if feed else None)


def _guessed(path: Path, con: duckdb.DuckDBPyConnection, best: Proposal) -> Draft:
    from ingestion.onboarding import mapping_text, try_mapping
    from warehouse.settings import Settings

    text = mapping_text(best, path.name)
    trial = try_mapping(path, text, best, con, Settings())
    return Draft(best.feed, text, best.confidence, trial.judgement, trial.verdicts, guess=best)


def _write(community: Community, partner: str, file_name: str, drafts: list[Draft]) -> Written:
    from ingestion.mapping import load_partner_mappings
    from ingestion.onboarding import partner_text

    folder = community.paths.partners / partner
    taken = {m.feed: m.path for m in load_partner_mappings(community, partner) if m.takes(file_name)}
    written = Written([], [])
    for draft in drafts:
        target, reason = folder / "feeds" / f"{draft.feed}.yml", ""
        if draft.feed in taken:
            reason = f"{taken[draft.feed]} takes this file already"
        elif not _create(target, draft.text):
            reason = f"{target} exists and was left as it is"
        written.mappings.append(None if reason else target)
        written.reasons.append(reason)
    who = folder / "partner.yml"
    if (
        drafts
        and partner not in community.partners
        and _create(who, partner_text(partner, [d.feed for d in drafts]))
    ):
        written.partner = who
    if drafts:
        (community.paths.landing / partner).mkdir(parents=True, exist_ok=True)
    return written


def _create(path: Path, text: str) -> bool:
    """Write a file unless one is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    return True


def _document(drafts: list[Draft], recognition: Recognition | None, written: Written) -> dict[str, Any]:
    mappings = [
        {
            "feed": draft.feed,
            "standard": draft.standard,
            "confidence": draft.confidence,
            "status": draft.judgement.status,
            "rows_in": draft.judgement.rows_in,
            "accepted": draft.judgement.accepted,
            "quarantined": draft.judgement.quarantined,
            "not_applicable": draft.judgement.not_applicable,
            "by_name": list(draft.by_name),
            "unsaid": list(draft.unsaid),
            "findings": [finding.model_dump() for finding in draft.judgement.findings],
            "columns": [vars(guess) for guess in draft.guess.columns] if draft.guess else [],
            "missing": list(draft.guess.missing) if draft.guess else [],
            "unused": list(draft.guess.unused) if draft.guess else [],
            "indicators": [{**vars(verdict), "is_fed": verdict.is_fed} for verdict in draft.verdicts],
            "yaml": draft.text,
            "written_to": str(target) if target else None,
            "not_written_because": reason or None,
        }
        for draft, target, reason in zip(drafts, written.mappings, written.reasons, strict=True)
    ]
    return {
        "mappings": mappings,
        "parts_of": [vars(part) for part in recognition.parts] if recognition and not drafts else [],
        "partner_written_to": str(written.partner) if written.partner else None,
    }
