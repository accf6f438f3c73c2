"""When a partner's next file is due.

What belongs here: dates from cadence and agreed day. What does not: telling anybody.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "termly": 183, "yearly": 366}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def next_due(cadence: str, due: str | None, last: date) -> date:
    """The day on which the delivery after one of `last` is due.

    Args:
        cadence: of the feed.
        due: 'MM-DD' or a weekday where one was agreed; else a period after the last delivery.
        last: day of the last delivery.
    """
    if due and (match := re.fullmatch(r"(\d{2})-(\d{2})", due)):
        month, day = int(match[1]), int(match[2])
        for year in (last.year, last.year + 1):
            wanted = _day_of_month(year, month, day)
            if wanted > last:
                return wanted
    if due and due.lower() in _WEEKDAYS:
        return last + timedelta(days=(_WEEKDAYS.index(due.lower()) - last.weekday() - 1) % 7 + 1)
    return last + timedelta(days=_DAYS.get(cadence, 366))


def _day_of_month(year: int, month: int, day: int) -> date:
    for candidate in (day, 30, 29, 28):
        try:
            return date(year, month, min(day, candidate))
        except ValueError:
            continue
    return date(year, 12, 31)
