"""What was enlarged, and how: a manifest beside the results, and a journal while they are made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from srqa.errors import RunError
from srqa.files import write_text
from srqa.journal import Journal

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Enlargement:
    """One picture that was enlarged, or could not be.

    Attributes:
        input: its path relative to what was given.
        output: the result's path relative to the manifest.
        input_sha256, output_sha256: of the files.
        input_size, output_size: [width, height]; zeros where there is none.
        seconds: in which the model ran.
        tile: side of the tiles in pixels of the input; None for the whole picture.
        dtype: in which the network computed.
        peak_memory: bytes that tensors took at most on the card; 0 on a CPU, where nobody counts.
        notes: what was done on the way.
        problem: why there is no result, or an empty text.
    """

    input: str
    output: str
    input_sha256: str = ""
    output_sha256: str = ""
    input_size: tuple[int, int] = (0, 0)
    output_size: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    tile: int | None = None
    dtype: str = "float32"
    peak_memory: int = 0
    notes: tuple[str, ...] = ()
    problem: str = ""


def sha256_of(path: Path) -> str:
    """The hash of a file, or an empty text if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


class Record(Journal):
    """A folder's manifest in the making, held by one process at a time.

    Attributes:
        manifest: its path.
        settings: all that decides the results.
        chosen: what was chosen when the results were begun, such as the memory that decides the
            size of tiles; kept when they are taken up again.
    """

    def __init__(self, manifest: Path, settings: dict[str, Any], chosen: dict[str, Any]) -> None:
        super().__init__(
            manifest.with_name(f".{manifest.stem}.jsonl"),
            manifest.with_name(f".{manifest.stem}.lock"),
            f"Another process is enlarging pictures into {manifest.parent}.",
        )
        self.manifest, self.settings, self.chosen = manifest, settings, chosen
        self._done: dict[str, Enlargement] = {}

    def start(self, resume: bool, overwrite: bool) -> dict[str, Enlargement]:
        """What was finished before, by output; what is there stays unless `overwrite`.

        Raises:
            RunError: results are there and neither was asked for, or they were made with other
                settings.
        """
        before = self._before()
        if before is not None and not overwrite:
            old, chosen, self._done = before
            if not resume and any(not row.problem for row in self._done.values()):
                raise RunError(
                    f"{self.manifest.parent} holds results of {old.get('model', 'a model')} "
                    f"already ({self.manifest.name}).",
                    hint="--resume goes on with them, --overwrite begins anew.",
                )
            mine = json.loads(json.dumps(self.settings))
            changed = [key for key in {**mine, **old} if old.get(key) != mine.get(key)]
            if changed and resume:
                raise RunError(
                    f"The results in {self.manifest.parent} were made with other settings "
                    f"({', '.join(changed)}).",
                    hint="Give their own options again, or --overwrite to begin anew.",
                )
            self.chosen = chosen
        rows = (asdict(row) for row in self._done.values())
        self.begin({"settings": self.settings, "chosen": self.chosen}, rows)
        with suppress(OSError):
            self.manifest.unlink(missing_ok=True)
        return self._done

    def keeps(self, row: Enlargement, source_sha256: str) -> bool:
        """Whether a row of before still stands: the picture is the same, the result untouched."""
        target = self.manifest.parent / row.output
        return (
            not row.problem
            and row.input_sha256 == source_sha256
            and sha256_of(target) == row.output_sha256
        )

    def add(self, row: Enlargement) -> None:
        """Note a picture that is finished.

        Raises:
            OutputError: it cannot be written.
        """
        self._done[row.output] = row
        self.append(asdict(row))

    def finish(self, rows: Iterable[Enlargement]) -> dict[str, Any]:
        """Write the manifest; the journal goes.

        Raises:
            OutputError: it cannot be written.
        """
        document = {
            "schema": SCHEMA,
            "settings": self.settings,
            "chosen": self.chosen,
            "pictures": [asdict(row) for row in rows],
        }
        write_text(self.manifest, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        self.remove()
        return document

    def _before(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Enlargement]] | None:
        try:
            entries = self.entries()
        except RunError:
            entries = []
        if not entries and (manifest := read_manifest(self.manifest)) is not None:
            entries = [manifest, *manifest.get("pictures", [])]
        if not entries:
            return None
        head, *rows = entries
        done = {row.output: row for entry in rows if (row := _row(entry)) is not None}
        return head.get("settings") or {}, head.get("chosen") or {}, done


def read_manifest(path: Path) -> dict[str, Any] | None:
    """A manifest's content, or None if there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and "settings" in found else None


def rows_of(document: dict[str, Any]) -> list[Enlargement]:
    """The rows of a manifest."""
    return [row for entry in document.get("pictures", []) if (row := _row(entry)) is not None]


def _row(entry: dict[str, Any]) -> Enlargement | None:
    known = {field.name for field in fields(Enlargement)}
    try:
        given: dict[str, Any] = {key: _plain(entry[key]) for key in known & set(entry)}
        row = Enlargement(**given)
    except TypeError:
        return None
    return row


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
