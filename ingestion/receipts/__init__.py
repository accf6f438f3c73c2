"""Receipts: what came of a partner's file, for a person to read and for a spreadsheet.

What belongs here: the words and the two files. What does not: judging.
"""

from ingestion.receipts.write import write_receipt

__all__ = ["write_receipt"]
