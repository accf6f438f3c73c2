"""A community's configuration with what only the layers above it can judge.

What belongs here: holding settings against rules that the community's own model does not know. What does not: the
settings themselves (`warehouse.community`).
"""

from __future__ import annotations

from pathlib import Path

from warehouse.community import Community, ConfigurationError, load_community


def load_configured(root: Path) -> Community:
    """Load a community whose quality limits are figures of rules that there are.

    Raises:
        ConfigurationError: the configuration is wrong, or sets a figure that no rule has.
    """
    community = load_community(root)
    if community.config.quality.limits:
        _check_limits(root, community)
    return community


def _check_limits(root: Path, community: Community) -> None:
    from expectations.drift import load_drift_rules
    from expectations.limits import LimitError, check_limits
    from expectations.model import load_suites

    rules = [*load_drift_rules(), *(rule for suite in load_suites() for rule in suite.rules)]
    try:
        check_limits(rules, community.config.quality.limits)
    except LimitError as error:
        raise ConfigurationError(f"{root}/{error}") from None
