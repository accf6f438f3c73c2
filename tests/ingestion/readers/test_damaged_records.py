"""Damaged records are put back under their columns where one way fits, and told; else they stand as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.readers import Limits, ReadHints
from ingestion.readers.alignment import ColumnKinds
from ingestion.readers.careful import CarefulTable, read_carefully

HEADER = "id,day,place,note,amount"
LINES = [f'{n},2023-01-{n:02},"Town, {n}",note {n},{n}.50' for n in range(1, 21)]


def _read(tmp_path: Path, text: str, **hints: object) -> CarefulTable:
    file = tmp_path / "damaged.csv"
    file.write_text(text, newline="")
    return read_carefully(file, ReadHints.model_validate(hints), Limits())


def _with(line: str) -> str:
    return "\n".join([HEADER, *LINES, line, *LINES]) + "\n"


@pytest.mark.parametrize(
    ("line", "cells", "repair"),
    [
        # A quote in the middle of a cell where a delimiter before it makes five sound cells.
        (
            '99,2023-03-01"Town, 99",note,9.5',
            ["99", "2023-03-01", "Town, 99", "note", "9.5"],
            "missing delimiter",
        ),
        (
            '99,2023-03-01,"Town" B,note,9.5',
            ["99", "2023-03-01", '"Town" B', "note", "9.5"],
            "unclosed quote",
        ),
        (
            '99;2023-03-01;"Town; 99";note;9.5',
            ["99", "2023-03-01", "Town; 99", "note", "9.5"],
            "other delimiter",
        ),
        (
            "99,2023-03-01,'Town, 99',note,9.5",
            ["99", "2023-03-01", "Town, 99", "note", "9.5"],
            "other quote",
        ),
        # Six cells: only "note" can have lost its quotes, for its neighbours hold dates and numbers.
        (
            '99,2023-03-01,"Town, 99",one, two,9.5',
            ["99", "2023-03-01", "Town, 99", "one, two", "9.5"],
            "cells put under",
        ),
    ],
)
def test_a_damaged_record_is_read_by_what_the_others_are_like(
    line: str, cells: list[str], repair: str, tmp_path: Path
) -> None:
    """If not, one slip of a hand puts values under the wrong names, or loses a record that is plain to see."""
    found = _read(tmp_path, _with(line))
    assert found.rows[20] == cells
    assert not found.refused
    told = [item["why"] for item in found.warnings if item["code"] == "repaired_record"]
    assert any(repair in why and "lines 22" in why for why in told)


def test_a_missing_delimiter_between_quoted_cells_is_put_in(tmp_path: Path) -> None:
    """If not, two quoted values melt into one and the rest of the record moves a column to the left."""
    lines = "".join(f'"{n}","day {n}","x {n}","{n}.5"\n' for n in range(10))
    found = _read(
        tmp_path, '"a","b","c","d"\n' + lines + '"77","day"" 7","x""y","7.5"\n"78","day 8""x 8","8.5"\n'
    )
    assert found.rows[10] == ["77", 'day" 7', 'x"y', "7.5"]
    assert found.rows[11] == ["78", "day 8", "x 8", "8.5"]


def test_a_quote_that_is_closed_by_the_next_records_first_one_swallows_no_record(tmp_path: Path) -> None:
    """If not, one person of a narrow file vanishes into another's name, and nobody is told."""
    lines = [f'{n},"N{n}",0{n % 9}' for n in range(1, 40)]
    lines[19] = '20,"open N20,02'
    found = _read(tmp_path, "\n".join(["id,name,grade", *lines]) + "\n")
    assert found.rows[19:21] == [["20", '"open N20', "02"], ["21", "N21", "03"]]
    assert any("unclosed quote" in item["why"] and "lines 21" in item["why"] for item in found.warnings)
    # A note that quotes somebody over two lines is one cell still.
    lines[19] = '20,"she said ""no, no,""\nand left",02'
    found = _read(tmp_path, "\n".join(["id,name,grade", *lines]) + "\n")
    assert [row[0] for row in found.rows[18:22]] == ["19", "20", "21", "22"]


def test_where_two_ways_fit_a_long_record_is_refused_with_its_line(tmp_path: Path) -> None:
    """If not, the reader guesses, and a guess under the wrong name is worse than a refusal."""
    lines = "".join(f"{n},left {n},right {n}\n" for n in range(10))
    found = _read(tmp_path, "n,left,right\n" + lines + "99,one,two,three\n")
    assert [record.line for record in found.refused] == [12]
    assert len(found.rows) == 10


def test_alignment_keeps_quoted_cells_whole() -> None:
    """If not, what a partner put in quotes as one value is joined to its neighbour."""
    rows = [[str(n), f"2023-01-0{n}", "word", f"{n}.5"] for n in range(1, 9)]
    kinds = ColumnKinds.of(rows, 4)
    assert kinds is not None
    joined = kinds.align(["9", "2023-01-09", "one", "two", "9.5"], [False] * 5, ",")
    assert joined == ["9", "2023-01-09", "one,two", "9.5"]
    quoted = [False, False, True, False, False]
    assert kinds.align(["9", "2023-01-09", "one", "two", "9.5"], quoted, ",") is None
    assert ColumnKinds.of(rows[:2], 4) is None


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_stacked_header_rows_name_their_columns_together(rows: int, tmp_path: Path) -> None:
    """If not, the second line of a header becomes a record that no contract can take."""
    header = [f"{word} id,{word} day,{word} amount" for word in ("of pupil", "as of", "in full")][:rows]
    body = [f"{n},2023-01-{n:02},{n}.5" for n in range(1, 10)]
    found = _read(tmp_path, "\n".join([*header, *body]) + "\n")
    assert found.layout.header_rows == rows
    assert len(found.rows) == 9
    assert found.layout.names[0] == " ".join(row.split(",")[0] for row in header)


def test_a_row_of_words_among_rows_of_words_is_no_second_header(tmp_path: Path) -> None:
    """If not, the first record of a table whose rows may lack numbers is lost to the header."""
    body = ["one,two,three", *(f"{n},2023-01-{n:02},{n}.5" for n in range(1, 10)), "four,five,six"]
    found = _read(tmp_path, "\n".join(["a,b,c", *body]) + "\n")
    assert found.layout.header_rows == 1
    assert len(found.rows) == 11


def test_a_second_table_is_set_aside_and_told_with_its_line(tmp_path: Path) -> None:
    """If not, records of another table stand under the names of the first."""
    second = ["school,pupils", *(f"School {n},{n}00" for n in range(1, 6))]
    found = _read(tmp_path, "\n".join([HEADER, *LINES, "", *second]) + "\n")
    assert len(found.rows) == len(LINES)
    assert not found.refused
    assert found.layout.other_table == 23
    assert found.layout.kinds["other table"] == 6
    (told,) = [item for item in found.warnings if item["code"] == "other_table"]
    assert "line 23" in told["why"]
    assert sum(found.layout.kinds.values()) == found.physical_lines


def test_short_records_at_the_end_are_no_second_table(tmp_path: Path) -> None:
    """If not, ragged records vanish although they belong to the table."""
    short = ["90,2023-01-01", "91,2023-01-02", "92,2023-01-03"]
    found = _read(tmp_path, "\n".join([HEADER, *LINES, *short]) + "\n")
    assert len(found.rows) == 23
    assert found.layout.other_table == 0
