"""The community that a run works on, as a Dagster resource.

What belongs here: finding and opening community, settings and ledger for a step. What does not: any step.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import dagster as dg

from orchestration.configuration import load_configured
from warehouse.community import Community, load_community
from warehouse.ledger import Ledger
from warehouse.run_lock import run_lock_unless_held
from warehouse.settings import Settings


class CommunityResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the community named by its folder, or by `THROUGHLINE_COMMUNITY`."""

    folder: str = ""

    def settings(self) -> Settings:
        """Settings of this process."""
        return Settings()

    def load(self) -> Community:
        """Load the community and make its data folders.

        Raises:
            dagster.Failure: no community is named, or its configuration is wrong; says how to mend it.
        """
        folder = self.folder or os.environ.get("THROUGHLINE_COMMUNITY", "")
        if not folder:
            raise dg.Failure(
                "No community is chosen. Set THROUGHLINE_COMMUNITY to the community's folder, "
                "or start with `throughline serve --dir FOLDER`.",
                allow_retries=False,
            )
        community = load_configured(Path(folder))
        community.paths.ensure()
        return community

    def ledger(self, community: Community) -> Ledger:
        """Open the community's ledger."""
        return Ledger.open(community.paths, self.settings())


class NightLock(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Holds the community's lock from the first step of a run to its last, also for runs that the daemon started."""

    community: CommunityResource
    wait_seconds: float = 3600.0  # a backup at half past two must not cost a night

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Self]:
        """Take the lock, wait for whoever has it.

        Raises:
            RunLockedError: another run is still at work after the time to wait.
        """
        with run_lock_unless_held(self.community.load().paths, self.wait_seconds):
            yield self


def configured_community() -> Community | None:
    """The community named in the environment, for definitions that depend on it; None without one.

    A configuration error must not keep the code location from loading: the run itself reports it.
    """
    folder = os.environ.get("THROUGHLINE_COMMUNITY", "")
    if not folder or not (Path(folder) / "community.yml").is_file():
        return None
    try:
        return load_community(Path(folder))
    except Exception:
        return None
