"""A fault put into what a delivery brought, as a mistake in a mapping or in acceptance would.

What belongs here: writing it so that ledger and lake agree. What does not: what comes of it (`test_holding.py`).
"""

from __future__ import annotations

import hashlib

import duckdb

from expectations.model import Rule
from warehouse.ledger import Ledger
from warehouse.settings import CommunityPaths


def break_rules(paths: CommunityPaths, ledger: Ledger, delivery_id: str, rules: list[Rule]) -> None:
    """Put the rows that rules reject in the place of a delivery's first rows, and note the file as it is now."""
    file = next(file for file in ledger.current_files() if file.delivery_id == delivery_id)
    path = paths.data / file.path
    with duckdb.connect() as con:
        con.execute("create table rows as from read_parquet($path)", {"path": str(path)})
        for number, row in enumerate(row for rule in rules for row in rule.rejects):
            for column, value in row.items():
                con.execute(f'update rows set "{column}" = $value where rowid = {number}', {"value": value})
        con.execute(f"copy rows to '{path}' (format parquet)")
    ledger.rewrite_file(file.path, rows=file.rows, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
