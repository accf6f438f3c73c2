"""Receipts: what came of a partner's file, for a person to read and for a spreadsheet.

What belongs here: the words and the files. What does not: judging.
"""

from ingestion.receipts.model import Receipt
from ingestion.receipts.write import write_index, write_receipt

__all__ = ["Receipt", "write_index", "write_receipt"]
