"""Releases: immutable, numbered, verifiable, switched to in one step.

What belongs here: making, listing, verifying, comparing and rolling back releases, and explaining a figure. What does
not: where else they are published (`warehouse.publish`) and the report card's pages (`warehouse.report_card`).
"""

from warehouse.release.build import ReleaseReport, build_release, release_policy
from warehouse.release.diff import ReleaseDiff, diff_releases
from warehouse.release.shelf import (
    ReleaseError,
    ReleaseInfo,
    find_release,
    list_releases,
    prune,
    read_manifest,
    rollback,
    verify_release,
)
from warehouse.release.spec import PublishedTable, published_tables

__all__ = [
    "PublishedTable",
    "ReleaseDiff",
    "ReleaseError",
    "ReleaseInfo",
    "ReleaseReport",
    "build_release",
    "diff_releases",
    "find_release",
    "list_releases",
    "prune",
    "published_tables",
    "read_manifest",
    "release_policy",
    "rollback",
    "verify_release",
]
