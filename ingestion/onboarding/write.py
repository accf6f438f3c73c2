"""Writing a proposed mapping as YAML, with what is uncertain marked `# check:` for a person to settle.

What belongs here: the text of the mapping file. What does not: the guesses in it (`propose`).
"""

from __future__ import annotations

import re

from ingestion.contracts import load_contracts, load_option_sets
from ingestion.mapping import FeedMapping
from ingestion.onboarding.propose import CERTAIN, ColumnGuess, Proposal
from ingestion.onboarding.recognise import Fit

_PLAIN = re.compile(r"^[A-Za-z][A-Za-z0-9_ ]*$")
_WORDS_OF_YAML = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}


def mapping_text(proposal: Proposal, file_name: str) -> str:
    """The mapping's YAML: columns with their confidence, codes, and the questions that stay open."""
    contract = load_contracts()[proposal.feed]
    types = {column.name: column for column in contract.columns}
    # A required column stays, and its rows wait: without it there is nothing to take.
    left_out = [g for g in proposal.columns if not g.is_readable and not types[g.canonical].required]
    lines = [
        f"# Proposed from {_comment(file_name)}; confidence of the feed {proposal.confidence:.0%}.",
        "# Lines marked '# check:' wait for a person: confirm or correct them, then take the mark away.",
        f"feed: {proposal.feed}",
        f"file_pattern: [{scalar(pattern_of(file_name))}]",
        "layouts:",
        "  - columns:",
    ]
    for guess in proposal.columns:
        mark = "" if guess.confidence >= CERTAIN else " check: only"
        entry = f"{guess.canonical}: {_how(guess, types[guess.canonical].type)}"
        if guess in left_out:
            lines.append(f"      # check: left out until its codes are known: {entry}")
        else:
            lines.append(f"      {entry} #{mark} {guess.confidence:.0%} sure")
    for name in proposal.missing:
        column = types[name]
        lines.append(f"      # check: required and not found: {name} ({column.meaning})")
        if column.type in ("option", "integer", "text"):
            lines.append(
                f"      # if it is the same in every row: {name}: {{constant: ....}}{_one_of(column.options)}"
            )
    ignored = [*(guess.source for guess in left_out), *proposal.unused]
    if ignored:
        lines.append(f"    ignore: [{', '.join(map(_glob, ignored))}]")
    lists = [guess for guess in proposal.columns if guess.codes]
    if any(guess not in left_out for guess in lists):
        lines.append("code_lists:")
    for guess in lists:
        lines += _code_list(guess, str(types[guess.canonical].options), guess in left_out)
    return "\n".join(lines) + "\n"


def standard_text(fit: Fit, mapping: FeedMapping, file_name: str) -> str:
    """The mapping's YAML by which a ready-made one is used, with what a person has to settle."""
    j = fit.judgement
    named = f"file_pattern: [{', '.join(map(scalar, mapping.patterns))}]"
    if not mapping.takes(file_name):
        named = f"file_pattern: [{scalar(pattern_of(file_name))}] # check: will later files be named so?"
    others = [f"{j.quarantined:,} put aside"] if j.quarantined else []
    others += [f"{j.not_applicable:,} left to other feeds or to none"] if j.not_applicable else []
    told = ", ".join([f"{j.accepted:,} would be accepted", *others])
    lines = [
        f"# {fit.title}, recognised in {_comment(file_name)}, {fit.confidence:.0%} sure.",
        f"# Of its {j.rows_in:,} rows {told}.",
        *(["# Lines marked '# check:' wait for a person."] if fit.unsaid or j.quarantined else []),
        f"standard: {fit.standard}",
        named,
    ]
    if fit.by_name:
        lines.append(
            f"# check: read from the file's name: {', '.join(fit.by_name)}. Does every such name tell it rightly?"
        )
    if fit.unsaid:
        options = {column.name: column.options for column in load_contracts()[fit.feed].columns}
        lines += [
            f"# check: neither the file nor its name says {' and '.join(fit.unsaid)}, so that no row would be taken. Say it here,",
            "# without the '# ' before (a school year by its spring: 2025 is 2024-25), or drop the file under a name that says it.",
            "# columns:",
            *(f"#   {name}: {{constant: ....}}{_one_of(options[name])}" for name in fit.unsaid),
        ]
    for finding in j.findings:
        if finding.severity == "quarantine":
            place = f" in {finding.column}" if finding.column else ""
            lines.append(
                f"# check: {finding.count:,} rows put aside, {finding.code}{place}: {_comment(finding.why)}"
            )
    return "\n".join(lines) + "\n"


def pattern_of(file_name: str) -> str:
    """A pattern for the file and for those that differ from it in numbers only, such as next year's."""
    plain = re.sub(r"([\[?*])", r"[\1]", file_name)
    stem, dot, suffix = plain.rpartition(".")
    # A name of digits alone would become a pattern that takes everything.
    if not dot or not re.search(r"[^\W\d_]{2}", stem):
        return plain
    return re.sub(r"\d+", "*", stem) + dot + suffix


def _one_of(options: str | None) -> str:
    return f" # one of {', '.join(load_option_sets()[options])}" if options else ""


def _code_list(guess: ColumnGuess, options: str, is_left_out: bool) -> list[str]:
    """The lines of one code list; of a column that is left out as comments, to be filled in and taken out of them."""
    lines = [f"  {guess.canonical}:"]
    for code, option in guess.codes:
        if option is None:
            lines.append(f"    # check: {scalar(code)}: which of the option set {options}?")
        else:
            lines.append(f"    {scalar(code)}: {scalar(option)}")
    empty = next((o for o in ("NotCollected", "Unknown") if o in load_option_sets()[options]), None)
    if empty is not None:
        lines.append(f'    "": {empty}')
    return [f"# {line}" for line in lines] if is_left_out else lines


def _glob(name: str) -> str:
    """A header as a pattern that fits it alone."""
    return scalar(re.sub(r"([\[?*])", r"[\1]", name))


def _how(guess: ColumnGuess, kind: str) -> str:
    source = scalar(guess.source)
    if guess.date_formats:
        return f"{{from: {source}, date_format: [{', '.join(scalar(fmt) for fmt in guess.date_formats)}]}}"
    if guess.canonical == "school_year":
        return f"{{from: {source}, convert: spring_year}}"
    if guess.codes:
        separator = f', separator: "{guess.separator}"' if kind == "option_list" else ""
        return f"{{from: {source}{separator}, codes: {guess.canonical}}}"
    return source


def scalar(text: str) -> str:
    """A text as a YAML scalar that is read back as the same text."""
    if _PLAIN.match(text) and text.lower() not in _WORDS_OF_YAML and text == text.strip():
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ") + '"'


def _comment(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
