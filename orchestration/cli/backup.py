"""`throughline backup` and `throughline restore`.

What belongs here: arguments and messages. What does not: the archive (`warehouse.backup`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community, tell


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup", epilog="Example: `throughline backup /backups/riverbend.tar.gz --dir riverbend`")(
        backup
    )
    app.command("restore", epilog="Example: `throughline restore /backups/riverbend.tar.gz riverbend`")(
        restore
    )


def backup(
    target: Annotated[
        Path, typer.Argument(help="Archive to write (.tar.gz), outside the community's folder.")
    ],
    with_keys: Annotated[
        bool, typer.Option(help="Also keep the vault's key in it; then guard it like the key.")
    ] = False,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything that cannot be rebuilt into one archive, while no night is at work."""
    from warehouse.backup import BackupError, back_up
    from warehouse.run_lock import run_lock
    from warehouse.settings import Settings

    community = open_community(directory)
    try:
        with run_lock(community.paths):
            kept = back_up(community.paths, Settings(), target, with_keys=with_keys)
    except BackupError as error:
        console.print(f"throughline: {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    lines = [f"Kept {kept:,} files in {target}."]
    if not with_keys:
        lines.append(
            f"The vault's key is not in it: keep {community.paths.keys} apart, or the vault is lost."
        )
    tell(as_json, {"files": kept, "archive": target, "with_keys": with_keys}, *lines)


def restore(
    archive: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Archive that `backup` wrote.")
    ],
    directory: Annotated[Path, typer.Argument(help="Empty or absent folder to restore into.")],
    as_json: JsonOption = False,
) -> None:
    """Restore a community, proving every file by its hash; nothing partial is ever left."""
    from warehouse.backup import BackupError
    from warehouse.backup import restore as restore_archive
    from warehouse.settings import Settings

    try:
        count = restore_archive(archive, directory, Settings())
    except BackupError as error:
        console.print(f"throughline: {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    tell(
        as_json,
        {"files": count, "folder": directory},
        f"Restored {count:,} files to {directory}. If the key was kept apart, put it back, then `throughline doctor`.",
    )
