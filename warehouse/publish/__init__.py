"""Publishing targets: where a finished release goes besides the community's own folder.

What belongs here: one module a target, behind `base.PublishTarget`. What does not: making a release or deciding what
may be in it (`warehouse.release`).
"""

from warehouse.publish.base import Outcome, PublishError, PublishTarget
from warehouse.publish.run import configured_targets, known_targets, publish_release

__all__ = [
    "Outcome",
    "PublishError",
    "PublishTarget",
    "configured_targets",
    "known_targets",
    "publish_release",
]
