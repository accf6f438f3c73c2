"""Inputs by which fuzzing (`make fuzz`) once brought a reader down, as changes of made files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import duckdb
import pytest

from ingestion import readers
from ingestion.readers import ReadHints, UnreadableFileError
from tests.ingestion.readers import made
from warehouse import duck

_ROWS = [(f"p{n}", f"school {n % 3}", f"{n}.5") for n in range(40)]


@lru_cache(maxsize=1)
def _con() -> duckdb.DuckDBPyConnection:
    return duck.connect(threads=1)


def _refused(file: Path, made_one: made.Made) -> str:
    """Code of the refusal; empty where the file is read all the same."""
    try:
        readers.read(file, _con(), "t", ReadHints.model_validate(made_one.hints), keys=made_one.keys)
    except UnreadableFileError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "maker", [made.zipped, made.joined, made.xlsx, made.ods], ids=lambda maker: maker.__name__
)
def test_a_damaged_stream_in_an_archive_refuses_it(maker: Callable[..., made.Made], tmp_path: Path) -> None:
    """If not, one flipped bit makes a file that fails again every night and never gets a receipt."""
    whole = maker(tmp_path, _ROWS, 0)
    data = bytearray(whole.path.read_bytes())
    with zipfile.ZipFile(whole.path) as archive:
        info = max(archive.infolist(), key=lambda one: one.compress_size)
    start = info.header_offset + 30 + len(info.filename)
    for at in range(start, start + min(info.compress_size, 60), 9):
        damaged = whole.path.with_stem("damaged")
        damaged.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        _refused(damaged, whole)
    damaged.write_bytes(data[: start + 8] + b"\xff" * 40 + data[start + 48 :])
    assert _refused(damaged, whole) in ("broken_zip", "unreadable_workbook")
