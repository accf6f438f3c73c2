"""Large files without quotes are read in blocks on all cores; whatever is not proven clean must not come that way."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from ingestion.readers import ReadHints, ReadResult, clean, delimited, read
from ingestion.readers.scratch import drop_table
from warehouse import duck

_HEADER = "id,place,note,amount\n"
_ROWS = "".join(f"{n},Town {n % 7},{'' if n % 5 else 'näher'},{n}.5\n" for n in range(3000))


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[bool, ReadResult]]:
    """Reads bytes as a small and as a large file in small blocks, holds one against the other, tells the way."""
    clean_ways: list[int | None] = []

    def watched(*args: object) -> int | None:
        clean_ways.append(clean.read_clean(*args))  # type: ignore[arg-type]
        return clean_ways[-1]

    def read_twice(content: bytes, hints: ReadHints | None = None) -> tuple[bool, ReadResult]:
        file = tmp_path / "file.csv"
        file.write_bytes(content)
        con = duck.connect(temp_directory=tmp_path / "spill")
        small = read(file, con, "small", hints)
        with monkeypatch.context() as patched:
            patched.setattr(delimited, "_LARGE", -1)
            patched.setattr(delimited, "read_clean", watched)
            patched.setattr(clean, "_BLOCK", 1000)
            large = read(file, con, "large", hints)
        assert replace(large, physical={}) == replace(small, physical={})
        assert large.physical["data"] == small.physical["data"]
        wanted = con.execute("from small order by _record").fetchall()
        assert con.execute("from large order by _record").fetchall() == wanted
        con.close()
        return bool(clean_ways) and clean_ways[-1] is not None, large

    return read_twice


@pytest.mark.parametrize(
    "text",
    [
        _HEADER + _ROWS,
        _HEADER + _ROWS[:-1],
        (_HEADER + _ROWS).replace("\n", "\r\n"),
        _HEADER + _ROWS + "\n" * 3000,
        "\ufeff" + _HEADER + _ROWS,
        '"id","place","note","amount"\n' + _ROWS,
        (_HEADER + _ROWS).replace(",", "\t"),
        "Report of the year\n\n" + _HEADER + _ROWS,
    ],
    ids=["plain", "no last end", "both ends", "blank at the end", "mark", "quoted header", "tabs", "a title"],
)
def test_a_clean_file_comes_the_clean_way(text: str, both: Callable[..., tuple[bool, ReadResult]]) -> None:
    """Consequence of failing: large files of the usual kind take twice as long."""
    was_clean, result = both(text.encode())
    assert was_clean
    assert result.records_read == 3000


def test_a_file_without_header_keeps_its_first_row(both: Callable[..., tuple[bool, ReadResult]]) -> None:
    """Consequence of failing: the first row, or a mark before it, is lost or taken into a cell."""
    was_clean, result = both(("\ufeff" + _ROWS).encode(), ReadHints(header_rows=0))
    assert was_clean and result.records_read == 3000


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t + '2,"Town, north",,1\n',
        lambda t: t + "2,Town\n",
        lambda t: t + "2,Town,,1,5\n",
        lambda t: t + ",,,\n2,Town,,1\n",
        lambda t: t + "\n2,Town,,1\n",
        lambda t: t + _HEADER + "2,Town,,1\n",
        lambda t: t + "2,Town\rnorth,,1\n",
        lambda t: t + "2,Town,,1\r\n3,Town,,1\n",
        lambda t: t + "\ufeff2,Town,,1\n" * 2000,
        lambda t: t + "2,Town\0,,1\n2,'Town,,1\"\n",
    ],
    ids=["quote", "short", "long", "no cell", "blank", "header", "return", "other end", "mark", "nul"],
)
def test_a_damaged_file_does_not(
    damage: Callable[[str], str], both: Callable[..., tuple[bool, ReadResult]]
) -> None:
    """Consequence of failing: records of damaged files are lost or misread without a word."""
    was_clean, _ = both(damage(_HEADER + _ROWS).encode())
    assert not was_clean


def test_any_damage_is_read_as_in_a_small_file(both: Callable[..., tuple[bool, ReadResult]]) -> None:
    """Consequence of failing: how large a file is decides what its bytes mean."""
    chance = random.Random(3)
    text = (_HEADER + _ROWS[:8000]).encode()
    for _ in range(15):
        damaged = bytearray(text)
        for _ in range(chance.choice((1, 1, 4))):
            at = chance.randrange(len(_HEADER), len(damaged))
            piece = chance.choice((b"", b"\n", b"\r", b",", b'"', b"\0", b" ", b"\xff", b"x"))
            damaged[at : at + chance.choice((0, 1))] = piece
        both(bytes(damaged))


def test_a_line_beyond_the_limit_is_no_clean_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consequence of failing: a cell of many megabytes is taken where the limit forbids it."""
    for block in (1 << 10, 1 << 22):
        monkeypatch.setattr(clean, "_BLOCK", block)
        form = clean._Form(["a", "b"], ",", b'"', b"\n", 5000)
        (tmp_path / "long.csv").write_bytes(b"a,b\n" + b"1,2\n" * 9000 + b"1," + b"x" * 5000 + b"\n1,2\n")
        with pytest.raises(clean._NotCleanError):
            for piece in clean._blocks(tmp_path / "long.csv", 1, form):
                clean._rows(piece, form)


def test_the_rows_lie_in_memory_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consequence of failing: text of a partner stays readable on disk, or memory is never given back."""
    monkeypatch.setattr(delimited, "_LARGE", 0)
    rows = "".join(f"{n},Town {n},x,{n % 9}\n" for n in range(60_000))
    (tmp_path / "file.csv").write_text(_HEADER + rows, encoding="utf-8")
    con = duck.connect(temp_directory=tmp_path / "spill")
    assert read(tmp_path / "file.csv", con, "large").records_read == 60_000
    (table,) = (tmp_path / "spill").rglob("large.parquet")
    memory = table.readlink()
    assert "/memfd:" in str(memory.readlink())
    assert not [file for file in (tmp_path / "spill").rglob("*") if file.is_file() and not file.is_symlink()]
    assert con.execute("select count(distinct place), max(_record) from large").fetchone() == (60_000, 60_000)
    drop_table(con, "large")
    assert not table.is_symlink() and not memory.is_symlink()


def test_a_file_of_the_same_size_is_not_taken_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consequence of failing: a delivery is answered with the rows of another, of which DuckDB remembers the bytes."""
    monkeypatch.setattr(delimited, "_LARGE", 0)
    con = duck.connect(temp_directory=tmp_path / "spill")
    for word, quoted in product(("Elm", "Oak"), ("", '"')):
        text = _HEADER + "".join(f"{n},{quoted}{word}{quoted},x,1\n" for n in range(10, 99))
        (tmp_path / "file.csv").write_text(text, encoding="utf-8")
        read(tmp_path / "file.csv", con, "large")
        asked = con.execute("select count(*), min(_record) from large where place = $word", {"word": word})
        assert asked.fetchone() == (89, 1)


def test_what_takes_too_much_memory_is_kept_on_disk(
    both: Callable[..., tuple[bool, ReadResult]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consequence of failing: a file of nothing that repeats takes all memory, or the half of it that fitted is taken."""
    monkeypatch.setattr(clean, "_MOST_BYTES", 10_000)
    was_clean, result = both((_HEADER + _ROWS).encode())
    assert not was_clean and result.records_read == 3000
