"""A file that is missing something, cut short or of another kind is named so, and never takes the place of good data."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, Town, enrollment_rows

_IN_FORCE = "select school_year, count(*) from lake.k12_enrollment group by 1 order by 1"
_GOOD = ENROLLMENT_HEADER + enrollment_rows(40)
_FOOTED = 'checks: {control_count: "^TRAILER ([0-9,]+)"}\n'


def _zipped(text: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("enroll.csv", text)
    return stream.getvalue()


def _renamed(old: str, new: str) -> str:
    return _GOOD.replace(old, new, 1)


# What arrives after a good file, what the mapping says more, and the finding with its severity.
CASES: dict[str, tuple[bytes | str, str, str, str]] = {
    "an empty file": ("", "", "empty_file", "refuse"),
    "a header alone": (ENROLLMENT_HEADER, "", "no_good_row|too_few_rows", "refuse"),
    "a column less": ("".join(line.rpartition(",")[0] + "\n" for line in _GOOD.splitlines()), "", "missing_column", "refuse"),
    "a renamed column": (_renamed(",School,", ",Schule,"), "", "missing_column", "refuse"),
    "a column more": (
        "".join(line + (",new" if n else ",Extra") + "\n" for n, line in enumerate(_GOOD.splitlines())), "", "extra_column", "note",
    ),
    "a column more that the feed forbids": (
        "".join(line + (",new" if n else ",Extra") + "\n" for n, line in enumerate(_GOOD.splitlines())),
        "checks: {severities: {extra_column: refuse}}\n", "extra_column", "refuse",
    ),
    "much less than before": (ENROLLMENT_HEADER + enrollment_rows(12), "", "much_smaller_than_before", "refuse"),
    "much less, allowed": (
        ENROLLMENT_HEADER + enrollment_rows(12), "checks: {allow_shrink: true}\n", "much_smaller_than_before", "warn",
    ),
    "fewer rows than agreed": (ENROLLMENT_HEADER + enrollment_rows(30), "checks: {minimum_rows: 35}\n", "too_few_rows", "refuse"),
    "no trailer": (_GOOD, 'checks: {trailer_pattern: "^END"}\n', "no_trailer", "refuse"),
    "a trailer that counts more": (_GOOD + "TRAILER 41\n", _FOOTED, "control_count_differs", "refuse"),
    "a year that is not agreed": (_GOOD, "checks: {school_year: 2025}\n", "wrong_school_year", "warn|refuse"),
    "a truncated zip": (_zipped(_GOOD)[:-200], "", "broken_zip", "refuse"),
    "a web page": ("<!DOCTYPE html><html><body>Your session has expired</body></html>", "", "unsupported_format", "refuse"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(CASES))
def test_what_is_wrong_with_a_file_is_named_and_good_data_stays(what: str, town: Town) -> None:
    """If not, half a file empties a school, or nobody knows why a file was not taken."""
    content, more, code, severity = CASES[what]
    plain = ENROLLMENT_MAPPING.replace("enroll*.csv", "enroll*")
    town.mapping(plain)
    assert town.take("enroll_0.csv", _GOOD).status == "accepted"
    town.mapping(plain + more)
    outcome = town.take("enroll_1.csv", content if content != _GOOD else _GOOD.replace("Name1,", "Other,"))
    found = [finding for finding in outcome.findings if finding.code in code.split("|")]
    assert found, outcome.findings
    assert found[0].severity in severity.split("|")
    assert found[0].why
    assert found[0].fix
    refused = found[0].severity == "refuse"
    assert outcome.status == ("refused" if refused else "accepted")
    kept = 40 if refused else outcome.judgement.accepted
    assert town.rows(_IN_FORCE) == [(2024, kept)]
    assert outcome.receipt is not None
    text = outcome.receipt.read_text(encoding="utf-8")
    assert not refused or "stays in force" in text


def test_a_control_record_that_agrees_is_no_data(town: Town) -> None:
    """If not, the trailer is put aside as a broken row of every file."""
    town.mapping(ENROLLMENT_MAPPING + _FOOTED)
    outcome = town.take("enroll.csv", _GOOD + "TRAILER 40\n")
    assert outcome.status == "accepted", outcome.findings
    assert (outcome.judgement.accepted, outcome.judgement.quarantined) == (40, 0)
