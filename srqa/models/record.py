"""What was enlarged, and how: a manifest beside the results, and a journal while they are made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from srqa.errors import RunError
from srqa.files import explain, make_folder, write_text

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


class Record:
    """A folder's manifest in the making, held by one process at a time.

    Attributes:
        path: of the manifest.
        settings: all that decides the results.
        chosen: what was chosen when the results were begun, such as the memory that decides the
            size of tiles; kept when they are taken up again.
    """

    def __init__(self, path: Path, settings: dict[str, Any], chosen: dict[str, Any]) -> None:
        from filelock import FileLock

        self.path, self.settings, self.chosen = path, settings, chosen
        self._journal = path.with_name(f".{path.stem}.jsonl")
        self._lock = FileLock(path.with_name(f".{path.stem}.lock"), timeout=0)
        self._done: dict[str, Enlargement] = {}
        self._out: Any = None

    def __enter__(self) -> Record:
        from filelock import Timeout

        make_folder(self.path.parent)
        try:
            self._lock.acquire()
        except Timeout:
            raise RunError(
                f"Another process is enlarging pictures into {self.path.parent}.",
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
        with suppress(OSError, AttributeError):
            self._out.close()
        with suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def begin(self, resume: bool, overwrite: bool) -> dict[str, Enlargement]:
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
                    f"{self.path.parent} holds results of {old.get('model', 'a model')} already "
                    f"({self.path.name}).",
                    hint="--resume goes on with them, --overwrite begins anew.",
                )
            mine = json.loads(json.dumps(self.settings))
            changed = [key for key in {**mine, **old} if old.get(key) != mine.get(key)]
            if changed and resume:
                raise RunError(
                    f"The results in {self.path.parent} were made with other settings "
                    f"({', '.join(changed)}).",
                    hint="Give their own options again, or --overwrite to begin anew.",
                )
            self.chosen = chosen
        self._start()
        return self._done

    def keeps(self, row: Enlargement, source_sha256: str) -> bool:
        """Whether a row of before still stands: the picture is the same, the result untouched."""
        target = self.path.parent / row.output
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
        self._line(asdict(row))

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
        write_text(self.path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        with suppress(OSError):
            self._out.close()
            self._journal.unlink(missing_ok=True)
        return document

    def _before(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Enlargement]] | None:
        try:
            lines = self._journal.read_text(encoding="utf-8", errors="replace").splitlines()
            entries = [entry for line in lines if (entry := _parsed(line)) is not None]
        except OSError:
            entries = []
        if not entries and (manifest := read_manifest(self.path)) is not None:
            entries = [manifest, *manifest.get("pictures", [])]
        if not entries:
            return None
        head, *rows = entries
        done = {row.output: row for entry in rows if (row := _row(entry)) is not None}
        return head.get("settings") or {}, head.get("chosen") or {}, done

    def _start(self) -> None:
        temporary = self._journal.with_suffix(".tmp")
        try:
            self._out = temporary.open("w", encoding="utf-8")
            self._line({"settings": self.settings, "chosen": self.chosen})
            for row in self._done.values():
                self._line(asdict(row))
            temporary.replace(self._journal)
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise explain(error, self._journal) from error

    def _line(self, entry: dict[str, Any]) -> None:
        try:
            self._out.write(json.dumps(entry) + "\n")
            self._out.flush()
        except OSError as error:
            raise explain(error, self._journal) from error


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


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:  # cut off when the process was killed
        return None
    return entry if isinstance(entry, dict) else None


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
