"""What every publishing target is, and what it is given.

What belongs here: the interface and its errors. What does not: any target.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from warehouse.publish.package import ReleaseFiles
from warehouse.settings import CommunityPaths, Settings


class PublishError(RuntimeError):
    """A release did not reach a target; the message says what readers have now and what to do. No secret is in it."""


@dataclass(frozen=True)
class Outcome:
    """What came of one target: its name, whether readers now have the release, and a sentence."""

    target: str
    published: bool
    message: str


class PublishTarget(BaseModel, ABC):
    """A target; its fields are the options that `community.yml` gives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @abstractmethod
    def publish(self, release: ReleaseFiles, paths: CommunityPaths, settings: Settings) -> str:
        """Give readers this release in one step, or leave them what they have; publishing it again changes nothing.

        Returns:
            What was done, in a sentence.

        Raises:
            PublishError: readers keep what they had.
        """
