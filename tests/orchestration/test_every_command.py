"""Every command explains itself: a sentence, an example that its own parser takes, `--json` where it reports."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer.main
from typer.testing import CliRunner

import orchestration.cli as cli

cli._register()
ROOT = typer.main.get_command(cli.app)
# A service that does not end, and a conversation with a person; all others speak JSON.
WITHOUT_JSON = {"serve", "link review"}


def _commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    inner = getattr(command, "commands", None)
    if not inner:
        yield " ".join(path), command
    for name, sub in (inner or {}).items():
        yield from _commands(sub, (*path, name))


COMMANDS = dict(_commands(ROOT))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_sentence_and_examples_that_parse(name: str) -> None:
    """If not, a newcomer copies an example that does not work."""
    command = COMMANDS[name]
    assert command.help and command.help.split("\n")[0].rstrip().endswith((".", ":", "?")), name
    examples = re.findall(r"`(throughline [^`]+)`", command.epilog or "")
    assert examples, f"{name} has no example in its epilog"
    for example in examples:
        words = shlex.split(example)[1:]
        assert " ".join(words).startswith(name), example
        context = click.Context(command, info_name=name)
        arguments = words[len(name.split()) :]
        parser = command.make_parser(context)
        parser.parse_args(args=list(arguments))  # an unknown option is an error here
        needed = [p for p in command.params if isinstance(p, click.Argument) and p.required]
        given = [word for word in arguments if not word.startswith("-")]
        assert len(given) >= len(needed), f"{example} lacks {needed[0].name if needed else ''}"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    """If not, `--help` lists switches whose meaning one has to guess."""
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


def test_what_reports_speaks_json() -> None:
    """If not, a script has to read tables that were made for eyes."""
    silent = {
        name
        for name, command in COMMANDS.items()
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert silent == WITHOUT_JSON


def test_what_acts_tells_it_in_one_document(tmp_path: Path) -> None:
    """If not, a script that makes or restores communities has to guess what it made."""

    def told(*arguments: str) -> dict[str, object]:
        done = CliRunner().invoke(cli.app, [*arguments, "--json"])
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.output))

    town, archive = tmp_path / "town", tmp_path / "kept.tar.gz"
    assert Path(str(told("init", str(town))["key"])).is_file()
    kept = told("backup", str(archive), "--dir", str(town))
    assert archive.is_file() and kept["with_keys"] is False
    assert told("restore", str(archive), str(tmp_path / "again"))["files"] == kept["files"]
    assert told("release", "prune", "--keep", "3", "--dir", str(town)) == {"removed": []}


def test_a_proposed_mapping_is_one_document_and_says_who_is_new(tmp_path: Path) -> None:
    """If not, a script cannot read the proposal, and a person learns only at night that the partner is unknown."""
    town, file = tmp_path / "town", tmp_path / "pupils.csv"
    file.write_text("Local ID,First Name,Last Name,School Year,Grade Level\n1,Ada,Example,2024,03\n")
    assert CliRunner().invoke(cli.app, ["init", str(town)]).exit_code == 0
    judged = CliRunner().invoke(cli.app, ["check", str(file), "--partner", "academy", "--dir", str(town)])
    assert judged.exit_code == 2 and "partner.yml" in judged.output
    ask = ["onboard", str(file), "--partner", "academy", "--feed", "k12_enrollment", "--dir", str(town)]
    done = CliRunner().invoke(cli.app, [*ask, "--json"])
    (told,) = json.loads(done.output)["mappings"]
    written = Path(told["written_to"])
    assert done.exit_code == 0 and written.is_file() and "# check: required" in written.read_text()
    assert told["status"] == "refused" and told["missing"] == ["school_id", "entry_date"]
    again = CliRunner().invoke(cli.app, [*ask, "--json"])
    assert again.exit_code == 1 and json.loads(again.output)["mappings"][0]["written_to"] is None
    written.unlink()
    (town / "partners" / "academy" / "partner.yml").unlink()
    assert "partner.yml" in CliRunner().invoke(cli.app, ask).output
    asked = ["onboard", str(file), "--partner", "The Academy", "--dir", str(town)]
    assert "--partner the_academy" in CliRunner().invoke(cli.app, asked).output


def test_the_shell_completes_commands() -> None:
    """If not, `--install-completion` installs something that stays silent."""
    environment = {
        **os.environ,
        "_THROUGHLINE_COMPLETE": "complete_bash",
        "COMP_WORDS": "throughline rel",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("throughline"))],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["release"]
