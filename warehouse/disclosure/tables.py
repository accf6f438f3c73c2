"""Reading tables of counts from CSV files, and writing them with what is withheld blank.

What belongs here: files and their columns. What does not: what the numbers mean together (`model`, `attacker`).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.disclosure import check
from warehouse.disclosure.describe import Description, DisclosureInputError, TableDescription


@dataclass(frozen=True)
class Table:
    """One table as read.

    Attributes:
        name: the file's name.
        about: its description.
        frame: all columns as text, in the file's order.
        keys: full key of each row: every dimension of the description, sorted by name.
        values: count column -> values, NaN where withheld.
    """

    name: str
    about: TableDescription
    frame: pd.DataFrame
    keys: list[tuple[str, ...]]
    values: dict[str, np.ndarray]


def dimension_names(description: Description, files: Sequence[Path]) -> list[str]:
    """Every dimension of any of the files, sorted."""
    names = set(description.dimensions)
    for file in files:
        about = description.table_of(file)
        names |= set(about.dimensions) | set(about.fixed)
    return sorted(names)


def read_tables(files: Sequence[Path], description: Description) -> list[Table]:
    """Read CSV files by their description.

    Raises:
        DisclosureInputError: a file is absent, lacks a column, holds a cell twice or a count that is none.
    """
    names = dimension_names(description, files)
    tables = [_read(file, description, names) for file in files]
    check.refuse_unknown_values(tables, description, names)
    return tables


def _read(file: Path, description: Description, names: Sequence[str]) -> Table:
    about = description.table_of(file)
    frame = _frame(file)
    needed = [*about.dimensions, *about.counts, *about.rates, *about.follows]
    needed += [name for columns in about.largest.values() for name in columns]
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise DisclosureInputError(
            f"{file.name}: column {', '.join(absent)} is missing (there are: {', '.join(frame.columns)}); "
            "correct the header or the description"
        )
    keys = _keys(file, frame, about, description, names)
    values = {name: _numbers(file, frame[name], name, description.marks) for name in about.counts}
    table = Table(file.name, about, frame, keys, values)
    check.refuse_undescribed(table, needed, description)
    check.refuse_wrong_numbers(table)
    return table


def _frame(file: Path) -> pd.DataFrame:
    """The file's cells as text."""
    try:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise DisclosureInputError(f"{file}: no such file") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DisclosureInputError(
            f"{file.name}: not a CSV file in UTF-8 with a header: {str(error).strip()}; save it as CSV in UTF-8, and quote "
            "a value that holds a comma"
        ) from None
    _refuse_repeated_columns(file)
    if not len(frame):
        raise DisclosureInputError(f"{file.name}: the table has no row under its header; export it again")
    return frame


def _keys(
    file: Path, frame: pd.DataFrame, about: TableDescription, description: Description, names: Sequence[str]
) -> list[tuple[str, ...]]:
    """Each row's cell: its value of every dimension, in their order."""
    columns = []
    for name in names:
        if name in about.dimensions:
            columns.append(frame[name].str.strip().tolist())
        else:
            columns.append([about.fixed.get(name, description.dimension(name).total)] * len(frame))
    keys = list(zip(*columns, strict=True)) if columns else [()] * len(frame)
    twice = pd.Series(keys).duplicated()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        told = ", ".join(f"{n}={v}" for n, v in zip(names, keys[row], strict=True))
        raise DisclosureInputError(
            f"{file.name}: row {row + 2}: the cell {told} stands twice; a cell has one row: name the column that "
            "tells them apart under dimensions"
        )
    return keys


def _refuse_repeated_columns(file: Path) -> None:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        header = next(csv.reader(lines), [])
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DisclosureInputError(
            f"{file.name}: column {', '.join(twice)} stands twice in the header; give each its own name"
        )


def _numbers(file: Path, column: pd.Series, name: str, marks: Sequence[str]) -> np.ndarray:
    text = column.str.strip()
    blank = text.isin(list(marks))
    values = pd.to_numeric(text.where(~blank), errors="coerce").to_numpy(dtype=float)
    wrong = (np.isnan(values) & ~blank.to_numpy()) | (values < 0) | np.isinf(values)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DisclosureInputError(
            f"{file.name}: row {row + 2}: column {name}: not a count of zero or more; write a number, or one of the "
            f"marks of a withheld value ({', '.join(repr(m) for m in marks)})"
        )
    return values


def write_table(table: Table, withheld: dict[str, np.ndarray], folder: Path, mark: str = "") -> Path:
    """Write a table with counts withheld, and every rate and column that follows them.

    Args:
        table: as read.
        withheld: count column -> one truth value a row.
        folder: where to write; made when absent.
        mark: what to write instead; the same for every reason.
    """
    frame = table.frame.copy()
    anything = np.zeros(len(frame), dtype=bool)
    for name in table.about.counts:
        hidden = withheld[name]
        anything |= hidden
        frame.loc[hidden, name] = mark
        for contributor in table.about.largest.get(name, []):
            frame.loc[hidden, contributor] = mark
    for name, rate in table.about.rates.items():
        frame.loc[withheld[rate.numerator] | withheld[rate.denominator], name] = mark
    for name in table.about.follows:
        frame.loc[anything, name] = mark
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / table.name
    frame.to_csv(target, index=False, encoding="utf-8")
    return target
