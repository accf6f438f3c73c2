"""Linkage: which source persons are one person, and the person keys that stay.

What belongs here: comparing identifiers inside the vault and publishing the crosswalk. What does not: keeping
identifiers (`warehouse.vault`).
"""

from warehouse.linkage.config import LinkageConfig, LinkageReport
from warehouse.linkage.run import run_linkage

__all__ = ["LinkageConfig", "LinkageReport", "run_linkage"]
