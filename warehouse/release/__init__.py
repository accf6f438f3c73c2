"""Releases: immutable, numbered, verifiable, switched to in one step.

What belongs here: making, listing, verifying and rolling back releases. What does not: where else they are
published (`warehouse.publish`) and the report card's pages (`warehouse.report_card`).
"""

from warehouse.release.build import ReleaseReport, build_release
from warehouse.release.shelf import (
    ReleaseError,
    ReleaseInfo,
    diff_releases,
    list_releases,
    prune,
    rollback,
    verify_release,
)

__all__ = [
    "ReleaseError",
    "ReleaseInfo",
    "ReleaseReport",
    "build_release",
    "diff_releases",
    "list_releases",
    "prune",
    "rollback",
    "verify_release",
]
