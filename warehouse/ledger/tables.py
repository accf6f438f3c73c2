"""The ledger's tables.

What belongs here: their definition. What does not: questions to them (`store`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm


class Base(orm.DeclarativeBase):
    """Base of the ledger's tables."""


class Delivery(Base):
    """One file of a partner as taken by one mapping; its id comes from partner, mapping and content.

    For an accepted delivery rows_in = rows_accepted + rows_quarantined + rows_not_applicable; rows_refused counts
    physical records that could not be read. For a refused one rows_in = rows_refused.
    """

    __tablename__ = "delivery"
    __table_args__ = (sa.Index("ix_delivery_partner_mapping", "partner_id", "mapping", "delivery_seq"),)

    delivery_id: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    delivery_seq: orm.Mapped[int] = orm.mapped_column(unique=True)
    partner_id: orm.Mapped[str] = orm.mapped_column(index=True)
    feed_id: orm.Mapped[str] = orm.mapped_column(index=True)
    mapping: orm.Mapped[str]
    mode: orm.Mapped[str]
    file_name: orm.Mapped[str]
    sha256: orm.Mapped[str] = orm.mapped_column(index=True)
    size_bytes: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    received_at: orm.Mapped[datetime]
    status: orm.Mapped[str]
    records_read: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_in: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_accepted: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_quarantined: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_refused: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_not_applicable: orm.Mapped[int] = orm.mapped_column(default=0)
    findings: orm.Mapped[list[Any]] = orm.mapped_column(sa.JSON, default=list)
    periods: orm.Mapped[dict[str, int]] = orm.mapped_column(sa.JSON, default=dict)
    fingerprint: orm.Mapped[str] = orm.mapped_column(default="")  # of contract and mapping at that time
    receipt: orm.Mapped[str | None]  # path relative to data/
    is_finished: orm.Mapped[bool] = orm.mapped_column(
        default=False
    )  # receipt written, file out of the folder
    withdrawn_at: orm.Mapped[datetime | None]  # as of now; the history stands in delivery_event


class DeliveryEvent(Base):
    """A delivery was withdrawn, held by the quality gate or reinstated, or what it brought was destroyed."""

    __tablename__ = "delivery_event"

    event_n: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=True)
    delivery_id: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("delivery.delivery_id"), index=True)
    at: orm.Mapped[datetime]
    kind: orm.Mapped[str]  # withdrawn, held, reinstated, destroyed or damaged
    rules: orm.Mapped[list[Any] | None] = orm.mapped_column(sa.JSON(none_as_null=True))  # of a hold: HeldRule


class FileRow(Base):
    """One lake file of a delivery."""

    __tablename__ = "lake_file"

    path: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    delivery_id: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("delivery.delivery_id"), index=True)
    period: orm.Mapped[str]
    rows: orm.Mapped[int]
    sha256: orm.Mapped[str]


@dataclass(frozen=True)
class HeldRule:
    """A rule that a delivery breaks; `print` changes when the rule does, `why` and `fix` are the rule's words."""

    rule_id: str
    print: str
    why: str
    fix: str
    owner: str


@dataclass(frozen=True)
class Hold:
    """A delivery that the quality gate took out of force, since when (naive UTC), and for what rules.

    `is_released` says that the operator put it back since: those rules do not hold it again.
    """

    delivery_id: str
    partner_id: str
    feed_id: str
    at: datetime
    rules: tuple[HeldRule, ...]
    is_released: bool

    def __str__(self) -> str:
        why = "; ".join(f"{rule.rule_id}: {rule.why} Fix: {rule.fix}" for rule in self.rules)
        return f"{self.partner_id}/{self.feed_id}, delivery {self.delivery_id}, held since {self.at:%Y-%m-%d}: {why}"


@dataclass(frozen=True)
class LakeFile:
    """One Parquet file of the lake; `path` is relative to the community's data folder."""

    feed_id: str
    partner_id: str
    delivery_id: str
    delivery_seq: int
    period: str
    path: str
    rows: int
    sha256: str
    is_upsert: bool = False
