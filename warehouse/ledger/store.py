"""The ledger's tables and questions, in SQLAlchemy, on SQLite unless configured otherwise.

What belongs here: one transaction a delivery. What does not: files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from warehouse.settings import CommunityPaths, Settings


class Base(orm.DeclarativeBase):
    """Base of the ledger's tables."""


class Delivery(Base):
    """One file of a partner as taken by one mapping; its id comes from partner, mapping and content."""

    __tablename__ = "delivery"

    delivery_id: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    delivery_seq: orm.Mapped[int] = orm.mapped_column(unique=True)
    partner_id: orm.Mapped[str] = orm.mapped_column(index=True)
    feed_id: orm.Mapped[str] = orm.mapped_column(index=True)
    mapping: orm.Mapped[str]
    mode: orm.Mapped[str]
    file_name: orm.Mapped[str]
    sha256: orm.Mapped[str] = orm.mapped_column(index=True)
    size_bytes: orm.Mapped[int]
    received_at: orm.Mapped[datetime]
    status: orm.Mapped[str]
    records_read: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_in: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_accepted: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_quarantined: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_refused: orm.Mapped[int] = orm.mapped_column(default=0)
    rows_not_applicable: orm.Mapped[int] = orm.mapped_column(default=0)
    findings: orm.Mapped[list[Any]] = orm.mapped_column(sa.JSON, default=list)
    withdrawn_at: orm.Mapped[datetime | None]


class _File(Base):
    __tablename__ = "lake_file"

    path: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    delivery_id: orm.Mapped[str] = orm.mapped_column(sa.ForeignKey("delivery.delivery_id"), index=True)
    period: orm.Mapped[str]
    rows: orm.Mapped[int]
    sha256: orm.Mapped[str]


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


class Ledger:
    """The ledger of one community."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        Base.metadata.create_all(engine)

    @classmethod
    def open(cls, paths: CommunityPaths, settings: Settings) -> Ledger:
        """Open the ledger, making its tables when they are absent."""
        paths.data.mkdir(parents=True, exist_ok=True)
        return cls(sa.create_engine(settings.ledger_url or f"sqlite:///{paths.ledger}"))

    def find(self, delivery_id: str) -> Delivery | None:
        """A delivery by id; None if it never came."""
        with self._session() as session:
            return session.get(Delivery, delivery_id)

    def record(self, delivery: Delivery, files: Sequence[LakeFile]) -> None:
        """Write a delivery and its lake files in one transaction; from then on it counts."""
        with self._session() as session, session.begin():
            session.add(delivery)
            session.flush()
            session.add_all(
                _File(path=f.path, delivery_id=f.delivery_id, period=f.period, rows=f.rows, sha256=f.sha256)
                for f in files
            )

    def next_sequence(self) -> int:
        """The number of the next delivery, counted from one."""
        with self._session() as session:
            return (session.scalar(sa.select(sa.func.max(Delivery.delivery_seq))) or 0) + 1

    def latest_deliveries(self, limit: int = 40) -> list[Delivery]:
        """The last deliveries, latest first."""
        with self._session() as session:
            return list(
                session.scalars(sa.select(Delivery).order_by(Delivery.delivery_seq.desc()).limit(limit))
            )

    def previous(self, partner_id: str, mapping: str) -> Delivery | None:
        """The last accepted delivery by the same mapping of a partner."""
        query = (
            sa.select(Delivery)
            .where(
                Delivery.partner_id == partner_id, Delivery.mapping == mapping, Delivery.status == "accepted"
            )
            .order_by(Delivery.delivery_seq.desc())
            .limit(1)
        )
        with self._session() as session:
            return session.scalar(query)

    def current_files(self, as_of: datetime | None = None) -> list[LakeFile]:
        """The lake files in force, now or at a past moment, ordered by feed, partner, delivery and period.

        A full snapshot is replaced by the mapping's next one; a school-year snapshot year by year; increments and
        upserts all stay. Withdrawn deliveries do not count from the moment of their withdrawal.
        """
        chosen: dict[tuple[str, ...], tuple[Delivery, _File]] = {}
        for delivery, file in self._accepted(as_of):
            scope = {
                "full_snapshot": (delivery.partner_id, delivery.feed_id, delivery.mapping),
                "school_year_snapshot": (
                    delivery.partner_id,
                    delivery.feed_id,
                    delivery.mapping,
                    file.period,
                ),
            }.get(delivery.mode, (file.path,))
            chosen[scope] = (delivery, file)
        files = [
            LakeFile(
                d.feed_id, d.partner_id, d.delivery_id, d.delivery_seq, f.period, f.path, f.rows, f.sha256
            )
            for d, f in chosen.values()
        ]
        return sorted(files, key=lambda f: (f.feed_id, f.partner_id, f.delivery_seq, f.period))

    def current_deliveries(self, as_of: datetime | None = None) -> list[str]:
        """Ids of the deliveries of which some file is in force."""
        return sorted({file.delivery_id for file in self.current_files(as_of)})

    def withdraw(self, delivery_id: str, at: datetime) -> None:
        """Take a delivery out of force; what it had replaced is in force again.

        Raises:
            KeyError: no such delivery.
        """
        self._set_withdrawn(delivery_id, at)

    def reinstate(self, delivery_id: str) -> None:
        """Put a withdrawn delivery back in force.

        Raises:
            KeyError: no such delivery.
        """
        self._set_withdrawn(delivery_id, None)

    def delivery_rows(self) -> list[dict[str, Any]]:
        """Every delivery as a row without the file's name, for the working database."""
        in_force = set(self.current_deliveries())
        names = (
            "delivery_id", "delivery_seq", "partner_id", "feed_id", "status", "received_at", "sha256",
            "rows_in", "rows_accepted", "rows_quarantined",
        )  # fmt: skip
        with self._session() as session:
            rows = list(session.scalars(sa.select(Delivery).order_by(Delivery.delivery_seq)))
        return [
            {name: getattr(d, name) for name in names} | {"is_in_force": d.delivery_id in in_force}
            for d in rows
        ]

    def delivery_summaries(self) -> list[dict[str, Any]]:
        """The deliveries in force, for a release's manifest."""
        names = (
            "delivery_id",
            "partner_id",
            "feed_id",
            "sha256",
            "rows_in",
            "rows_accepted",
            "rows_quarantined",
        )
        return [{name: row[name] for name in names} for row in self.delivery_rows() if row["is_in_force"]]

    def _accepted(self, as_of: datetime | None) -> list[tuple[Delivery, _File]]:
        moment = _naive(as_of) if as_of else None
        query = (
            sa.select(Delivery, _File)
            .join(_File, _File.delivery_id == Delivery.delivery_id)
            .where(Delivery.status == "accepted")
            .order_by(Delivery.delivery_seq, _File.period)
        )
        if moment is None:
            query = query.where(Delivery.withdrawn_at.is_(None))
        else:
            query = query.where(
                Delivery.received_at <= moment,
                sa.or_(Delivery.withdrawn_at.is_(None), Delivery.withdrawn_at > moment),
            )
        with self._session() as session:
            return [(delivery, file) for delivery, file in session.execute(query)]

    def _set_withdrawn(self, delivery_id: str, at: datetime | None) -> None:
        with self._session() as session, session.begin():
            delivery = session.get(Delivery, delivery_id)
            if delivery is None:
                raise KeyError(f"no delivery {delivery_id}; `throughline delivery list` shows them")
            delivery.withdrawn_at = _naive(at) if at else None

    def _session(self) -> orm.Session:
        return orm.Session(self._engine, expire_on_commit=False)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
