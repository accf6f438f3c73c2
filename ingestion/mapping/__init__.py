"""A partner's mapping: how its own columns and codes become a feed's canonical ones.

What belongs here: the model of `partners/<partner>/feeds/*.yml` and its loading. What does not: applying it
(`acceptance`).
"""

from ingestion.mapping.load import (
    MappingError,
    load_mappings,
    load_partner_mappings,
    load_standard,
    read_mapping,
    standard_title,
    standards,
)
from ingestion.mapping.model import (
    Checks,
    FeedMapping,
    FileCheck,
    How,
    Layout,
    Severity,
    Unpivot,
    as_how,
    expected_columns,
    fold,
    sources_of,
    told_by_name,
)

__all__ = [
    "Checks",
    "FeedMapping",
    "FileCheck",
    "How",
    "Layout",
    "MappingError",
    "Severity",
    "Unpivot",
    "as_how",
    "expected_columns",
    "fold",
    "load_mappings",
    "load_partner_mappings",
    "load_standard",
    "read_mapping",
    "sources_of",
    "standard_title",
    "standards",
    "told_by_name",
]
