"""Files of analysts: encodings, workbooks, lines above the names, broken rows."""

from __future__ import annotations

import gzip
from pathlib import Path

import openpyxl
import pytest

from warehouse.statistics import fields
from warehouse.statistics.choices import Choices
from warehouse.statistics.outcome import understand
from warehouse.statistics.source import AnalysisInputError, Question
from warehouse.statistics.table_file import read_table
from warehouse.statistics.tables import measure

EXPECTED = [{"g": "Año", "n": "1"}, {"g": "B, C", "n": "2"}]


def test_text_in_any_usual_form_reads_alike(tmp_path: Path) -> None:
    """If not, a table has to be saved anew before it can be analysed."""
    text = 'g,n\nAño,1\n"B, C",2\n'
    forms = {
        "plain.csv": text.encode(),
        "bom.csv": text.encode("utf-8-sig"),
        "western.csv": text.encode("cp1252"),
        "wide.csv": text.encode("utf-16"),
        "packed.csv.gz": gzip.compress(text.encode()),
        "lines.csv": text.replace("\n", "\r\n").encode() + b"\r\n\r\n",
        "semicolon.csv": 'g;n\nAño;1\n"B, C";2\n'.encode(),
        "tab.tsv": "g\tn\nAño\t1\nB, C\t2\n".encode(),
    }
    for name, content in forms.items():
        file = tmp_path / name
        file.write_bytes(content)
        assert read_table(file).to_dict("records") == EXPECTED, name


def test_a_workbook_by_sheet_and_row_of_names(tmp_path: Path) -> None:
    """If not, a state's workbook with a title page cannot be used."""
    book = openpyxl.Workbook()
    book.active.append(["About this file"])
    sheet = book.create_sheet("Data")
    for row in (["Title"], [None], ["g", "n"], ["Año", 1], ["B, C", 2]):
        sheet.append(row)
    file = tmp_path / "book.xlsx"
    book.save(file)
    assert read_table(file, "Data", 2).to_dict("records") == EXPECTED
    with pytest.raises(AnalysisInputError, match=r"has no sheet 'Dta'. Sheets: 'Sheet', 'Data'"):
        read_table(file, "Dta")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "has no rows"),
        ("head.csv", b"g,n\n", "has no rows"),
        ("ragged.csv", b"g,n\nA,1\nB\n", "Line: 3"),
        ("noise.parquet", b"noise", "cannot be read"),
        ("noise.xlsx", b"noise", "cannot be read as a workbook"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """If not, an analyst reads a traceback."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(AnalysisInputError, match=said):
        read_table(file)


@pytest.mark.parametrize("outcome", ["rate", "score", "level", "estimate"])
def test_every_column_has_a_meaning(tmp_path: Path, outcome: str) -> None:
    """If not, a figure in the JSON has to be guessed."""
    file = tmp_path / "t.csv"
    file.write_text(
        "g,y,o,s,l,e\n" + "A,1,1,10,low,1\nB,2,0,12,high,1\n" + "B,1,0,12,high,1\nA,2,1,12,high,1\n"
    )
    column, levels = {
        "rate": ("o", ()),
        "score": ("s", ()),
        "level": ("l", ("low", "high")),
        "estimate": ("s", ()),
    }[outcome]
    question = Question(
        column, ("g",), cohort="y", levels=levels, error="e" if outcome == "estimate" else None
    )
    found = measure([understand(read_table(file), question, "t.csv")], Choices())
    for table in (found.groups, found.summary, found.changes):
        assert len(table)
        assert set(table.columns) <= set(fields.FIELDS)


def test_columns_are_found_in_other_letters_and_rows_named_as_in_the_file(tmp_path: Path) -> None:
    """If not, a message points at a row that is not the wrong one."""
    file = tmp_path / "t.csv"
    file.write_text("Group,N,X\nA,10,3\n,,\nB,5,7\n")
    with pytest.raises(AnalysisInputError, match=r"column 'X', 1 rows \(first: 3\)"):
        understand(read_table(file), Question("x", ("group",), weight="n", outcome_is="count"), "t.csv")
