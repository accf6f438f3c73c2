"""The public report card, made from a release's published tables alone, and the partners' data room beside it.

What belongs here: pages for residents and for partners. What does not: any figure's computation.
"""

from __future__ import annotations

from warehouse.report_card.data_room import build_data_room
from warehouse.report_card.export import export_report_card
from warehouse.report_card.pages import write_report_card

__all__ = ["build_data_room", "export_report_card", "write_report_card"]
