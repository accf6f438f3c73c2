"""Wide tables on a phone: each cell carries its column's heading, so that a row can be shown as a small card.

What belongs here: marking the cells of a table that a template wrote. What does not: which tables, and their style.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_HEAD = re.compile(r"<thead>(.*?)</thead>", re.DOTALL)
_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_BODY_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd]\b([^>]*)>")
_SPAN = re.compile(r'colspan="(\d+)"')
_TAG = re.compile(r"<[^>]+>")
_PARTS = ("thead", "tbody")


def labelled(html: str) -> Markup:
    """Give a table of class `wide` the names of its columns on every cell, and its roles in words.

    A table whose display a style sheet changes is no table to screen readers any more, unless its roles are written out.
    Other tables come back as they are.
    """
    if '<table class="wide' not in html:
        return Markup(html)  # noqa: S704 - a template's output, escaped there
    html = str(html)  # Markup would escape what is put into it
    head = _HEAD.search(html)
    names = [_TAG.sub("", heading).strip() for heading in _HEADING.findall(head[1])] if head else []
    start = head.end() if head else 0
    body = _BODY_ROW.sub(lambda row: f'<tr role="row">{_row(row[1], names)}</tr>', html[start:])
    told = html[:start].replace("<table ", '<table role="table" ').replace("<tr>", '<tr role="row">')
    told = told.replace("<th ", '<th role="columnheader" ')
    for part in _PARTS:
        told, body = (half.replace(f"<{part}>", f'<{part} role="rowgroup">') for half in (told, body))
    return Markup(told + body)  # noqa: S704 - as above


def _row(cells: str, names: list[str]) -> str:
    place = 0

    def label(cell: re.Match[str]) -> str:
        nonlocal place
        name = names[place] if place < len(names) else ""
        span = _SPAN.search(cell[1])
        place += int(span[1]) if span else 1
        if cell[0].startswith("<th"):
            return f'<th role="rowheader"{cell[1]}>'
        return f'<td role="cell" data-label="{escape(Markup(name).unescape())}"{cell[1]}>'  # noqa: S704

    return _CELL.sub(label, cells)
