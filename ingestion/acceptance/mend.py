"""Damaged lake files, made again from the archived originals.

What belongs here: finding them and putting the originals back where files are taken. What does not: taking files
(`receive`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ingestion.acceptance.outcome import DeliveryOutcome
from ingestion.acceptance.receive import receive_all
from warehouse.community import Community
from warehouse.lake import LakeError, damaged_files
from warehouse.ledger import Delivery, LakeFile, Ledger
from warehouse.settings import Settings
from warehouse.vault import EncryptedFileError, decrypt_file, derived_key, vault_key


def mend_lake(community: Community, settings: Settings, ledger: Ledger) -> list[DeliveryOutcome]:
    """Hold every lake file in force against the ledger's hash; take those that fail anew from their originals.

    A delivery keeps its number and its day. Cut off at any point, the next run does the rest.

    Returns:
        One outcome a delivery that was taken anew; none where the lake is whole.

    Raises:
        LakeError: a file cannot be made again, because its original is gone or damaged or is refused now.
    """
    broken = damaged_files(community.paths, ledger.current_files())
    if not broken:
        return []
    for delivery_id in sorted({file.delivery_id for file in broken}):
        delivery = ledger.find(delivery_id)
        if delivery is None:
            raise LakeError(_told(broken, "The ledger does not know its delivery."))
        _put_back(community, settings, delivery, broken)
        ledger.take_again(delivery_id, settings.clock())
    outcomes = receive_all(community, settings)
    wanted = {file.delivery_id for file in broken}
    left = damaged_files(community.paths, ledger.current_files())
    standing = [delivery.status for delivery in map(ledger.find, wanted) if delivery is not None]
    if left or standing != ["accepted"] * len(wanted):
        why = "Its original was read again, and is not taken any more; see its receipt."
        raise LakeError(_told(left or broken, why))
    return [outcome for outcome in outcomes if outcome.delivery_id in wanted]


def _put_back(
    community: Community, settings: Settings, delivery: Delivery, broken: Sequence[LakeFile]
) -> None:
    """The original, decrypted, into the partner's drop folder, where it lay before."""
    paths = community.paths
    original = paths.archive / delivery.partner_id / f"{delivery.sha256}.enc"
    # A folder of its own: a file of the same name may just have been dropped.
    target = paths.landing / delivery.partner_id / f"again-{delivery.delivery_id}" / delivery.file_name
    if not original.is_file():
        raise LakeError(_told(broken, "Its original is not in the archive either."))
    try:
        decrypt_file(original, target, derived_key(vault_key(settings, paths), "archive"))
    except EncryptedFileError as error:
        raise LakeError(_told(broken, str(error))) from None
    day = delivery.received_at.timestamp()
    os.utime(target, (day, day))  # it has settled long ago


def _told(broken: Sequence[LakeFile], why: str) -> str:
    file = broken[0]
    others = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    return (
        f"data/{file.path}{others}: a lake file is damaged or gone. {why} Nothing was published. Restore it from the "
        f"backup, or go on without it: throughline delivery withdraw {file.delivery_id}."
    )
