"""What an evaluation has finished so far, a line a picture: `--resume` goes on from it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any

from srqa.engine.cache import CachedScore
from srqa.engine.compute import ItemResult
from srqa.engine.results import FileRow, SetScore
from srqa.engine.storage import JOURNAL, MANIFEST
from srqa.errors import RunError
from srqa.files import explain
from srqa.images.layout import Item


class Journal:
    """The journal of a Run's folder, held by one process at a time."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        from filelock import FileLock

        self.path = folder / JOURNAL
        self._settings = settings
        self.sets: dict[str, SetScore] = {}
        """Values of whole sets that were finished before, by their keys."""
        self._lock = FileLock(folder / ".lock", timeout=0)
        self._out: Any = None

    def __enter__(self) -> Journal:
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout:
            raise RunError(
                f"Another process is writing the Run in {self.path.parent}.",
                hint="Wait for it, or choose another --out.",
            ) from None
        except OSError as error:
            raise explain(error, self.path) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._out is not None:
            with suppress(OSError):
                self._out.close()
        # Unlinked while it is held: afterwards it might be another process's lock already.
        with suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def read(self, items: Iterable[Item]) -> dict[Item, ItemResult]:
        """What was finished before, for those of `items` whose files have not changed since.

        Raises:
            RunError: the journal was written under other settings.
        """
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {error.strerror}.") from error
        entries = [entry for line in lines if (entry := _parse(line)) is not None]
        if not entries:
            return {}
        _check_settings(entries[0].get("settings"), self._settings, self.path)
        by_id = {_identity(item): item for item in items}
        found = {}
        for entry in entries[1:]:
            if "set" in entry:
                with suppress(TypeError):
                    self.sets[str(entry["set"])] = SetScore(*entry["score"])
                continue
            item = by_id.get(tuple(entry.get("item", ())))
            if item is not None and entry.get("stamps") == _stamps(item):
                with suppress(KeyError, TypeError, AttributeError):  # a damaged line counts as none
                    scores = {k: CachedScore(*v) for k, v in entry["scores"].items()}
                    files = [FileRow(*row) for row in entry["files"]]
                    found[item] = ItemResult(item, scores, files)
        return found

    def start(self, kept: Iterable[ItemResult]) -> None:
        """Begin the journal anew with what is kept; from now on the Run counts as interrupted."""
        temporary = self.path.with_name(f".{JOURNAL}.tmp")
        try:
            for left_by_a_kill in self.path.parent.glob(".*.tmp"):
                left_by_a_kill.unlink()
            self._out = temporary.open("w", encoding="utf-8")
            self._line({"settings": self._settings})
            for result in kept:
                self.add(result)
            for key, score in self.sets.items():
                self.add_set(key, score)
            temporary.replace(self.path)
            (self.path.parent / MANIFEST).unlink(missing_ok=True)
        except OSError as error:
            raise explain(error, self.path) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def add(self, result: ItemResult) -> None:
        """Append a finished picture.

        Raises:
            OutputError: it cannot be written.
        """
        self._line(
            {
                "item": _identity(result.item),
                "stamps": _stamps(result.item),
                "scores": {name: astuple(score) for name, score in result.scores.items()},
                "files": [astuple(row) for row in result.files],
            }
        )

    def add_set(self, key: str, score: SetScore) -> None:
        """Append the value of a whole set; `key` says of which, and of which pictures.

        Raises:
            OutputError: it cannot be written.
        """
        self._line({"set": key, "score": astuple(score)})

    def _line(self, entry: dict[str, Any]) -> None:
        try:
            self._out.write(json.dumps(entry) + "\n")
            self._out.flush()
        except OSError as error:
            raise explain(error, self.path) from error

    def remove(self) -> None:
        """The Run is complete and needs no journal."""
        with suppress(OSError):
            self._out.close()
            self.path.unlink(missing_ok=True)


def _identity(item: Item) -> tuple[Any, ...]:
    paths = (item.image, item.reference, item.lr)
    return (
        item.dataset,
        item.content,
        item.scale,
        item.method,
        *(str(path.absolute()) if path else None for path in paths),
    )


def _stamps(item: Item) -> list[list[int] | None]:
    """Size and time of change of the item's files."""
    stamps: list[list[int] | None] = []
    for path in (item.image, item.reference, item.lr):
        try:
            status = path.stat() if path else None
        except OSError:
            status = None
        stamps.append([status.st_size, status.st_mtime_ns] if status else None)
    return stamps


def _parse(line: str) -> dict[str, Any] | None:
    """An entry, or None for a line that was cut off when the process was killed."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _check_settings(old: Any, new: dict[str, Any], path: Path) -> None:
    before = old if isinstance(old, dict) else {}
    changed = [key for key in new if json.dumps(before.get(key)) != json.dumps(new[key])]
    if changed:
        raise RunError(
            f"The interrupted Run in {path.parent} was made with other settings "
            f"({', '.join(changed)}).",
            hint="Give its own options again, or --overwrite to begin anew.",
        )
