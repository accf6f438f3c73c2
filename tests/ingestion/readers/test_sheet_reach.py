"""How far a sheet's cells claim to reach, however they are written: what reads the sheet allots all of it."""

from __future__ import annotations

import pytest

from ingestion.readers.sheet_reach import Reach

_USUAL = '<row r="7" spans="1:2"><c r="A7" s="1"><v>1</v></c><c r="B7" t="inlineStr"><is><t>it: so</t></is></c></row>'


@pytest.mark.parametrize(
    ("xml", "rows", "columns"),
    [
        (_USUAL, 7, 26),
        (_USUAL + '<row r="999999"><c r="A999999"/></row>', 999_999, 26),
        ('<row r="1048576"><c r="A1048576"><v>1</v></c></row>', 1_048_576, 26),
        ('<row r="1"><c r="A1048576" s="1"/></row>', 1_048_576, 26),
        ('<row r="1"><c r="XFD1" s="1"/></row>', 1, 16_384),
        ('<row r="1"><c r="aa1"/></row>', 1, 27),
        ('<row r="1"><c s="1" r="XFD9"/></row>', 9, 16_384),
        ("<row r='4'><c r='AB4'/></row>", 4, 28),
        ('<row r = "4"><c r = "AB4"/></row>', 4, 28),
        ('<x:row r="4"><x:c r="AB4"/></x:row>', 4, 28),
        ('<row s="1" r="1048576"/>', 1_048_576, 0),
        ("<row>" + "<c/>" * 40 + "</row><row/>", 2, 40),
        ("<row>" + "<c><v>1</v></c>" * 40 + "</row>", 1, 40),
        ('<row r="1">' + '<c t="str"><v> r="A1" </v></c>' * 40 + "</row>", 1, 40),
        ("<row\tr='5'><c\nr='AC5'/></row>", 5, 29),
    ],
)
def test_a_claim_is_seen_however_it_is_written(xml: str, rows: int, columns: int) -> None:
    """Consequence of failing: a small file makes the reader allot all of a machine's memory."""
    reach = Reach()
    reach.add(f"<sheetData>{xml}</sheetData>".encode())
    assert (reach.rows, reach.columns) == (rows, columns)


def test_cells_without_a_place_are_counted_across_blocks() -> None:
    """Consequence of failing: a row written in several blocks seems as narrow as the widest of them."""
    reach = Reach()
    for block in (b"<row>" + b"<c/>" * 30, b"<c/>" * 30, b"<c/>" * 30 + b"</row>"):
        reach.add(block)
    assert (reach.rows, reach.columns) == (1, 90)
