"""Writing a proposed `partner.yml` for a partner that nobody described yet.

What belongs here: its text, and which ids are allowed. What does not: the partner's mappings (`write`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from ingestion.onboarding.write import scalar
from warehouse.community.config import PartnerConfig

_SECTORS: tuple[str, ...] = get_args(PartnerConfig.model_fields["sector"].annotation)
# A name without small words would be wrong as often as one in capitals; both are for a person to settle.
_INITIALS = {"isd", "usd", "ymca", "ywca", "hmis", "nsc", "cbo"}


def is_partner_id(text: str) -> bool:
    """Whether a text can be a partner's id: lower_snake, beginning with a letter."""
    return re.fullmatch(r"[a-z][a-z0-9_]*", text) is not None


def near_partner_id(text: str) -> str:
    """The allowed id that comes nearest to what somebody typed."""
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return plain if is_partner_id(plain) else f"partner_{plain}".rstrip("_")


def sector_of(feeds: Sequence[str]) -> str:
    """The sector that a partner's feeds speak for; those on people come before measures of a community."""
    found = [s for feed in feeds for s in _SECTORS if feed.startswith(f"{s}_")]
    return next((sector for sector in found if sector != "community"), "community")


def partner_text(partner_id: str, feeds: Sequence[str]) -> str:
    """The YAML of `partner.yml`: all that the model demands, and what should be decided, marked `# check:`."""
    name = " ".join(w.upper() if w in _INITIALS else w.capitalize() for w in partner_id.split("_") if w)
    named = ", ".join(feeds)
    lines = [
        ("partner_id", scalar(partner_id), ""),
        ("name", f'"{name}"', "made from the id; give the organization's full name"),
        ("sector", sector_of(feeds), f"read from {named}; one of {', '.join(_SECTORS)}"),
        (
            "contact_role",
            "data steward",
            "the role that answers questions on its files, never a person's name",
        ),
        ("duplicate_free", "false", "true if its system gives each person one id only"),
        ("agreement", "", ""),
        ("  agreement_id", "unsigned", "the reference of the signed agreement; see docs/privacy-officer.md"),
    ]
    written = [(f"{key}: {value}".rstrip(), note) for key, value, note in lines]
    width = max(len(text) for text, note in written if note) + 2
    return "\n".join(
        [
            "# Proposed by `throughline onboard`. Lines marked '# check:' wait for a person: settle them, then take",
            "# the mark away. Files are taken as it stands.",
            *(f"{text:<{width}}# check: {note}" if note else text for text, note in written),
            "",
        ]
    )
