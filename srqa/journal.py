"""What is finished so far, a JSON object a line, in a folder that one process at a time may fill.

>>> from pathlib import Path
>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     with Journal(Path(folder, "done.jsonl"), Path(folder, ".lock"), "It is taken.") as journal:
...         journal.begin({"settings": 1}, [{"picture": "a"}])
...         journal.append({"picture": "b"})
...         journal.entries()
[{'settings': 1}, {'picture': 'a'}, {'picture': 'b'}]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from srqa.errors import RunError
from srqa.files import explain, make_folder

Entry = dict[str, Any]


class Journal:
    """A file of lines that is open for writing while the lock beside it is held.

    Args:
        path: of the journal.
        lock: a file that exists while the journal is held.
        taken: what to say where another process holds it.
    """

    def __init__(self, path: Path, lock: Path, taken: str) -> None:
        self.path = path
        self._alone: AbstractContextManager[None] = alone(lock, taken)
        self._out: TextIO | None = None

    def __enter__(self) -> Self:
        self._alone.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        self._alone.__exit__(kind, error, trace)

    def entries(self) -> list[Entry]:
        """The lines of before; what a kill cut off is left out.

        Raises:
            RunError: they cannot be read.
        """
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunError(f"{self.path} cannot be read: {error.strerror or error}.") from error
        return [entry for line in lines if (entry := _parsed(line)) is not None]

    def begin(self, head: Mapping[str, Any], kept: Iterable[Mapping[str, Any]]) -> None:
        """Begin anew with a first line and what is kept; the lines of before stay until then.

        Raises:
            OutputError: it cannot be written.
        """
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        try:
            self._out = temporary.open("w", encoding="utf-8")
            self.append(head)
            for entry in kept:
                self.append(entry)
            temporary.replace(self.path)
        except OSError as error:
            raise explain(error, self.path) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Write a line, so that a kill does not lose it.

        Raises:
            OutputError: it cannot be written.
        """
        if self._out is None:
            raise RuntimeError("The journal has not begun.")
        try:
            self._out.write(json.dumps(entry) + "\n")
            self._out.flush()
        except OSError as error:
            raise explain(error, self.path) from error

    def remove(self) -> None:
        """All is done and needs no journal."""
        self._close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._out is not None:
            with suppress(OSError):
                self._out.close()


@contextmanager
def alone(lock: Path, taken: str) -> Iterator[None]:
    """Be the only process that holds a file, which is made for it and goes afterwards.

    Args:
        lock: the file.
        taken: what to say where another process holds it, as a sentence.

    Raises:
        RunError: another process holds it.
        OutputError: it cannot be made.
    """
    from filelock import FileLock, Timeout

    make_folder(lock.parent)
    guard = FileLock(lock, timeout=0)
    try:
        guard.acquire()
    except Timeout:
        raise RunError(taken, "Wait for it, or choose another --out.") from None
    except OSError as error:
        raise explain(error, lock) from error
    try:
        yield
    finally:
        # Unlinked while it is held: afterwards it might be another process's lock already.
        with suppress(OSError):
            lock.unlink(missing_ok=True)
        guard.release()


def _parsed(line: str) -> Entry | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
