"""Encrypted files: archived originals and quarantined rows, which carry identifiers too.

What belongs here: the file format. What does not: which file is encrypted when, or the keys themselves.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAGIC = b"TLENC1\n\0"
_CHUNK = 1 << 20
_HEADER = len(MAGIC) + 8 + 7  # magic, key id, nonce prefix
_TAG = 16


class EncryptedFileError(RuntimeError):
    """An encrypted file is damaged, cut short, or was written with another key."""


def key_id(key: bytes) -> bytes:
    """Eight bytes that tell keys apart and say nothing about them."""
    return hashlib.sha256(b"throughline key id" + key).digest()[:8]


def encrypt_file(src: Path, dst: Path, key: bytes) -> None:
    """Encrypt a file as a stream of AES-256-GCM chunks (STREAM construction), written beside and renamed.

    Each chunk's nonce carries its number and whether it is the last, so that reordering and truncation are
    detected; the header is authenticated with every chunk.

    Args:
        src: plain file.
        dst: encrypted file of mode 0600; replaced atomically.
        key: 32 bytes.
    """
    with src.open("rb") as source:
        encrypt_stream(source, dst, key)


def encrypt_stream(source: BinaryIO, dst: Path, key: bytes) -> None:
    """Encrypt what a binary stream yields, as `encrypt_file` does; nothing plain touches the disk."""
    prefix = secrets.token_bytes(7)
    header = MAGIC + key_id(key) + prefix
    cipher = AESGCM(key)
    with _beside(dst) as out:
        out.write(header)
        for number, block, last in _blocks(source, _CHUNK):
            out.write(cipher.encrypt(_nonce(prefix, number, last), block, header))
    _put(dst)


def decrypt_file(src: Path, dst: Path, key: bytes) -> None:
    """Decrypt what `encrypt_file` wrote; the result has mode 0600 and appears only when all of it is genuine.

    Raises:
        EncryptedFileError: wrong key, damage or truncation; nothing is left behind.
    """
    try:
        with _beside(dst) as out:
            for block in decrypted_blocks(src, key):
                out.write(block)
    except EncryptedFileError:
        _partial(dst).unlink(missing_ok=True)
        raise
    _put(dst)


def decrypted_blocks(src: Path, key: bytes) -> Iterator[bytes]:
    """Yield the plain blocks of an encrypted file, for reading without a plain copy on disk.

    Raises:
        EncryptedFileError: see `decrypt_file`.
    """
    with src.open("rb") as source:
        header = source.read(_HEADER)
        if len(header) < _HEADER or not header.startswith(MAGIC):
            raise EncryptedFileError(f"{src}: not an encrypted file of this platform.")
        if header[len(MAGIC) : len(MAGIC) + 8] != key_id(key):
            raise EncryptedFileError(f"{src}: written with another key. Use the vault's key of that time.")
        cipher, prefix = AESGCM(key), header[-7:]
        for number, block, last in _blocks(source, _CHUNK + _TAG):
            try:
                yield cipher.decrypt(_nonce(prefix, number, last), block, header)
            except InvalidTag:
                raise EncryptedFileError(
                    f"{src}: damaged or cut short; restore it from the backup."
                ) from None


def reencrypt_file(src: Path, dst: Path, old_key: bytes, new_key: bytes) -> None:
    """Decrypt under one key and encrypt under another in memory; nothing plain touches the disk.

    Raises:
        EncryptedFileError: see `decrypt_file`.
    """
    encrypt_stream(io.BufferedReader(_Blocks(decrypted_blocks(src, old_key))), dst, new_key)


class _Blocks(io.RawIOBase):
    """A readable stream over an iterator of blocks."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def encrypted_with(src: Path) -> bytes | None:
    """Key id of an encrypted file; None when it is not one."""
    with src.open("rb") as source:
        header = source.read(_HEADER)
    return (
        header[len(MAGIC) : len(MAGIC) + 8] if header.startswith(MAGIC) and len(header) == _HEADER else None
    )


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + struct.pack(">IB", number, last)


def _blocks(source: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    number, block = 0, source.read(size)
    while True:
        following = source.read(size)
        yield number, block, not following
        if not following:
            return
        number, block = number + 1, following


def _partial(dst: Path) -> Path:
    return dst.with_name(f".{dst.name}.part")


def _beside(dst: Path) -> BinaryIO:
    dst.parent.mkdir(parents=True, exist_ok=True)
    _partial(dst).unlink(missing_ok=True)
    handle = os.open(_partial(dst), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def _put(dst: Path) -> None:
    part = _partial(dst)
    with part.open("rb") as out:
        os.fsync(out.fileno())
    part.replace(dst)
    folder = os.open(dst.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
