"""What workbooks hide is told, and PGP drops are opened by the platform's key alone."""

from __future__ import annotations

import subprocess
import tempfile
from datetime import date
from pathlib import Path

import duckdb
import pytest
from openpyxl import Workbook

from ingestion import readers
from ingestion.readers import Keys, ReadHints, ReadResult, UnreadableFileError
from tests.ingestion.readers import made
from warehouse import duck

_DATA = [("Id", "Day", "Score"), *((f"{n:03}", date(2024, 3, n), n + 0.5) for n in range(1, 9))]


def _read(
    file: Path, keys: Keys | None = None, **hints: object
) -> tuple[ReadResult, list[tuple[object, ...]]]:
    con: duckdb.DuckDBPyConnection = duck.connect(threads=1)
    result = readers.read(file, con, "t", ReadHints.model_validate(hints), keys=keys)
    return result, con.execute("select * exclude (_record) from t order by _record").fetchall()


def _codes(result: ReadResult) -> set[str]:
    return {told["code"] for told in result.warnings}


def test_what_a_workbook_hides_is_read_or_told(tmp_path: Path) -> None:
    """If not, filtered rows vanish, a hidden sheet passes for the table, or 45,357 stands for a day."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Report of scores"])
    sheet.append([])
    for row in _DATA:
        sheet.append(list(row))
    sheet["B6"] = 45_357
    sheet["B6"].number_format = "General"
    sheet["C7"] = "=1+1"
    sheet.row_dimensions[8].hidden = True
    for title, state in (("Codes", "visible"), ("Old", "hidden")):
        other = book.create_sheet(title)
        other.sheet_state = state
        other.append(["a", "b"])
        other.append([1, 2])
    book.save(tmp_path / "scores.xlsx")
    result, rows = _read(tmp_path / "scores.xlsx")
    assert result.columns == ["Id", "Day", "Score"]
    assert len(rows) == 8
    assert rows[0] == ("001", "2024-03-01", "1.5")
    assert rows[2][1] == "2024-03-06"
    assert _codes(result) >= {
        "hidden_rows",
        "hidden_sheets",
        "sheets_not_read",
        "formula_without_value",
        "date_numbers",
    }
    other_sheet, rows = _read(tmp_path / "scores.xlsx", sheet="cod*")
    assert (other_sheet.columns, rows) == (["a", "b"], [("1", "2")])
    with pytest.raises(UnreadableFileError) as refused:
        _read(tmp_path / "scores.xlsx", sheet="Scores 2025")
    assert refused.value.code == "no_sheet"


def _gpg(home: Path, *options: str, data: bytes = b"") -> None:
    command = [
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--yes",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
        *options,
    ]
    subprocess.run(command, input=data, check=True, capture_output=True)


def test_a_drop_encrypted_for_the_platform_is_opened_and_another_is_refused(tmp_path: Path) -> None:
    """If not, partners send children's names in the clear, or a file that nobody can open stops the night."""
    with tempfile.TemporaryDirectory(prefix="gpg") as short:  # the agent's socket needs a short path
        ours, theirs = Path(short) / "a", Path(short) / "b"
        for home, name in ((ours, "platform@example.org"), (theirs, "other@example.org")):
            home.mkdir(mode=0o700)
            _gpg(home, "--quick-generate-key", name, "future-default", "default", "never")
        file = tmp_path / "scores.csv.pgp"
        text = "Id,Score\n" + "".join(f"{n},{n}.5\n" for n in range(1, 9))
        _gpg(
            ours,
            "--trust-model",
            "always",
            "--recipient",
            "platform@example.org",
            "--output",
            str(file),
            "--encrypt",
            data=text.encode(),
        )
        result, rows = _read(file, Keys(ours))
        assert result.records_read == len(rows) == 8
        for keys, content in ((Keys(theirs), file.read_bytes()), (Keys(ours), file.read_bytes()[:-30])):
            damaged = tmp_path / "damaged.csv.pgp"
            damaged.write_bytes(content)
            with pytest.raises(UnreadableFileError) as refused:
                _read(damaged, keys)
            assert refused.value.code == "cannot_decrypt"
        phrase = made.pgp(tmp_path, [("1", "a", "2")], 0)
        with pytest.raises(UnreadableFileError, match="could not be decrypted"):
            _read(phrase.path, Keys(ours))


def test_fixed_width_with_header_comment_and_footer(tmp_path: Path) -> None:
    """If not, the first and last line of a state's file are pupils without names."""
    layout = [{"name": "Id", "start": 1, "width": 5}, {"name": "Score", "start": 6, "width": 4}]
    lines = ["STATE EXPORT 2024", "# made at night", *(f"{n:05}{n:4}" for n in range(1, 11)), "", "END 10"]
    file = tmp_path / "state.txt"
    file.write_text("\r\n".join(lines) + "\r\n\x1a", encoding="cp1252")
    result, rows = _read(file, layout=layout, header_rows=1, comment="#", skip_footer_pattern="^END")
    assert rows == [(f"{n:05}", str(n)) for n in range(1, 11)]
    assert {kind: result.physical[kind] for kind in ("header", "comment", "data", "footer")} == {
        "header": 1, "comment": 1, "data": 10, "footer": 1,
    }  # fmt: skip
