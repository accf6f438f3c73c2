"""Limits beyond which a dropped file is refused: each bounds what a hostile or broken file may cost.

What belongs here: the limits and their defaults. What does not: holding files against them (`ingestion.readers`).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """Limits on one file; set each by `THROUGHLINE_LIMITS__<NAME>`, such as `THROUGHLINE_LIMITS__MAX_COLUMNS=500`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(8_000_000_000, gt=0, description="Bytes of a file, unpacked or not.")
    max_columns: int = Field(20_000, gt=0, description="Columns of a table.")
    max_field_bytes: int = Field(4_000_000, gt=0, description="Bytes of one cell.")
    max_record_bytes: int = Field(32_000_000, gt=0, description="Bytes of one line or record.")
    max_record_elements: int = Field(200_000, gt=0, description="XML elements within one record.")
    max_records: int = Field(200_000_000, gt=0, description="Records of a file.")
    max_document_bytes: int = Field(
        500_000_000, gt=0, description="Bytes of a document that can only be read as a whole (JSON)."
    )
    max_zip_ratio: float = Field(
        200.0, gt=1, description="Unpacked over packed bytes, of what unpacks to more than 16 MB."
    )
    max_zip_members: int = Field(10_000, gt=0, description="Members of a zip.")
    max_zip_total: int = Field(8_000_000_000, gt=0, description="Unpacked bytes of a zip in all.")
    max_workbook_bytes: int = Field(
        1_500_000_000, gt=0, description="Unpacked bytes of a workbook, which is held in memory."
    )
    max_cells: int = Field(
        60_000_000, gt=0, description="Cells of one sheet, blanks within its area included."
    )
    max_depth: int = Field(60, gt=0, description="Nesting of XML or JSON.")
