"""Reading polluted CSV without hints: the reader of `throughline inspect` beside DuckDB's own detection.

What belongs here: polluting a clean table in one place at a time, and the F1 of its records and cells. What does not:
what every commit must hold (`tests/ingestion/readers/test_inspect.py`).

Run: python benchmarks/inspect_damaged.py [--rows 80].
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from ingestion.readers import Limits, ReadHints, UnreadableFileError
from ingestion.readers.careful import read_carefully

Table = list[list[str]]


def clean(rows: int) -> Table:
    """A header and rows with numbers, dates, and text that holds delimiters, quotes and line breaks."""
    texts = ("plain", "a, b", 'a "word"', "two\nlines", "")
    body = [[str(n), f"2023-0{1 + n % 9}-1{n % 10}", texts[n % 5], f"{n * 3}.5"] for n in range(1, rows + 1)]
    return [["id", "day", "note", "amount"], *body]


def pollutions(table: Table) -> Iterator[tuple[str, str, Table]]:
    """Kind and place, polluted text, and the table that it still says."""
    for delimiter in ",;\t|^~":
        for quote in "\"'":
            for end in ("\n", "\r\n", "\r"):
                text = _text(table, delimiter=delimiter, quotechar=quote, lineterminator=end)
                yield f"dialect {delimiter!r} {quote} {end!r}", text, table
                yield f"no last end {delimiter!r} {quote} {end!r}", text.removesuffix(end), table
    escaped = _text(table, doublequote=False, escapechar="\\")
    yield "escape", escaped, table
    whole = _text(table)
    yield "titles", "A report\nof a day\n\n" + whole, table
    yield "footer", whole + "Total: 80\n", table
    yield "no header", _text(table[1:]), [["column_1", "column_2", "column_3", "column_4"], *table[1:]]
    lines = [_text([row]) for row in table]
    for at in range(len(table)):
        row, before, after = table[at], "".join(lines[:at]), "".join(lines[at + 1 :])
        short = [*table[:at], [*row[:-1], ""], *table[at + 1 :]]
        yield f"short row {at}", before + _text([row[:-1]]) + after, short
        yield f"extra delimiter {at}", before + lines[at][:-1] + ",\n" + after, table
        yield f"other delimiter {at}", before + _text([row], delimiter=";") + after, table
        yield f"other quote {at}", before + _text([row], quotechar="'") + after, table
        yield f"quoted row {at}", before + _text([row], quoting=csv.QUOTE_ALL) + after, table
        yield f"other line end {at}", before + lines[at][:-1] + "\r\n" + after, table


def _text(table: Table, **form: Any) -> str:
    stream = io.StringIO()
    csv.writer(stream, **{"lineterminator": "\n", **form}).writerows(table)
    return stream.getvalue()


def ours(file: Path) -> Table:
    """Header and rows as `throughline inspect` writes them."""
    try:
        found = read_carefully(file, ReadHints(), Limits())
    except UnreadableFileError:
        return []
    return [found.layout.names, *found.rows]


def duckdbs(file: Path) -> Table:
    """Header and rows as DuckDB's sniffer finds them."""
    try:
        with duckdb.connect() as con:
            found = con.execute(
                "select * from read_csv($f, all_varchar = true, ignore_errors = true)", {"f": str(file)}
            )
            names = [column[0] for column in found.description or []]
            return [names, *([cell or "" for cell in row] for row in found.fetchall())]
    except duckdb.Error:
        return []


def scores(found: Table, truth: Table) -> tuple[float, float, float]:
    """Whether the header is the true one, and the F1 of records and of cells as multisets."""
    records = _f1(Counter(map(tuple, found[1:])), Counter(map(tuple, truth[1:])))
    cells = _f1(Counter(c for r in found[1:] for c in r), Counter(c for r in truth[1:] for c in r))
    return float(bool(found) and found[0] == truth[0]), records, cells


def _f1(found: Counter[Any], truth: Counter[Any]) -> float:
    total = found.total() + truth.total()
    return 2 * (found & truth).total() / total if total else 0.0


def main() -> None:
    """Print mean scores by kind, and each file that DuckDB read better."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=80)
    told: dict[str, list[tuple[float, ...]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "polluted.csv"
        for name, text, truth in pollutions(clean(parser.parse_args().rows)):
            file.write_bytes(text.encode())
            pair = (*scores(ours(file), truth), *scores(duckdbs(file), truth))
            kind = name.rstrip("0123456789 ") if not name.startswith(("dialect", "no last")) else name[:7]
            told.setdefault(kind, []).append(pair)
            told.setdefault("all", []).append(pair)
            if sum(pair[:3]) < sum(pair[3:]) - 1e-9:
                print("lost:", name, [round(value, 3) for value in pair])
    print(f"{'kind':18} files | ours: header record cell | DuckDB: header record cell")
    for kind, pairs in told.items():
        means = [sum(column) / len(pairs) for column in zip(*pairs, strict=True)]
        print(f"{kind:18} {len(pairs):5} | " + " ".join(f"{value:.3f}" for value in means))


if __name__ == "__main__":
    main()
