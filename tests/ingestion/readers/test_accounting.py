"""Whatever the format, records in are records accepted, quarantined or refused: nothing appears, nothing vanishes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tempfile
from pathlib import Path
from types import ModuleType

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import readers
from ingestion.acceptance.judge_file import judge_file
from ingestion.contracts import load_contracts
from ingestion.mapping import FeedMapping
from ingestion.readers import Limits, ReadHints
from ingestion.readers.formats import MODULES
from tests.ingestion.conftest import START
from tests.ingestion.readers.made import MAKERS, Made, Maker
from warehouse import duck
from warehouse.settings import Settings

_WAYS = [(module, maker) for module, makers in MAKERS.items() for maker in makers]
_NASTY = st.sampled_from(
    ['"', ",", "'", "\n", '""', "=1+1", "<b>&amp;", "'; drop table judged; --", "Total", "\\", ";|\t", "é—中"]
)
_PLAIN = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=("Cc", "Zs")), max_size=6
)
_SCHOOL = st.lists(st.one_of(_NASTY, _PLAIN), max_size=3).map(lambda parts: f"s{''.join(parts)}x")
_DAYS = st.sampled_from(["1", "2.5", "0", "seven", "-3", "9999"])
_BAD_DAYS = ("seven", "-3", "9999")


def _reader_modules() -> set[str]:
    """Every module of the package that has a `read` of its own that takes a request."""
    found = set()
    for info in pkgutil.iter_modules(readers.__path__):
        module: ModuleType = importlib.import_module(f"ingestion.readers.{info.name}")
        read = getattr(module, "read", None)
        if read is not None and list(inspect.signature(read).parameters) == ["request"]:
            found.add(info.name)
    return found


def test_every_reader_has_the_property() -> None:
    """If not, a new format is added that nobody ever counted."""
    assert _reader_modules() == set(MAKERS)
    assert set(MODULES.values()) <= set(MAKERS)


@pytest.mark.parametrize(("module", "maker"), _WAYS, ids=[f"{m}-{way.__name__}" for m, way in _WAYS])
def test_property_records_in_are_accepted_quarantined_or_refused(module: str, maker: Maker) -> None:
    """If not, a partner's rows are lost, or counted twice, and the receipt does not say so."""
    con = duck.connect(threads=1)

    @settings(max_examples=3 if module == "pgp" else 15, deadline=None, derandomize=True)
    @given(cells=st.lists(st.tuples(_SCHOOL, _DAYS), min_size=1, max_size=20), broken=st.integers(0, 2))
    def holds(cells: list[tuple[str, str]], broken: int) -> None:
        rows = [(f"p{n}", school, days) for n, (school, days) in enumerate(cells)]
        with tempfile.TemporaryDirectory() as folder:
            _check(con, maker(Path(folder), rows, broken), rows)

    try:
        holds()
    finally:
        con.close()


def _check(con: duckdb.DuckDBPyConnection, made: Made, rows: list[tuple[str, str, str]]) -> None:
    _check_reader(con, made)
    mapping = FeedMapping.model_validate(
        {"feed": "k12_attendance", "partner_id": "district", "name": "m", "file_pattern": "att*", "read": made.hints,
         "layouts": [{"columns": {"person_id": "Id", "school_year": {"constant": 2024}, "school_id": "S",
                                  "days_enrolled": {"constant": 180}, "days_absent": "A"}}]}
    )  # fmt: skip
    found = Settings(now=START, pgp_home=made.keys.pgp_home, pgp_passphrase=made.keys.pgp_passphrase)
    judged = judge_file(con, made.path, mapping, load_contracts()["k12_attendance"], found)
    if judged.status == "refused":
        # Only where no row is fit: one such file is empty to the feed.
        assert judged.refused == judged.rows_in
        assert all(days in _BAD_DAYS for _, _, days in rows) or judged.findings[0].code == "broken_records"
        return
    put_aside = sum(days in _BAD_DAYS for _, _, days in rows)
    assert (judged.quarantined, judged.refused) == (put_aside, made.broken)
    assert judged.rows_in == judged.accepted + judged.quarantined + judged.not_applicable
    assert judged.rows_in + judged.refused == judged.records_read == made.records


def _check_reader(con: duckdb.DuckDBPyConnection, made: Made) -> None:
    result = readers.read(made.path, con, "t", ReadHints.model_validate(made.hints), Limits(), made.keys)
    kept, numbers = con.execute("select count(*), count(distinct _record) from t").fetchall()[0]
    assert kept == numbers
    assert (result.records_read, result.refused_count) == (made.records, made.broken)
    assert kept == made.records - made.broken
