"""The report card of a release in a folder of its own, for a web server.

What belongs here: putting copy and pages together. What does not: either of them (`around`, `pages`).
"""

from __future__ import annotations

import json
from pathlib import Path

from warehouse.community import Community
from warehouse.report_card.around import copy_public
from warehouse.report_card.pages import write_report_card


def export_report_card(release: Path, community: Community, target: Path) -> Path:
    """Write a release's public files into a new folder, with pages made anew in today's words and languages.

    The release itself stays as it was published. The figures are its own; only words and layout can differ.

    Args:
        release: folder of a release.
        community: whose release it is.
        target: folder that does not exist yet.

    Returns:
        The first page.

    Raises:
        FileExistsError: the folder is there already.
        ConfigurationError: a language or the shapes are configured wrongly; the folder then holds no pages.
    """
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    return write_report_card(copy_public(release, target), community, manifest, with_earlier=False)
