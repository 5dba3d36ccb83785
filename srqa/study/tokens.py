"""Random ids, and signatures of what travels through browsers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

LIFETIME = 7 * 24 * 3600
"""Seconds for which a trial's token holds."""


def new_token() -> str:
    """What a participant's address carries: 192 random bits."""
    return secrets.token_urlsafe(24)


def new_id(bits: int = 48) -> str:
    """A random name, in hexadecimal digits."""
    return secrets.token_hex(bits // 8)


def hashed(token: str) -> str:
    """What the database keeps of a participant's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed(key: bytes, purpose: str, text: str) -> str:
    """An HMAC that tells nothing of the text to whoever lacks the key."""
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def address(key: bytes, participant: str) -> str:
    """What a participant's address carries: 192 bits that nobody can guess without the key."""
    return keyed(key, "address", participant)[:48]


def sign(key: bytes, participant: str, assignment: int, now: float | None = None) -> str:
    """A trial's token: it allows this participant to answer this assignment.

    Example:
        >>> verify(b"key", sign(b"key", "ann", 7), 7)
        'ann'
    """
    expires = int((time.time() if now is None else now) + LIFETIME)
    body = f"{participant}.{expires}"
    return f"{body}.{_signature(key, body, assignment)}"


def verify(key: bytes, token: str, assignment: int, now: float | None = None) -> str:
    """The participant whom a trial's token belongs to.

    Raises:
        PermissionError: "token" if it is forged, "expired" if it is too old.
    """
    body, _, signature = token.rpartition(".")
    expected = _signature(key, body, assignment)
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        raise PermissionError("token")
    participant, _, expires = body.rpartition(".")
    if int(expires) < (time.time() if now is None else now):
        raise PermissionError("expired")
    return participant


def _signature(key: bytes, body: str, assignment: int) -> str:
    text = f"trial\0{body}\0{assignment}".encode()
    digest = hmac.new(key, text, hashlib.sha256).digest()[:18]
    return base64.urlsafe_b64encode(digest).decode()
