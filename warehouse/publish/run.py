"""Publishing a release to every configured target, each for itself.

What belongs here: finding targets and calling them. What does not: any target's work.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from pydantic import ValidationError

from warehouse.community import Community, ConfigurationError
from warehouse.publish.base import Outcome, PublishError, PublishTarget
from warehouse.publish.package import read_release
from warehouse.settings import Settings

_NO_TARGETS = {"base", "package", "run"}


def known_targets() -> list[str]:
    """Names of the targets that this installation has."""
    names = (module.name for module in iter_modules([str(Path(__file__).parent)]))
    return sorted(set(names) - _NO_TARGETS)


def configured_targets(community: Community, settings: Settings) -> dict[str, PublishTarget]:
    """The targets of `community.yml`; PostgreSQL with its defaults where only its URL is set.

    Raises:
        ConfigurationError: an unknown target, one named twice, or a wrong option.
    """
    chosen: dict[str, PublishTarget] = {}
    for entry in community.config.publish:
        options = dict(entry)
        name = str(options.pop("target", ""))
        if name not in known_targets():
            raise ConfigurationError(
                f"{community.paths.config}: publish: no target '{name}'; there are: {', '.join(known_targets())}"
            )
        if name in chosen:
            raise ConfigurationError(f"{community.paths.config}: publish: target '{name}' is named twice")
        try:
            chosen[name] = _kind(name).model_validate(options)
        except ValidationError as error:
            told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigurationError(f"{community.paths.config}: publish: {name}: {told}") from None
    if settings.postgres_url is not None and "postgresql" not in chosen:
        chosen["postgresql"] = _kind("postgresql")()
    return chosen


def publish_release(
    community: Community, settings: Settings, folder: Path, only: Iterable[str] = ()
) -> list[Outcome]:
    """Publish the release in a folder to the configured targets, or to those named; a failing one stops no other.

    Raises:
        ConfigurationError: see `configured_targets`; also when a target is named that is not configured.
    """
    targets = configured_targets(community, settings)
    wanted = list(only) or list(targets)
    absent = [name for name in wanted if name not in targets]
    if absent:
        raise ConfigurationError(
            f"{community.paths.config}: publish: '{absent[0]}' is not configured; "
            f"configured: {', '.join(targets) or 'none'}"
        )
    release = read_release(folder)
    outcomes = []
    for name in wanted:
        try:
            outcomes.append(Outcome(name, True, targets[name].publish(release, community.paths, settings)))
        except PublishError as error:
            outcomes.append(Outcome(name, False, str(error)))
    return outcomes


def _kind(name: str) -> type[PublishTarget]:
    kind: type[PublishTarget] = import_module(f"warehouse.publish.{name}").Target
    return kind
