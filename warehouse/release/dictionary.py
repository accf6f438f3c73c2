"""The data dictionary of a release, as CSV for machines and as one page for people.

What belongs here: telling what is published. What does not: deciding it (`published.yml`).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from warehouse.release.spec import PublishedTable


def write_dictionary(
    folder: Path, tables: Sequence[PublishedTable], *, community: str, release_id: str
) -> None:
    """Write `dictionary.csv` and `dictionary.html` into a release folder."""
    with (folder / "dictionary.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["table", "column", "type", "is_key", "may_be_withheld", "about"])
        for table in tables:
            withheld = set(table.withheld_columns)
            writer.writerows(
                [table.name, name, column.type, name in table.keys, name in withheld, column.about]
                for name, column in table.all_columns.items()
            )
    environment = Environment(
        loader=PackageLoader("warehouse.release"),
        autoescape=select_autoescape(["html", "j2"]),
        trim_blocks=True,
    )
    page = environment.get_template("dictionary.html.j2").render(
        tables=tables, community=community, release_id=release_id
    )
    (folder / "dictionary.html").write_text(page, encoding="utf-8")
