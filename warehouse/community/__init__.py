"""A community's own configuration: what it decides about its partners, numbers and privacy.

What belongs here: the models of `community.yml` and `partner.yml` and their loading. What does not: layouts
of files (`ingestion.mapping`) and the machine's settings (`warehouse.settings`).
"""

from warehouse.community.config import (
    Agreement,
    CommunityConfig,
    GatewayReadings,
    IndicatorChoice,
    PartnerConfig,
    PrivacyConfig,
    SchoolCalendar,
)
from warehouse.community.load import (
    Community,
    ConfigurationError,
    load_community,
    parse_yaml,
    plain,
    read_yaml,
)

__all__ = [
    "Agreement",
    "Community",
    "CommunityConfig",
    "ConfigurationError",
    "GatewayReadings",
    "IndicatorChoice",
    "PartnerConfig",
    "PrivacyConfig",
    "SchoolCalendar",
    "load_community",
    "parse_yaml",
    "plain",
    "read_yaml",
]
