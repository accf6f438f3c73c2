"""`throughline subject`: one person's request to see, correct or remove what is held.

What belongs here: arguments and printing, never an identifier. What does not: the requests (`warehouse.subjects`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from warehouse.settings import Settings
from warehouse.subjects import Subject, correct_subject, export_subject, remove_subject

subject_app = typer.Typer(
    help="One person's request: to see, correct or remove what is held.", no_args_is_help=True
)
PartnerOption = Annotated[str, typer.Option("--partner", "-p", help="Partner whose id names the person.")]
IdOption = Annotated[
    str,
    typer.Option(
        "--id", prompt="Id of the person at that partner", hide_input=True,
        help="The person's id at that partner; asked for without echo when not given, so that no shell keeps it.",
    ),
]  # fmt: skip
OnlyOption = Annotated[
    bool, typer.Option("--only-named", help="Keep to this record; leave out those that linkage joins to it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(subject_app, name="subject")


@subject_app.command(
    "export", epilog="Example: `throughline subject export --partner youth_works --to person.json`"
)
def export(
    partner: PartnerOption,
    local_id: IdOption,
    to: Annotated[Path, typer.Option(help="File to write; private, and must not exist.")],
    only_named: OnlyOption = False,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything that is held of one person into a private file."""
    community = open_community(directory)
    subject = export_subject(community, Settings(), partner, local_id, to, only_named=only_named)
    _tell(subject, {"file": str(to)}, as_json=as_json)
    if not as_json:
        console.print(
            f"Written to {to} (readable by you alone). Check before handing it over that all records are the same person; "
            "--only-named keeps to one. Delete the file afterwards.",
            soft_wrap=True,
        )


@subject_app.command(
    "correct",
    epilog="Example: `throughline subject correct --partner youth_works --set birth_date=2012-04-05`",
)
def correct(
    partner: PartnerOption,
    local_id: IdOption,
    values: Annotated[list[str], typer.Option("--set", help="identifier=value; repeat it for several.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct identifiers in a record, and in every later delivery of it; the next run links anew."""
    community = open_community(directory)
    pairs = dict(value.partition("=")[::2] for value in values)
    subject, changed = correct_subject(community, Settings(), partner, local_id, pairs)
    _tell(subject, {"corrected": sorted(pairs), "lake_rows_changed": changed}, as_json=as_json)
    if not as_json:
        console.print(f"Corrected: {', '.join(sorted(pairs))}. Next: `throughline run`.")


@subject_app.command("remove", epilog="Example: `throughline subject remove --partner youth_works`")
def remove(
    partner: PartnerOption,
    local_id: IdOption,
    only_named: OnlyOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; it cannot be undone.")] = False,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove one person everywhere, prove it by search, and leave the person out of later deliveries."""
    community = open_community(directory)
    if not yes:
        typer.confirm("Remove this person's records for good? It cannot be undone.", abort=True)
    subject, removed = remove_subject(community, Settings(), partner, local_id, only_named=only_named)
    _tell(subject, {"removed": removed}, as_json=as_json)
    if not as_json:
        for place, count in removed.items():
            console.print(f"  {place}  {count:,}")
        console.print(
            "A search found nothing left. Next: `throughline run`; destroy older backups where they are kept."
        )


def _tell(subject: Subject, more: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        console.print_json(json.dumps({"records_by_partner": subject.partners, **more}))
        return
    listed = ", ".join(f"{partner} ({count})" for partner, count in subject.partners.items())
    console.print(f"{len(subject.source_person_keys)} records of this person: {listed}.")
