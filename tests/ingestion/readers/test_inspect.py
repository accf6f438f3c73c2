"""`throughline inspect` on files polluted in one way each, beside DuckDB's own detection."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ingestion.readers import Limits, ReadHints, UnreadableFileError
from ingestion.readers.careful import read_carefully
from orchestration.cli import _register, app

_register(["inspect"])
HEADER = ["id", "day", "place", "note", "amount"]
ROWS = [
    [str(n), f"2023-0{1 + n % 9}-1{n % 10}", f"Town {chr(65 + n % 7)}", "a, b" if n % 5 == 0 else f"note {n}", f"{n * 3}.5"]
    for n in range(1, 61)
]  # fmt: skip


def _csv(rows: list[list[str]], **form: Any) -> str:
    stream = io.StringIO()
    csv.writer(stream, **{"lineterminator": "\n", **form}).writerows(rows)
    return stream.getvalue()


WHOLE = [HEADER, *ROWS]
PLAIN = _csv(WHOLE)


def _changed(line: int, change: Callable[[str], str]) -> str:
    lines = PLAIN.split("\n")
    lines[line] = change(lines[line])
    return "\n".join(lines)


POLLUTED: dict[str, bytes] = {
    "plain": PLAIN.encode(),
    "semicolon": _csv(WHOLE, delimiter=";").encode(),
    "tab": _csv(WHOLE, delimiter="\t").encode(),
    "pipe": _csv(WHOLE, delimiter="|").encode(),
    "comma and blank": PLAIN.replace(",", ", ").replace("a,  b", "a, b").encode(),
    "single quotes": _csv(WHOLE, quotechar="'").encode(),
    "all quoted": _csv(WHOLE, quoting=csv.QUOTE_ALL).encode(),
    "carriage returns": PLAIN.replace("\n", "\r").encode(),
    "windows ends": PLAIN.replace("\n", "\r\n").encode(),
    "utf-16": PLAIN.encode("utf-16"),
    "byte order mark": PLAIN.encode("utf-8-sig"),
    "titles": b"Report of things\nmade yesterday\n\n" + PLAIN.encode(),
    "blank lines": PLAIN.replace("\n7,", "\n\n7,").encode(),
    "repeated header": (PLAIN + PLAIN).encode(),
    "total at the end": (PLAIN + "Total: 60\n").encode(),
    "no last line end": PLAIN.rstrip("\n").encode(),
    "trailing delimiters": PLAIN.replace("\n", ",\n").encode(),
    "one short row": _changed(9, lambda line: line.rsplit(",", 1)[0]).encode(),
    "one other delimiter": _changed(9, lambda line: line.replace(",", ";")).encode(),
    "one stray quote": _changed(9, lambda line: line.replace("note", 'no"te')).encode(),
    "one unclosed quote": _changed(9, lambda line: line.replace("note", '"note')).encode(),
    "nul bytes": PLAIN.replace("Town", "To\0wn").encode(),
}


def _score(rows: list[list[str]]) -> float:
    """Share of the clean table's records that were recovered cell by cell."""
    clean = {row[0]: row for row in ROWS}
    hits = sum(1 for row in rows if [cell or "" for cell in row[:5]] == clean.get(row[0] if row else ""))
    return min(hits, len(ROWS)) / len(ROWS)


def _ours(file: Path) -> tuple[list[str], list[list[str]]]:
    found = read_carefully(file, ReadHints(), Limits())
    return found.layout.names, found.rows


def _duckdb(file: Path) -> list[list[str]]:
    try:
        with duckdb.connect() as con:
            rows = con.execute(
                "select * from read_csv($file, all_varchar = true, ignore_errors = true)", {"file": str(file)}
            ).fetchall()
    except duckdb.Error:
        return []
    return [["" if cell is None else str(cell) for cell in row] for row in rows]


@pytest.mark.parametrize("kind", sorted(POLLUTED))
def test_a_polluted_file_keeps_its_records(kind: str, tmp_path: Path) -> None:
    """If not, one damaged line costs a partner its others."""
    file = tmp_path / "polluted.csv"
    file.write_bytes(POLLUTED[kind])
    names, rows = _ours(file)
    assert names[:5] == HEADER
    damaged = kind.startswith(("one short", "one unclosed", "one stray"))
    assert _score(rows) >= (59 / 60 if damaged else 1)


def test_more_is_recovered_than_by_duckdbs_own_detection(tmp_path: Path) -> None:
    """If not, the careful reader is not worth its code."""
    ours = theirs = 0.0
    for kind, data in POLLUTED.items():
        file = tmp_path / f"{kind}.csv"
        file.write_bytes(data)
        ours += _score(_ours(file)[1])
        theirs += _score(_duckdb(file))
    assert ours > theirs


def test_the_report_names_what_was_found_and_writes_plain_csv(tmp_path: Path) -> None:
    """If not, a data engineer has to open the file to know what it is."""
    file, out = tmp_path / "export.csv", tmp_path / "out.csv"
    file.write_bytes(POLLUTED["titles"].replace(b",", b";"))
    done = CliRunner().invoke(app, ["inspect", str(file), "--to", str(out), "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["dialect"]["delimiter"] == ";"
    assert report["header"]["line"] == 4
    assert report["records_read"] == len(ROWS)
    assert report["physical"]["title"] == 2
    with out.open(encoding="utf-8", newline="") as stream:
        assert next(csv.reader(stream)) == HEADER


def test_a_long_record_is_refused_with_its_line_or_kept_in_columns_of_its_own(tmp_path: Path) -> None:
    """If not, cells stand under the wrong names in silence."""
    file = tmp_path / "long.csv"
    file.write_text(_changed(9, lambda line: line + ",surplus"))
    found = read_carefully(file, ReadHints(), Limits())
    assert len(found.rows) + len(found.refused) == len(ROWS)
    assert any("9" in item["why"] or "10" in item["why"] for item in found.warnings)


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty"), (b"\n\n  \n", "empty"), (bytes(range(1, 9)) * 4000, "not_text")]
)
def test_what_is_no_table_is_refused_with_a_reason(data: bytes, code: str, tmp_path: Path) -> None:
    """If not, an empty file passes for a table without rows."""
    file = tmp_path / "none.csv"
    file.write_bytes(data)
    done = CliRunner().invoke(app, ["inspect", str(file), "--json"])
    assert done.exit_code == 1
    assert code in json.loads(done.stdout)["code"]


def _inspected(data: bytes, tmp_path: Path, *options: str) -> tuple[dict[str, Any], list[list[str]]]:
    file, out = tmp_path / "pinned.csv", tmp_path / "out.csv"
    file.write_bytes(data)
    done = CliRunner().invoke(app, ["inspect", str(file), "--to", str(out), "--json", *options])
    assert done.exit_code == 0, done.output
    with out.open(encoding="utf-8", newline="") as stream:
        return json.loads(done.stdout), list(csv.reader(stream))


def test_lines_to_skip_are_passed_over_and_counted(tmp_path: Path) -> None:
    """If not, a preamble that looks like a table is taken for one, or its lines vanish from the account."""
    preamble = "k,v,w,x,y\n1,2,3,4,5\n"
    report, rows = _inspected((preamble + PLAIN).encode(), tmp_path, "--skip-lines", "2")
    assert rows == WHOLE
    assert report["header"]["line"] == 3
    assert report["physical"]["skipped"] == 2
    assert report["physical_lines"] == sum(report["physical"].values())


def test_a_pinned_line_end_keeps_other_line_ends_in_the_text(tmp_path: Path) -> None:
    """If not, a record whose text holds a line feed falls apart although its end is known."""
    data = b"a,b\rone\ntwo,2\rthree,3\r"
    _, rows = _inspected(data, tmp_path, "--line-end", r"\r", "--header-rows", "1")
    assert rows == [["a", "b"], ["one\ntwo", "2"], ["three", "3"]]


def test_a_pinned_width_outweighs_ragged_rows(tmp_path: Path) -> None:
    """If not, a file most of whose rows are short loses the cells of its full rows."""
    data = b"a\tb\tc\n1\t2\n3\t4\n5\t6\n7\t8\t9\n"
    report, rows = _inspected(data, tmp_path, "--delimiter", r"\t", "--width", "3", "--header-rows", "1")
    assert rows == [["a", "b", "c"], ["1", "2", ""], ["3", "4", ""], ["5", "6", ""], ["7", "8", "9"]]
    assert report["records_refused"] == 0


def test_a_long_record_is_kept_on_request(tmp_path: Path) -> None:
    """If not, whoever wants every cell has to edit the file."""
    data = _changed(9, lambda line: line + ",surplus").encode()
    refused, _ = _inspected(data, tmp_path)
    kept, rows = _inspected(data, tmp_path, "--long-records", "keep")
    assert (refused["records_refused"], kept["records_refused"]) == (1, 0)
    assert rows[9][5] == "surplus"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["cut", "flip", "double", "recode"]))
def test_no_mutation_crashes_or_loses_a_line(seed: int, kind: str, tmp_path: Path) -> None:
    """If not, a damaged file stops a night, or rows vanish."""
    rng = random.Random(seed)
    data = bytearray(rng.choice(sorted(POLLUTED.values())))
    at = rng.randrange(len(data))
    if kind == "cut":
        data = data[:at]
    elif kind == "flip":
        data[at] ^= 1 << rng.randrange(8)
    elif kind == "double":
        data = data[:at] + data[max(0, at - 200) : at] + data[at:]
    else:
        data = bytearray(bytes(data).decode("latin-1").encode("utf-8"))
    file = tmp_path / "mutated.csv"
    file.write_bytes(bytes(data))
    try:
        found = read_carefully(file, ReadHints(), Limits())
    except UnreadableFileError:
        return
    kinds = found.layout.kinds
    assert len(found.rows) + len(found.refused) == kinds.get("data", 0)
    assert sum(kinds.values()) <= found.physical_lines


def test_columns_are_told_without_a_value(tmp_path: Path) -> None:
    """If not, a look at a file shows a child's name on somebody's screen, or in a ticket."""
    names = ["Mariam", "O'Neil", "Zoë", "Al"]
    rows = [
        [
            f"{n:06}",
            names[n % 4],
            "10/2/2014" if n % 2 else "1/12/2014",
            f"S{n % 3}",
            f"{n}.5",
            str(n),
            f"2024013{n % 2}",
            "",
            f"note {n}",
        ]
        for n in range(1, 41)
    ]
    header = ["Student ID", "First Name", "DOB", "Site", "Amount", "Count", "Opened", "Empty", "Remark"]
    file = tmp_path / "pupils.csv"
    file.write_text(_csv([header, *rows]))
    text = CliRunner().invoke(app, ["inspect", str(file), "--columns"])
    done = CliRunner().invoke(app, ["inspect", str(file), "--columns", "--json"])
    assert text.exit_code == done.exit_code == 0
    assert not [cell for row in rows for cell in row[:3] if cell in text.output + done.output]
    shapes = {shape["name"]: shape for shape in json.loads(done.output)["shapes"]}
    assert {name: shape["type"] for name, shape in shapes.items()} == {
        "Student ID": "digits", "First Name": "code", "DOB": "date", "Site": "code", "Amount": "decimal",
        "Count": "integer", "Opened": "date", "Empty": "empty", "Remark": "text",
    }  # fmt: skip
    assert [name for name, shape in shapes.items() if shape["is_identifier"]] == header[:3]
    assert shapes["First Name"]["patterns"] == ["a+", "a+'a+"]
    assert (shapes["Site"]["patterns"], shapes["Site"]["distinct"], shapes["Site"]["filled"]) == (
        ["A9"],
        3,
        1.0,
    )
    assert (shapes["Opened"]["date_format"], shapes["Empty"]["filled"]) == ("%Y%m%d", 0.0)
