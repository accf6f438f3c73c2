"""The originals of a mapping's earlier deliveries, for drops that hold changes only.

What belongs here: finding and opening them. What does not: what is made of them (`readers.changes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ingestion.mapping import FeedMapping
from ingestion.readers import Earlier, UnreadableFileError
from warehouse.community import Community
from warehouse.ledger import Ledger
from warehouse.settings import Settings
from warehouse.temporary import private_folder
from warehouse.vault import EncryptedFileError, decrypt_file, derived_key, vault_key


def earlier_deliveries(
    community: Community, settings: Settings, ledger: Ledger | None, mapping: FeedMapping, before: int | None
) -> Earlier | None:
    """What opens the originals of deliveries in force, the latest first; None for a mapping that has no changes.

    Each lies decrypted in a private folder only until the next is asked for. Going on raises `UnreadableFileError` where
    one is gone or damaged, for the changes after it stand on it.

    Args:
        community: whose archive it is.
        settings: for the key of the archive.
        ledger: which deliveries there are; None before the first.
        mapping: whose deliveries.
        before: number of the delivery before which they came; None for one that has none yet.
    """
    if mapping.read.changes is None or ledger is None:
        return None

    def opened() -> Iterator[Path]:
        sequence = before
        key = derived_key(vault_key(settings, community.paths), "archive")
        while (delivery := ledger.previous(mapping.partner_id, mapping.name, sequence)) is not None:
            sequence = delivery.delivery_seq
            if delivery.withdrawn_at is not None:
                continue
            original = community.paths.archive / delivery.partner_id / f"{delivery.sha256}.enc"
            community.paths.temp.mkdir(parents=True, exist_ok=True)
            with private_folder(community.paths.temp) as folder:
                target = folder / f"earlier{Path(delivery.file_name).suffix}"
                try:
                    decrypt_file(original, target, key)
                except (OSError, EncryptedFileError):
                    raise UnreadableFileError(
                        "changes_without_whole",
                        f"It holds changes only, and the original of the delivery {delivery.delivery_id} before it is gone.",
                        "Send a whole export (bulk); changes can follow it.",
                    ) from None
                yield target

    return opened
