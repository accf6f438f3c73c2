"""Writing to the ledger and asking it, in SQLAlchemy, on SQLite unless configured otherwise.

What belongs here: one transaction a delivery; what is in force now or was at a past moment. What does not: files.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock
from sqlalchemy import orm

from warehouse.ledger.holding import Holding, naive, noted
from warehouse.ledger.migrate import LedgerError, migrate
from warehouse.ledger.tables import Delivery, DeliveryEvent, FileRow, Hold, LakeFile
from warehouse.settings import CommunityPaths, Settings

# Partners' files that replace each other: by which of a delivery's traits, under each mode.
_SCOPES = {
    "full_snapshot": lambda d, f: (d.partner_id, d.feed_id, d.mapping),
    "school_year_snapshot": lambda d, f: (d.partner_id, d.feed_id, d.mapping, f.period),
}


class Ledger(Holding):
    """The ledger of one community."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        migrate(engine)

    @classmethod
    def open(cls, paths: CommunityPaths, settings: Settings) -> Ledger:
        """Open the ledger, making its tables when they are absent and bringing older ones up to date.

        Raises:
            LedgerError: its database cannot be used, is damaged or lost, or a newer version wrote it.
        """
        paths.data.mkdir(parents=True, exist_ok=True)
        if settings.ledger_url is None:
            _refuse_if_lost(paths)
        # Two that open it at once must not both migrate.
        with FileLock(paths.data / "ledger.lock", timeout=60, mode=0o600):
            if settings.ledger_url is None:
                _close_to_others(paths.ledger)
            return cls(sa.create_engine(settings.ledger_url or f"sqlite:///{paths.ledger}"))

    def find(self, delivery_id: str) -> Delivery | None:
        """A delivery by id; None if it never came."""
        with self._session() as session:
            return session.get(Delivery, delivery_id)

    def record(self, delivery: Delivery, files: Sequence[LakeFile]) -> None:
        """Write a delivery and its lake files in one transaction; from then on it counts.

        A delivery that was refused before, and is judged again, takes the place of its refusal.

        Raises:
            ValueError: the rows do not add up; nothing is written.
        """
        _add_up(delivery)
        with self._session() as session, session.begin():
            session.execute(sa.delete(FileRow).where(FileRow.delivery_id == delivery.delivery_id))
            session.merge(delivery)
            session.flush()
            session.add_all(
                FileRow(path=f.path, delivery_id=f.delivery_id, period=f.period, rows=f.rows, sha256=f.sha256)
                for f in files
            )

    def finish(self, delivery_ids: Sequence[str], receipts: Sequence[str]) -> None:
        """Note that deliveries have their receipts (paths relative to data/) and their file is taken away."""
        with self._session() as session, session.begin():
            for delivery_id, receipt in zip(delivery_ids, receipts, strict=True):
                session.execute(
                    sa.update(Delivery)
                    .where(Delivery.delivery_id == delivery_id)
                    .values(is_finished=True, receipt=receipt)
                )

    def partner_deliveries(self, partner_id: str, limit: int = 200) -> list[Delivery]:
        """The last deliveries of a partner, latest first."""
        query = (
            sa.select(Delivery)
            .where(Delivery.partner_id == partner_id)
            .order_by(Delivery.delivery_seq.desc())
            .limit(limit)
        )
        with self._session() as session:
            return list(session.scalars(query))

    def rows_in_force(self, partner_id: str, mapping: str) -> dict[str, int]:
        """Rows by period of the files of a partner's mapping that are in force."""
        chosen = self._chosen(None, partner_id, mapping)
        return {file.period: file.rows for _, file in chosen}

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

    def previous(self, partner_id: str, mapping: str, before_seq: int | None = None) -> Delivery | None:
        """The last accepted delivery by a partner's mapping, or the last one before a number."""
        query = (
            sa.select(Delivery)
            .where(
                Delivery.partner_id == partner_id, Delivery.mapping == mapping, Delivery.status == "accepted"
            )
            .order_by(Delivery.delivery_seq.desc())
            .limit(1)
        )
        if before_seq is not None:
            query = query.where(Delivery.delivery_seq < before_seq)
        with self._session() as session:
            return session.scalar(query)

    def current_files(self, as_of: datetime | None = None, without: Collection[str] = ()) -> list[LakeFile]:
        """The lake files in force, now or at a past moment, ordered by feed, partner, delivery and period.

        A full snapshot is replaced by the mapping's next one; a school-year snapshot year by year; increments and
        upserts all stay. Withdrawn and held deliveries do not count from that moment on, those `without` not at all.
        """
        files = [
            LakeFile(
                d.feed_id,
                d.partner_id,
                d.delivery_id,
                d.delivery_seq,
                f.period,
                f.path,
                f.rows,
                f.sha256,
                is_upsert=d.mode == "upsert",
            )
            for d, f in self._chosen(as_of, without=without)
        ]
        return sorted(files, key=lambda f: (f.feed_id, f.partner_id, f.delivery_seq, f.period))

    def current_deliveries(self, as_of: datetime | None = None) -> list[str]:
        """Ids of the deliveries of which some file is in force."""
        return sorted({file.delivery_id for file in self.current_files(as_of)})

    def missed_holds(self) -> list[Hold]:
        """The holds that matter: without them the delivery would be in force, as no later one took its place."""
        holds = self.holds()
        held = {hold.delivery_id for hold in holds}
        missed = {d.delivery_id for d, _ in self._chosen(None, held=held)} if held else set()
        return [hold for hold in holds if hold.delivery_id in missed]

    def withdraw(self, delivery_id: str, at: datetime) -> None:
        """Take a delivery out of force; what it had replaced is in force again.

        Raises:
            KeyError: no such delivery.
            ValueError: it is withdrawn already, or was never accepted.
        """
        self._change(delivery_id, at, "withdrawn")

    def reinstate(self, delivery_id: str, at: datetime) -> None:
        """Put a withdrawn or held delivery back in force; the rules that held it do not hold it again.

        Raises:
            KeyError: no such delivery.
            ValueError: it is neither.
        """
        self._change(delivery_id, at, "reinstated")

    def destroy(self, delivery_ids: Sequence[str], at: datetime) -> None:
        """Note that what deliveries brought is destroyed: counts and hashes stay, file names and lake files go."""
        with self._session() as session, session.begin():
            for delivery_id in delivery_ids:
                delivery = session.get(Delivery, delivery_id)
                if delivery is None or delivery.status == "destroyed":
                    continue
                delivery.status, delivery.file_name = "destroyed", "(destroyed)"
                session.execute(sa.delete(FileRow).where(FileRow.delivery_id == delivery_id))
                session.add(DeliveryEvent(delivery_id=delivery_id, at=naive(at), kind="destroyed"))

    def take_again(self, delivery_id: str, at: datetime) -> None:
        """Let an accepted delivery be judged anew under its own number, because what it brought was damaged."""
        with self._session() as session, session.begin():
            delivery = session.get(Delivery, delivery_id)
            if delivery is not None and delivery.status == "accepted":
                delivery.status, delivery.is_finished = "refused", False
                session.add(DeliveryEvent(delivery_id=delivery_id, at=naive(at), kind="damaged"))

    def rewrite_file(self, path: str, *, rows: int, sha256: str) -> None:
        """Note that a lake file is written anew on a person's request; rows gone count as not meant for the feed."""
        with self._session() as session, session.begin():
            file = session.get(FileRow, path)
            if file is None:
                return
            gone = file.rows - rows
            file.rows, file.sha256 = rows, sha256
            delivery = session.get(Delivery, file.delivery_id)
            if delivery is not None:
                delivery.rows_accepted -= gone
                delivery.rows_not_applicable += gone

    def delivery_rows(self) -> list[dict[str, Any]]:
        """Every delivery as a row without the file's name, for the working database."""
        in_force = set(self.current_deliveries())
        held = {hold.delivery_id: noted(hold) for hold in self.missed_holds()}
        names = (
            "delivery_id", "delivery_seq", "partner_id", "feed_id", "status", "received_at", "sha256",
            "rows_in", "rows_accepted", "rows_quarantined",
        )  # fmt: skip
        with self._session() as session:
            rows = list(session.scalars(sa.select(Delivery).order_by(Delivery.delivery_seq)))
        return [
            {name: getattr(d, name) for name in names}
            | {"is_in_force": d.delivery_id in in_force, "held_by": held.get(d.delivery_id)}
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

    def _chosen(
        self,
        as_of: datetime | None,
        partner_id: str | None = None,
        mapping: str | None = None,
        without: Collection[str] = (),
        held: Collection[str] = (),
    ) -> list[tuple[Delivery, FileRow]]:
        """Deliveries and files in force: of those that replace each other the latest."""
        chosen: dict[tuple[str, ...], list[tuple[Delivery, FileRow]]] = {}
        for delivery, file in self._accepted(as_of, partner_id, mapping, held):
            if delivery.delivery_id in without:
                continue
            scope = _SCOPES[delivery.mode](delivery, file) if delivery.mode in _SCOPES else (file.path,)
            kept = chosen.get(scope, [])
            same = kept and kept[0][0].delivery_id == delivery.delivery_id
            chosen[scope] = [*kept, (delivery, file)] if same else [(delivery, file)]
        return [pair for pairs in chosen.values() for pair in pairs]

    def _accepted(
        self, as_of: datetime | None, partner_id: str | None, mapping: str | None, held: Collection[str] = ()
    ) -> list[tuple[Delivery, FileRow]]:
        """Accepted deliveries that stood at a moment, with their files, in order of delivery."""
        query = (
            sa.select(Delivery, FileRow)
            .join(FileRow, FileRow.delivery_id == Delivery.delivery_id)
            .where(Delivery.status == "accepted")
            .order_by(Delivery.delivery_seq, FileRow.period)
        )
        if partner_id is not None:
            query = query.where(Delivery.partner_id == partner_id, Delivery.mapping == mapping)
        moment = naive(as_of) if as_of else None
        if moment is None:
            query = query.where(sa.or_(Delivery.withdrawn_at.is_(None), Delivery.delivery_id.in_(held)))
        else:
            query = query.where(Delivery.received_at <= moment)
        with self._session() as session:
            out = self._withdrawn_at(session, moment) if moment else set()
            return [(d, f) for d, f in session.execute(query) if d.delivery_id not in out]

    @staticmethod
    def _withdrawn_at(session: orm.Session, moment: datetime) -> set[str]:
        """Deliveries whose last event up to a moment is a withdrawal or a hold."""
        query = sa.select(DeliveryEvent).where(DeliveryEvent.at <= moment)
        last = {e.delivery_id: e.kind for e in session.scalars(query.order_by(DeliveryEvent.event_n))}
        return {delivery_id for delivery_id, kind in last.items() if kind in ("withdrawn", "held")}

    def _change(self, delivery_id: str, at: datetime, kind: str) -> None:
        with self._session() as session, session.begin():
            delivery = session.get(Delivery, delivery_id)
            if delivery is None:
                raise KeyError(f"no delivery {delivery_id}; `throughline delivery list` shows them")
            if delivery.status != "accepted":
                raise ValueError(
                    f"delivery {delivery_id} is {delivery.status}; only accepted ones are in force"
                )
            if (delivery.withdrawn_at is None) == (kind == "reinstated"):
                raise ValueError(
                    f"delivery {delivery_id} is {'in force' if kind == 'reinstated' else 'out of force'} already"
                )
            delivery.withdrawn_at = naive(at) if kind == "withdrawn" else None
            session.add(DeliveryEvent(delivery_id=delivery_id, at=naive(at), kind=kind))

    def _session(self) -> orm.Session:
        return orm.Session(self._engine, expire_on_commit=False)


def _refuse_if_lost(paths: CommunityPaths) -> None:
    """A new ledger beside a lake that has deliveries would forget them all."""
    if paths.ledger.is_file() and paths.ledger.stat().st_size:
        return
    if any(paths.lake.glob("[!_]*/*/*")):
        raise LedgerError(
            f"{paths.ledger}: the ledger is gone, though the lake holds deliveries. Nothing was touched. "
            "Restore the community from its backup: throughline restore."
        )


def _close_to_others(file: Path) -> None:
    """Only the owner reads the ledger; what SQLite puts beside it takes the same rights."""
    if not file.exists():
        file.touch(mode=0o600)
    elif file.stat().st_mode & 0o077:
        file.chmod(0o600)


def _add_up(delivery: Delivery) -> None:
    """Every row of a delivery must have ended in exactly one place."""
    placed = delivery.rows_accepted + delivery.rows_quarantined + delivery.rows_not_applicable
    placed += delivery.rows_refused if delivery.status != "accepted" else 0
    if delivery.rows_in != placed:
        raise ValueError(
            f"delivery {delivery.delivery_id}: {delivery.rows_in} rows in, {placed} accounted for"
        )
