"""Certificates of destruction: what was removed from where, how it was proved, by whom and when.

What belongs here: writing and reading them. What does not: removing (`stores`) and proving (`search`).
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from warehouse.settings import CommunityPaths


class Certificate(BaseModel):
    """The record of one destruction; holds counts and names of places, nothing of a person."""

    model_config = ConfigDict(frozen=True)

    partner_id: str = Field(description="Whose data was destroyed.")
    agreement_id: str = Field(description="Agreement under which it was held.")
    scope: str = Field(description="'partner' for everything, 'overdue' for deliveries held too long.")
    deliveries: list[str] = Field(description="Ids of the deliveries destroyed, as the ledger names them.")
    removed: dict[str, int] = Field(description="What was removed, by place.")
    searched: dict[str, int] = Field(description="What was searched for remains, by place; none were found.")
    keys_searched: int = Field(description="Source persons whose keys were searched for.")
    kept: list[str] = Field(description="What stays, and why.")
    elsewhere: list[str] = Field(description="Copies that this machine cannot reach.")
    signer: str = Field(description="Role or name of who asked for it.")
    destroyed_at: str = Field(description="Moment in UTC.")
    access_log_head: str = Field(description="Chain value of the vault's access log after the destruction.")


def folder(paths: CommunityPaths) -> Path:
    """Where certificates and the journals of unfinished destructions lie."""
    return paths.data / "agreements"


def write_certificate(paths: CommunityPaths, certificate: Certificate) -> Path:
    """Write a certificate beside and rename it; it is never written over."""
    stamp = certificate.destroyed_at[:19].replace(":", "").replace("-", "")
    target = folder(paths) / f"{certificate.partner_id}-{stamp}-{certificate.scope}.json"
    beside = target.with_suffix(".part")
    beside.write_text(certificate.model_dump_json(indent=1) + "\n", encoding="utf-8")
    beside.replace(target)
    return target


def read_certificates(paths: CommunityPaths) -> list[Certificate]:
    """All certificates, oldest first."""
    found = [
        Certificate.model_validate(json.loads(file.read_text(encoding="utf-8")))
        for file in folder(paths).glob("*.json")
    ]
    return sorted(found, key=lambda certificate: certificate.destroyed_at)


def destroyed_under(paths: CommunityPaths, partner_id: str, agreement_id: str) -> Certificate | None:
    """The certificate by which everything held under a partner's agreement was destroyed, if it was."""
    if not folder(paths).is_dir():
        return None
    matching = (
        c
        for c in read_certificates(paths)
        if (c.partner_id, c.agreement_id, c.scope) == (partner_id, agreement_id, "partner")
    )
    return next(matching, None)
