"""`throughline init`: a community of one's own, ready for its first file.

What belongs here: the first files of a community. What does not: the sample community (`demo`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import JsonOption, console, tell
from warehouse.settings import CommunityPaths

_COMMUNITY = """\
# What this community decides about its own numbers. Every field and its default: docs/schemas/community.schema.json
community_id: {community_id}
name: {name}
geography_name: {name}
time_zone: UTC
nightly_at: "02:30"
privacy:
  minimum_n: 10          # smaller groups are never published
"""

_PARTNER = """\
partner_id: example_district
name: Example District
sector: k12
contact_role: data steward
duplicate_free: true     # one id is one person in its files
"""

_FEED = """\
# How this partner's file becomes the feed k12_enrollment: canonical column <- the partner's own column.
feed: k12_enrollment
file_pattern: ["enrollment*.csv"]
layouts:
  - columns:
      person_id: Student Number
      first_name: First Name
      last_name: Last Name
      birth_date: {from: Birth Date, date_format: ["%m/%d/%Y", "%Y-%m-%d"]}
      gender: {from: Gender, codes: gender}
      race_codes: {from: Race, separator: ";", codes: race}
      school_year: {from: School Year, convert: spring_year}
      school_id: School
      grade_level: Grade
      entry_date: {from: Entry Date, date_format: ["%m/%d/%Y", "%Y-%m-%d"]}
      economic_disadvantage: {from: Low Income, codes: yes_no}
code_lists:
  gender: {F: Female, M: Male, X: NonBinary, "": NotCollected}
  race: {A: Asian, B: BlackorAfricanAmerican, H: HispanicorLatino, I: AmericanIndianorAlaskaNative, P: NativeHawaiianorOtherPacificIslander, W: White, "": NotCollected}
  yes_no: {Y: "Yes", N: "No", "": NotCollected}
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init", epilog="Example: `throughline init springfield --name 'Springfield Partnership'`")(
        init
    )


def init(
    directory: Annotated[Path, typer.Argument(help="Folder to make; it may exist if it holds no community.")],
    name: Annotated[str | None, typer.Option(help="Name of the partnership.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a community: configuration, one example partner, folders, and the vault's key."""
    from warehouse.vault import make_key_file

    paths = CommunityPaths(directory)
    if paths.config.exists():
        console.print(f"There is already a community in {paths.root}; nothing was changed.")
        raise typer.Exit(1)
    title = name or directory.resolve().name.replace("_", " ").replace("-", " ").title()
    community_id = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_") or "community"
    if not community_id[0].isalpha():
        community_id = f"community_{community_id}"
    partner = paths.partners / "example_district"
    (partner / "feeds").mkdir(parents=True, exist_ok=True)
    paths.config.write_text(_COMMUNITY.format(community_id=community_id, name=title), encoding="utf-8")
    (partner / "partner.yml").write_text(_PARTNER, encoding="utf-8")
    (partner / "feeds" / "k12_enrollment.yml").write_text(_FEED, encoding="utf-8")
    (paths.root / ".gitignore").write_text("data/\n", encoding="utf-8")
    paths.ensure()
    (paths.landing / "example_district").mkdir(parents=True, exist_ok=True, mode=0o700)
    key = make_key_file(paths)
    landing = paths.landing / "example_district"
    tell(
        as_json,
        {
            "community": paths.root,
            "configuration": paths.config,
            "partner": partner,
            "landing": landing,
            "key": key,
        },
        f"[green]Made the community '{title}' in {paths.root}[/green]",
        f"  configuration  {paths.config}",
        f"  partner        {partner} (an example; rename it and map your own columns)",
        f"  drop files in  {landing}",
        f"  vault key      {key} (keep a copy apart: without it the vault cannot be opened)",
        f"Next: drop a file, then `throughline run --dir {directory}`.",
    )
