"""What a night would be built from, and what the last release was built from.

What belongs here: comparing the two. What does not: computing hashes (`warehouse.fingerprint`).
"""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.community import Community
from warehouse.fingerprint import input_fingerprint
from warehouse.ledger import LakeFile, Ledger
from warehouse.release import list_releases


def current_fingerprint(community: Community, files: Sequence[LakeFile]) -> str:
    """Fingerprint of files in force, configuration and code."""
    return input_fingerprint(
        community.paths.root, [(f.feed_id, f.partner_id, f.period, f.sha256) for f in files]
    )


def feed_fingerprint(files: Sequence[LakeFile]) -> str:
    """Fingerprint of the files of one feed, as Dagster's data version."""
    return "-".join(sorted({file.delivery_id for file in files})) or "empty"


def last_release_fingerprint(community: Community, ledger: Ledger) -> str | None:
    """Fingerprint of the inputs of the present release; None where there is none."""
    del ledger
    releases = [release for release in list_releases(community.paths) if release.is_current]
    return releases[-1].input_fingerprint if releases else None
