"""Scores that were computed before, by the content of the pictures. One SQLite file a user."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srqa.errors import OutputError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS scores (key BLOB PRIMARY KEY, value REAL, problem TEXT, seconds REAL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (key BLOB PRIMARY KEY, facts TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hashes (key BLOB PRIMARY KEY, stamp TEXT, sha256 TEXT) WITHOUT ROWID;
"""
FORMAT = 1
_PATIENCE = 30.0  # seconds that other processes are waited for


def default_path() -> Path:
    """Where the cache lies: the folder ``SRQA_CACHE``, else the user's cache folder."""
    folder = os.environ.get("SRQA_CACHE")
    if folder:
        return Path(folder) / "scores.sqlite"
    from platformdirs import user_cache_path

    return user_cache_path("srqa") / "scores.sqlite"


def digest(*parts: Any) -> bytes:
    """A key from plain values."""
    return hashlib.sha256(json.dumps([FORMAT, *parts], sort_keys=True).encode()).digest()


@dataclass(frozen=True, slots=True)
class CachedScore:
    """What the cache keeps of a score."""

    value: float
    problem: str
    seconds: float


def _begin(database: sqlite3.Connection) -> None:
    """Make the tables if they are not there.

    SQLite waits for other processes' locks by itself, but not where it changes the journal's mode,
    which fails at once when several processes make a cache together.
    """
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.executescript(_SCHEMA)
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > end:
                raise
            time.sleep(0.02)


class Cache:
    """Scores and picture facts by key; safe for several threads and several processes.

    Also hashes of files by their paths, see `srqa.engine.hashes`.

    A cache that cannot be used never stops an evaluation: `problem` then says why, once.
    """

    def __init__(self, path: Path | None = None, *, rehash: bool = False) -> None:
        """
        Args:
            path: of the database; `default_path()` when not said.
            rehash: believe no hash that was noted before; new ones are noted.
        """
        self.path = path or default_path()
        self._rehash = rehash
        self.problem = ""
        self._lock = threading.Lock()
        self._pending_scores: dict[bytes, CachedScore] = {}
        self._pending_pictures: dict[bytes, str] = {}
        self._pending_hashes: dict[bytes, tuple[str, str]] = {}
        self._last_commit = time.monotonic()
        self._database: sqlite3.Connection | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                self.path, timeout=_PATIENCE, check_same_thread=False, isolation_level=None
            )
            _begin(self._database)
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.problem = f"The cache {self.path} is not used: {error}."
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
        self._database = None

    def _select(self, table: str, columns: str, keys: list[bytes]) -> list[Any]:
        if self._database is None or not keys:
            return []
        marks = ",".join("?" * len(keys))
        try:
            query = f"SELECT key, {columns} FROM {table} WHERE key IN ({marks})"
            return self._database.execute(query, keys).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def scores(self, keys: Iterable[bytes]) -> dict[bytes, CachedScore]:
        """The scores that are known of `keys`."""
        with self._lock:
            rows = self._select("scores", "value, problem, seconds", list(keys))
        nan = float("nan")
        return {
            key: CachedScore(nan if value is None else value, problem, seconds)
            for key, value, problem, seconds in rows
        }

    def picture(self, key: bytes) -> dict[str, Any] | None:
        """What is known of a picture: its size, depth, format and notes."""
        with self._lock:
            rows = self._select("pictures", "facts", [key])
        return dict(json.loads(rows[0][1])) if rows else None

    def hash_of(self, path: bytes, stamp: str) -> str | None:
        """The SHA-256 of a file's content, if it was noted beside this stamp."""
        if self._rehash:
            return None
        with self._lock:
            rows = self._select("hashes", "stamp, sha256", [path])
        return str(rows[0][2]) if rows and rows[0][1] == stamp else None

    def put_hash(self, path: bytes, stamp: str, sha256: str) -> None:
        """Remember the SHA-256 of a file's content."""
        with self._lock:
            self._pending_hashes[path] = stamp, sha256
            self._commit_if_due()

    def forget_hash(self, path: bytes) -> None:
        """No stamp is believed for this file until it is hashed again."""
        self.put_hash(path, "", "")

    def put_score(self, key: bytes, score: CachedScore) -> None:
        """Remember a score; it is written with others, at the latest by `close`."""
        with self._lock:
            self._pending_scores[key] = score
            self._commit_if_due()

    def put_picture(self, key: bytes, facts: dict[str, Any]) -> None:
        """Remember a picture's facts."""
        with self._lock:
            self._pending_pictures[key] = json.dumps(facts)

    def _commit_if_due(self) -> None:
        waiting = max(len(self._pending_scores), len(self._pending_hashes))
        if waiting >= 500 or time.monotonic() - self._last_commit > 2:
            self._commit()

    def _commit(self) -> None:
        scores, pictures = self._pending_scores, self._pending_pictures
        hashes = self._pending_hashes
        self._pending_scores, self._pending_pictures, self._pending_hashes = {}, {}, {}
        self._last_commit = time.monotonic()
        if self._database is None or not (scores or pictures or hashes):
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)",
                [(key, s.value, s.problem, s.seconds) for key, s in scores.items()],
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO pictures VALUES (?, ?)", list(pictures.items())
            )
            self._database.executemany(
                "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?)",
                [(path, *noted) for path, noted in hashes.items()],
            )
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Write what is pending and close."""
        with self._lock:
            self._commit()
            if self._database is not None:
                with suppress(sqlite3.Error):
                    self._database.close()
                self._database = None

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(
                f"The cache {self.path} cannot be used: {error}.",
                hint="Remove the file if this lasts; it can be made anew.",
            ) from error

    def info(self) -> dict[str, Any]:
        """How many scores and pictures it holds, and how large it is.

        Raises:
            OutputError: it is damaged.
        """
        with self._lock, self._told():
            count = {
                table: self._database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
                if self._database
                else 0
                for table in ("scores", "pictures")
            }
        size = sum(part.stat().st_size for part in self.path.parent.glob(self.path.name + "*"))
        return {"path": str(self.path), **count, "bytes": size}

    def clear(self) -> int:
        """Forget everything; returns how many scores there were.

        Raises:
            OutputError: it is damaged, or another process holds it.
        """
        with self._lock, self._told():
            if self._database is None:
                return 0
            n = int(self._database.execute("SELECT COUNT(*) FROM scores").fetchone()[0])
            self._database.execute("DELETE FROM scores")
            self._database.execute("DELETE FROM pictures")
            self._database.execute("DELETE FROM hashes")
            self._database.execute("VACUUM")
            return n
