"""Writing a proposed mapping as YAML, with what is uncertain marked for a person to settle.

What belongs here: the text of the mapping file. What does not: the guesses in it (`propose`).
"""

from __future__ import annotations

import re

from ingestion.contracts import load_contracts
from ingestion.onboarding.propose import CERTAIN, ColumnGuess, Proposal

_PLAIN = re.compile(r"^[A-Za-z][A-Za-z0-9_ ]*$")
_WORDS_OF_YAML = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}


def mapping_text(proposal: Proposal, file_name: str) -> str:
    """The mapping's YAML: columns with their confidence, codes, and the questions that stay open."""
    contract = load_contracts()[proposal.feed]
    types = {column.name: column for column in contract.columns}
    stem, dot, suffix = file_name.rpartition(".")
    pattern = re.sub(r"\d+", "*", stem) + dot + suffix if dot else file_name
    lines = [
        f"# Proposed from {_comment(file_name)}; confidence of the feed {proposal.confidence:.0%}.",
        "# Lines marked 'uncertain' wait for a person: confirm or correct them, then take the mark away.",
        f"feed: {proposal.feed}",
        f"file_pattern: [{_scalar(pattern)}]",
        "layouts:",
        "  - columns:",
    ]
    for guess in proposal.columns:
        mark = "" if guess.confidence >= CERTAIN else " uncertain,"
        lines.append(
            f"      {guess.canonical}: {_how(guess, types[guess.canonical].type)} #{mark} {guess.confidence:.0%}"
        )
    for name in proposal.missing:
        column = types[name]
        lines.append(f"      # uncertain, required and not found: {name} ({column.meaning})")
    if proposal.unused:
        lines.append(f"    ignore: [{', '.join(_scalar(name) for name in proposal.unused)}]")
    lists = [guess for guess in proposal.columns if guess.codes]
    if lists:
        lines.append("code_lists:")
    for guess in lists:
        lines.append(f"  {guess.canonical}:")
        for code, option in guess.codes:
            if option is None:
                lines.append(
                    f"    # uncertain: {_scalar(code)}: which of the option set {types[guess.canonical].options}?"
                )
            else:
                lines.append(f"    {_scalar(code)}: {_scalar(option)}")
        if not any(code == "" for code, _ in guess.codes):
            lines.append(
                '    "": NotCollected' if types[guess.canonical].options in _COLLECTED else '    "": Unknown'
            )
    return "\n".join(lines) + "\n"


_COLLECTED = {"yes_no", "race", "gender", "sex", "food_service_eligibility"}


def _how(guess: ColumnGuess, kind: str) -> str:
    source = _scalar(guess.source)
    if guess.date_formats:
        return f"{{from: {source}, date_format: [{', '.join(_scalar(fmt) for fmt in guess.date_formats)}]}}"
    if guess.canonical == "school_year":
        return f"{{from: {source}, convert: spring_year}}"
    if guess.codes:
        separator = ', separator: ";"' if kind == "option_list" else ""
        return f"{{from: {source}{separator}, codes: {guess.canonical}}}"
    return source


def _scalar(text: str) -> str:
    if _PLAIN.match(text) and text.lower() not in _WORDS_OF_YAML and text == text.strip():
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ") + '"'


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
