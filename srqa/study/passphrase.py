"""The admin pages' passphrase: kept as a salted scrypt hash only."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from srqa.errors import UsageError
from srqa.study.limits import Limiter
from srqa.study.study import Study

LEAST = 10
"""Characters."""
_N, _R, _P = 2**15, 8, 1
_TRIES = Limiter(burst=5, per_second=0.1)


def is_set(study: Study) -> bool:
    """Whether there is a passphrase."""
    return bool(study.store.row()["passphrase"])


def set_(study: Study, text: str) -> None:
    """Set the passphrase.

    Raises:
        UsageError: it is too short.
    """
    if len(text) < LEAST:
        raise UsageError(f"A passphrase has at least {LEAST} characters.")
    salt = secrets.token_bytes(16)
    kept = f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(_hash(text, salt, _N, _R, _P))}"
    study.store.change("passphrase", {}, passphrase=kept)


def check(study: Study, text: str) -> bool:
    """Whether it is the right one; after five wrong ones only one try in ten seconds counts."""
    kept = study.store.row()["passphrase"]
    if not kept or not _TRIES.take(study.name):
        return False
    _, n, r, p, salt, wanted = kept.split("$")
    made = _hash(text, base64.b64decode(salt), int(n), int(r), int(p))
    right = hmac.compare_digest(made, base64.b64decode(wanted))
    if right:
        _TRIES.give_back(study.name)
    return right


def _hash(text: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(text.encode(), salt=salt, n=n, r=r, p=p, maxmem=2**27, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
