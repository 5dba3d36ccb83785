"""What an evaluation has finished so far, a line a picture: `--resume` goes on from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from srqa import journal
from srqa.engine.cache import CachedScore
from srqa.engine.compute import ItemResult
from srqa.engine.results import FileRow, SetScore
from srqa.engine.storage import JOURNAL, MANIFEST
from srqa.errors import RunError
from srqa.files import explain
from srqa.images.layout import Item


class Journal(journal.Journal):
    """The journal of a Run's folder, held by one process at a time."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        taken = f"Another process is writing the Run in {folder}."
        super().__init__(folder / JOURNAL, folder / ".lock", taken)
        self._settings = settings
        self.sets: dict[str, SetScore] = {}
        """Values of whole sets that were finished before, by their keys."""

    def read(self, items: Iterable[Item]) -> dict[Item, ItemResult]:
        """What was finished before, for those of `items` whose files have not changed since.

        Raises:
            RunError: the journal was written under other settings.
        """
        entries = self.entries()
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
        folder = self.path.parent
        try:
            for left_by_a_kill in folder.glob(".*.tmp"):
                left_by_a_kill.unlink()
            self.begin({"settings": self._settings}, self._kept(kept))
            (folder / MANIFEST).unlink(missing_ok=True)
        except OSError as error:
            raise explain(error, self.path) from error

    def _kept(self, kept: Iterable[ItemResult]) -> Iterator[journal.Entry]:
        yield from map(_line_of, kept)
        for key, score in self.sets.items():
            yield _line_of_set(key, score)

    def add(self, result: ItemResult) -> None:
        """Append a finished picture.

        Raises:
            OutputError: it cannot be written.
        """
        self.append(_line_of(result))

    def add_set(self, key: str, score: SetScore) -> None:
        """Append the value of a whole set; `key` says of which, and of which pictures.

        Raises:
            OutputError: it cannot be written.
        """
        self.append(_line_of_set(key, score))


def _line_of(result: ItemResult) -> journal.Entry:
    return {
        "item": _identity(result.item),
        "stamps": _stamps(result.item),
        "scores": {name: astuple(score) for name, score in result.scores.items()},
        "files": [astuple(row) for row in result.files],
    }


def _line_of_set(key: str, score: SetScore) -> journal.Entry:
    return {"set": key, "score": astuple(score)}


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


def _check_settings(old: Any, new: dict[str, Any], path: Path) -> None:
    before = old if isinstance(old, dict) else {}
    changed = [key for key in new if json.dumps(before.get(key)) != json.dumps(new[key])]
    if changed:
        raise RunError(
            f"The interrupted Run in {path.parent} was made with other settings "
            f"({', '.join(changed)}).",
            hint="Give its own options again, or --overwrite to begin anew.",
        )
