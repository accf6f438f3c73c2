"""Numbers of people that everybody can look up elsewhere, such as enrollment by school, grade and group.

What belongs here: reading the community's file of them. What does not: what follows from them (`joint`, `doubts`).
"""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pandas as pd

from warehouse.release.spec import CELL_KEYS

PEOPLE = "people"


class PublicCountsError(ValueError):
    """The file of public counts cannot be read; the message says where and what to do."""


_NEEDED = ("indicator_id", "cohort_year", PEOPLE)


def read_public_counts(file: Path, geography_id: str) -> list[tuple[str, ...]]:
    """Rows of the file, as the keys of the rate table and a number of people.

    Columns are those of the rate table's key and `people`: the population of the indicator in that place and group. A
    key that the file lacks is at its total.

    Args:
        file: CSV with a header.
        geography_id: the community's own geography, where the file names none.

    Raises:
        PublicCountsError: the file, a column or a value is not as it must be.
    """
    if not file.is_file():
        raise PublicCountsError(
            f"privacy.public_counts: there is no {file}; put the file there, or take the line out"
        )
    total = dict.fromkeys(CELL_KEYS, "all") | {"geography_id": geography_id, "race_scheme": "federal7"}
    found = []
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        named = set(reader.fieldnames or ())
        wrong = sorted((named - {*CELL_KEYS, PEOPLE}) | (set(_NEEDED) - named))
        if wrong:
            raise PublicCountsError(
                f"{file.name}: the columns {', '.join(wrong)} are missing or unknown; it needs {', '.join(_NEEDED)}, and "
                f"may have {', '.join(CELL_KEYS[2:])}"
            )
        for row in reader:
            for name in ("cohort_year", PEOPLE):
                if not (row[name] or "").strip().isdigit():
                    raise PublicCountsError(
                        f"{file.name}, line {reader.line_num}, column {name}: '{row[name]}' is no whole number; correct it or "
                        "leave the line out"
                    )
            found.append(
                (*((row.get(name) or total[name]).strip() for name in CELL_KEYS), row[PEOPLE].strip())
            )
    return found


def make_table(con: duckdb.DuckDBPyConnection, rows: list[tuple[str, ...]]) -> None:
    """Make table `public_count`: keys of the rate table and `people`."""
    given = pd.DataFrame(rows, columns=[*CELL_KEYS, PEOPLE], dtype=str)
    con.register("given_counts", given)
    columns = ", ".join(
        f"{name}::{'bigint' if name == 'cohort_year' else 'varchar'} as {name}" for name in CELL_KEYS
    )
    con.execute(
        f"create or replace temp table public_count as select {columns}, any_value({PEOPLE}::bigint) as {PEOPLE} "
        "from given_counts group by all"
    )
    con.unregister("given_counts")
