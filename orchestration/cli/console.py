"""What the commands share: the console, the choice of the community, the telling of errors.

What belongs here: output and arguments common to several commands. What does not: any command.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestration.configuration import load_configured
from warehouse.community import Community, ConfigurationError

# Where no terminal sets the width (a pipe, a log), tables keep their columns whole.
_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
console = Console(highlight=False, width=_WIDTH)

CommunityOption = Annotated[
    Path | None,
    typer.Option(
        "--dir", "-d", help="Folder of the community; default: THROUGHLINE_COMMUNITY, or the present folder."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def community_folder(folder: Path | None) -> Path:
    """The community's folder by option, environment, or the present folder."""
    chosen = folder or Path(os.environ.get("THROUGHLINE_COMMUNITY") or Path.cwd())
    return chosen.resolve()


def open_community(folder: Path | None) -> Community:
    """Load the chosen community, and let the rest of the process know which it is.

    Raises:
        ConfigurationError: no community lies there, or its configuration is wrong.
    """
    root = community_folder(folder)
    if not (root / "community.yml").is_file():
        raise ConfigurationError(
            f"{root}: no community here (no community.yml). Make one with `throughline init {root}`, "
            "or name its folder with --dir."
        )
    os.environ["THROUGHLINE_COMMUNITY"] = str(root)
    community = load_configured(root)
    community.paths.ensure()
    return community


def tell(as_json: bool, document: Mapping[str, object], *lines: str) -> None:
    """Say what was done: one JSON document, or these lines."""
    if as_json:
        console.print_json(json.dumps(document, default=str))
        return
    for line in lines:
        console.print(line, soft_wrap=True)


def fail_message(error: Exception) -> str | None:
    """The message of an error that a user can mend; None for one that is a defect of ours."""
    known = (ConfigurationError, FileExistsError, FileNotFoundError, PermissionError, IsADirectoryError)
    named = {
        "VaultKeyError",
        "LedgerError",
        "MappingError",
        "ContractError",
        "UnreadableFileError",
        "SuiteError",
        "RunLockedError",
        "ReleaseError",
        "VaultBusyError",
        "BackupError",
        "EncryptedFileError",
        "AccessLogError",
        "DestructionError",
        "SubjectNotFoundError",
        "WhatIfError",
        "SubjectRequestError",
        "RemainsFoundError",
        "ExplainError",
        "MetricsError",
    }
    if isinstance(error, known) or type(error).__name__ in named:
        return f"throughline: {error}"
    return None
