"""Contents of files that did not change since they were hashed, told without reading them.

Beside each hash the cache keeps the file's **stamp**: its size, inode, and the times at which the
system noted the last change of its content and of its inode. A program may set the first of these
times as it likes; the second only the system sets. A hash is believed where all four are as they
were.

Clocks of file systems tick, some only every two seconds: a file that was just written could be
written again within the same tick, and no stamp would tell. So nothing is noted of a file that
changed less than `SETTLED` before it was read; it is hashed again next time.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from srqa.errors import ReadError
from srqa.images.read import read_bytes

if TYPE_CHECKING:
    from srqa.engine.cache import Cache

SETTLED = 4 * 10**9
"""Nanoseconds: twice the coarsest tick (FAT), since two clocks may take part."""


class Stamp(NamedTuple):
    """What the system says of a file; times in nanoseconds."""

    size: int
    inode: int
    written: int
    changed: int

    @property
    def text(self) -> str:
        """For the cache, whose numbers are too small for some inodes."""
        return " ".join(map(str, self))

    def settled(self, now: int) -> bool:
        """Whether any later change is bound to show."""
        return max(self.written, self.changed) + SETTLED < now


def stamp(path: Path) -> Stamp | None:
    """The stamp of a file, None if it cannot be looked at; links are followed."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # whoever reads it will say why
        return None
    return Stamp(status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


class Content:
    """A file's content and its hash; read at once only if nobody knows the hash.

    Attributes:
        sha256: of the content, in hexadecimal.
        size: in bytes.
    """

    def __init__(self, path: Path, cache: Cache | None = None) -> None:
        """
        Args:
            path: the file.
            cache: where hashes are looked up and noted.

        Raises:
            ReadError: it cannot be read.
        """
        self._path, self._cache = path, cache
        self._data: bytes | None = None
        before = stamp(path) if cache else None
        known = cache.hash_of(_key(path), before.text) if cache and before else None
        if known and before:
            self.sha256, self.size = known, before.size
            return
        now = time.time_ns()
        self._data = read_bytes(path)
        self.sha256, self.size = hashlib.sha256(self._data).hexdigest(), len(self._data)
        if cache and before and before.settled(now) and before == stamp(path):
            cache.put_hash(_key(path), before.text, self.sha256)

    def take(self) -> bytes:
        """The content, which is then no longer held here.

        Raises:
            ReadError: it cannot be read, or is no longer what was hashed.
        """
        data, self._data = self._data, None
        if data is None:
            data = read_bytes(self._path)
            if hashlib.sha256(data).hexdigest() != self.sha256:
                if self._cache:
                    self._cache.forget_hash(_key(self._path))
                raise ReadError(
                    f"{self._path} was changed while it was being evaluated",
                    "Evaluate it again; --rehash reads every file, whatever its times say.",
                )
        return data


def _key(path: Path) -> bytes:
    with suppress(OSError):  # of a working folder that is gone
        path = path.absolute()
    return os.fsencode(path)
