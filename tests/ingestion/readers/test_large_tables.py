"""The ways by which large files are read: a table kept outside of memory, and runs of a sheet's rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

from ingestion.readers import delimited, read, scratch
from ingestion.readers.scratch import is_kept
from warehouse import duck

_ROWS = [
    [str(n), f"Town {n % 7}", 'said "so",\nthen left' if n % 9 == 0 else "", f"{n}.5"] for n in range(1, 400)
]


def _text() -> str:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in _ROWS]
    return "id,place,note,amount\n" + "\n".join(lines) + "\n"


def test_a_large_file_is_kept_outside_of_memory_and_reads_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "large.csv"
    file.write_text(_text(), encoding="utf-8")
    spill = tmp_path / "spill"
    con = duck.connect(temp_directory=spill)
    in_memory = read(file, con, "small")
    monkeypatch.setattr(delimited, "_LARGE", 0)
    kept = read(file, con, "large")
    assert kept == in_memory and kept.records_read == len(_ROWS)
    assert (
        con.execute("from large order by _record").fetchall()
        == con.execute("from small order by _record").fetchall()
    )
    (table,) = spill.rglob("large.parquet")
    assert b"Town" not in table.read_bytes()
    con.close()
    del con
    assert not list(spill.rglob("large.parquet"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t + "one cell too few\n",
        lambda t: t.replace("\n", ",\n"),
        lambda t: t.replace("\n", "\n\n", 1),
    ],
    ids=["a stray line", "a delimiter at each end", "a blank line"],
)
def test_a_large_file_that_the_strict_way_does_not_explain_is_read_like_a_small_one(
    damage: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{n},Town {n % 7},note,{n}.5\n" for n in range(3000))
    (tmp_path / "large.csv").write_text(damage("id,place,note,amount\n" + rows), encoding="utf-8")
    con = duck.connect(temp_directory=tmp_path / "spill")
    small = read(tmp_path / "large.csv", con, "rows")
    wanted = con.execute("from rows order by _record").fetchall()
    monkeypatch.setattr(delimited, "_LARGE", 0)
    con.execute("drop table rows")
    assert read(tmp_path / "large.csv", con, "rows") == small
    assert con.execute("from rows order by _record").fetchall() == wanted


@pytest.mark.parametrize("odd_at", [25, 60, 350])
def test_what_stands_between_long_runs_of_a_sheets_rows_is_told_apart(odd_at: int, tmp_path: Path) -> None:
    header = ["id", "place", "note", "amount"]
    sheet_rows = [
        ["Attendance report"],
        header,
        *_ROWS[:odd_at],
        header,
        [],
        *_ROWS[odd_at:],
        ["* one in ten is new"],
    ]
    book = Workbook()
    for row in sheet_rows:
        book.active.append(row)
    book.save(tmp_path / "report.xlsx")
    con = duck.connect()
    result = read(tmp_path / "report.xlsx", con, "sheet")
    assert result.columns == header
    assert [row[0] for row in con.execute("select id from sheet order by _record").fetchall()] == [
        r[0] for r in _ROWS
    ]
    assert result.physical["data"] == len(_ROWS) and result.physical["repeated header"] == 1
    assert result.physical["footer"] == 1 and result.physical["title"] == 1


def test_a_sheet_of_many_rows_is_kept_packed_and_reads_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consequence of failing: cells of a long sheet stand in other rows, or have other texts, than those of a short one."""
    book = Workbook()
    for row in [["id", "place", "note", "amount"], *_ROWS, [7, None, True, 1.5], [None, "Town", "", 2]]:
        book.active.append(row)
    book.save(tmp_path / "many.xlsx")
    con = duck.connect(temp_directory=tmp_path / "spill")
    wanted = read(tmp_path / "many.xlsx", con, "few")
    monkeypatch.setattr(scratch, "_MANY", 50)
    assert read(tmp_path / "many.xlsx", con, "many") == wanted
    assert is_kept(con, "many") and not is_kept(con, "few")
    rows = con.execute("from many order by _record").fetchall()
    assert rows == con.execute("from few order by _record").fetchall() and len(rows) == len(_ROWS) + 2
    assert read(tmp_path / "many.xlsx", con, "few") == wanted and is_kept(con, "few")
