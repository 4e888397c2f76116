"""Tokens: what a personal link is made of. Only their hashes are stored."""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

_BYTES = 32  # 256 bits: not guessed in the lifetime of anything


def new_token() -> str:
    """Return a new token, 43 characters that stand in a link as they are."""
    return secrets.token_urlsafe(_BYTES)


def hashed(token: str) -> str:
    """Return what is stored of a token.

    A plain SHA-256 is enough: a token of 256 random bits cannot be found by trying.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_of(link: str) -> str:
    """Return the token in a link, or what was given if it is no link."""
    return urlsplit(link).path.rstrip("/").rpartition("/")[2]


def pseudonym() -> str:
    """Return a random name for a rater, which says nothing about who or when."""
    return f"r-{secrets.token_hex(5)}"


def worker_key(salt: str, worker: str) -> str:
    """Return what is stored of a crowd worker's id: the platform's own names people."""
    return hmac.new(bytes.fromhex(salt), worker.encode("utf-8"), hashlib.sha256).hexdigest()
