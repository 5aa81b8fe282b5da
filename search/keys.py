"""API keys: a server is told only the hash of a key and what the key lets do.

An entry of the setting is `SCOPE:SHA256HEX`; `nutgraf key` makes a key and its entry. Only keys of
that make are taken: 256 random bits, which nobody guesses, however fast SHA-256 is. What slows
guessing at a password that a person chose (a salt, many rounds) would only cost each request time.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

_RANDOM_BYTES: Final = 32
_SECRET: Final = re.compile(r"ng_[A-Za-z0-9_-]{43}", re.ASCII)
_ENTRY: Final = re.compile(r"(read|feed|admin):([0-9a-fA-F]{64})", re.ASCII)


class Scope(StrEnum):
    """What a key lets do; each lets do what those before it do."""

    READ = "read"  # ask, read, export
    FEED = "feed"  # add and remove articles, and change what the desk keeps
    ADMIN = "admin"  # see the metrics, and which records were rejected

    def lets(self, needed: "Scope") -> bool:
        """Whether a key of this scope may do what `needed` is for."""
        order = list(Scope)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Key:
    """What a server knows of a key: not the key itself."""

    scope: Scope
    digest: bytes  # SHA-256 of the key

    @classmethod
    def read(cls, entry: str) -> Self:
        """The key of an entry of the setting `api_keys`.

        Raises:
            ValueError: it is no `SCOPE:SHA256HEX`; the message does not repeat it, since it may
                be a key.
        """
        match = _ENTRY.fullmatch(entry)
        if not match:
            raise ValueError(
                "an entry is SCOPE:SHA256HEX, the hash of a key and never the key itself; make "
                "both with: nutgraf key --scope read|feed|admin"
            )
        return cls(Scope(match[1]), bytes.fromhex(match[2]))

    @property
    def entry(self) -> str:
        """As the setting `api_keys` has it."""
        return f"{self.scope}:{self.digest.hex()}"

    @property
    def name(self) -> str:
        """What the log calls it: the first 8 digits of its entry's hash."""
        return self.digest.hex()[:8]


def new_key(scope: Scope) -> tuple[str, Key]:
    """A new key, which is kept nowhere, and what a server is told of it."""
    random = base64.urlsafe_b64encode(secrets.token_bytes(_RANDOM_BYTES)).decode().rstrip("=")
    secret = f"ng_{random}"
    return secret, Key(scope, _digest(secret))


def is_secret(text: str) -> bool:
    """Whether `text` is a key as `nutgraf key` makes them."""
    return bool(_SECRET.fullmatch(text))


def known(secret: str, keys: Sequence[Key]) -> Key | None:
    """The one of `keys` that `secret` is; None: it is none of them.

    All are compared, and each in full, so that the time taken tells nothing.
    """
    if not is_secret(secret):
        return None
    digest = _digest(secret)
    found = None
    for key in keys:
        if hmac.compare_digest(digest, key.digest):
            found = key
    return found


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
