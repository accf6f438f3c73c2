"""The public report card, made from a release's published tables alone.

What belongs here: pages for residents. What does not: any figure's computation, or anything unpublished.
"""

from __future__ import annotations

from warehouse.report_card.pages import write_report_card

__all__ = ["write_report_card"]
