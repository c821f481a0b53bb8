"""Secrets at rest: sealed with a key that is not in the database."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkstemp
from typing import Self

from cryptography.fernet import Fernet, InvalidToken

from mooring.core.failure import InputError, Problem


class Seal:
    """Encrypts and authenticates text (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise _wrong("is no key of Mooring's; it has to be the file that sealed this database") from None

    def __repr__(self) -> str:
        return "Seal(***)"

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the key at `path`, or make a new one there that only its owner can read. Raises InputError."""
        try:
            return cls(_made(path) or path.read_bytes().strip())
        except OSError as error:
            raise _wrong(f"{path} cannot be used: {error.strerror}") from None

    def seal(self, text: str) -> str:
        """Return the text sealed; the same text never seals to the same twice."""
        return self._fernet.encrypt(text.encode(errors="surrogatepass")).decode()

    def unseal(self, token: str) -> str:
        """Return the text. Raises InputError where another key sealed it, or it was tampered with."""
        try:
            return self._fernet.decrypt(token).decode(errors="surrogatepass")
        except InvalidToken:
            raise _wrong(
                "is not the key that sealed this database's secrets; put the right key file back"
            ) from None


def _made(path: Path) -> bytes | None:
    """Write a new key unless there is one. It appears whole or not at all, however many start at once."""
    if path.exists():
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    key = Fernet.generate_key()
    handle, partial = mkstemp(prefix=f"{path.name}.", dir=path.parent)  # readable by its owner alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, path)
    except FileExistsError:
        return None
    finally:
        Path(partial).unlink()
    return key


def _wrong(message: str) -> InputError:
    return InputError([Problem("server.secret_key_file", message)])
