"""Every shared sample file, cut, flipped, doubled and re-encoded: read with its records accounted for, or refused by name."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path
from zlib import crc32

import duckdb
import pytest

from ingestion import readers
from ingestion.readers import ReadHints, UnreadableFileError
from warehouse import duck

SAMPLES = Path(__file__).parents[4] / "shared" / "samples"
# Larger ones would cost the suite minutes and hold no other layout.
_LARGEST = {".csv": 60_000, ".xml": 300_000, ".zip": 300_000}
_WAYS = ("cut", "flip", "double", "recode", "garble")
FILES = sorted(
    file
    for file in SAMPLES.rglob("*")
    if file.is_file() and file.stat().st_size <= _LARGEST.get(file.suffix.lower(), 0)
)
pytestmark = pytest.mark.skipif(not FILES, reason="the shared samples are not beside this clone")


def mutated(data: bytes, way: str, rng: random.Random) -> bytes:
    """The content after one mishap of transport, disk, editor or encoding."""
    at = rng.randrange(1, len(data))
    if way == "cut":
        return data[:at]
    if way == "flip":
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if way == "double":
        return data[:at] + data[max(0, at - rng.randrange(1, 4000)) :]
    if way == "recode":
        encoding = rng.choice(["utf-16", "utf-16-be", "cp1252", "utf-8-sig"])
        return data.decode("utf-8", "replace").encode(encoding, "replace")
    return data[:at] + rng.randbytes(rng.randrange(1, 40)) + data[at:]


def _parts(file: Path, data: bytes) -> list[tuple[str, ReadHints]]:
    """What is read of a file: itself, or of an archive each member by name (as its whole original says)."""
    if file.suffix.lower() != ".zip":
        return [(file.name, ReadHints())]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith((".csv", ".xml"))]
    return [(name, ReadHints(member=name)) for name in names[:4]]


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return duck.connect(threads=1)


def _accounts_for(con: duckdb.DuckDBPyConnection, file: Path, hints: ReadHints) -> int | None:
    """Records read, each of them in the table or refused; None for a file refused as a whole with why and fix."""
    try:
        result = readers.read(file, con, "t", hints)
    except UnreadableFileError as error:
        assert error.code
        assert error.why
        assert error.fix
        return None
    kept, numbers = con.execute("select count(*), count(distinct _record) from t").fetchall()[0]
    assert kept == numbers
    assert result.records_read == kept + result.refused_count
    assert result.physical.get("data", result.records_read) == result.records_read
    if "lines" in result.physical:
        # Records may go over several lines; no line is in none, but blank ones.
        counted = sum(count for kind, count in result.physical.items() if kind != "lines")
        assert counted <= result.physical["lines"]
    return result.records_read


@pytest.mark.parametrize("file", FILES, ids=lambda file: "-".join(file.relative_to(SAMPLES).parts))
def test_a_mutated_sample_is_accounted_for_or_refused_by_name(
    file: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """If not, one damaged byte stops a night or loses rows in silence."""
    data = file.read_bytes()
    rng = random.Random(crc32(file.name.encode()))
    for _, hints in _parts(file, data):
        whole = _accounts_for(con, file, hints)
        assert whole
        for way in _WAYS:
            target = tmp_path / f"{way}{file.suffix}"
            target.write_bytes(mutated(data, way, rng))
            found = _accounts_for(con, target, hints)
            if way == "flip" and found is not None and file.suffix.lower() != ".csv":
                # A checksum or a parser stands between: such a file is whole or refused, never half.
                assert found == whole
