"""Frames of a study that is under way, so that a large one stays quick to look at.

Only answers that are new are read. A frame is made anew after new answers or decisions; one that
takes long is made beside the page, which shows the last one until then.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic, thread_time
from typing import Any, Generic, TypeVar

from sqlalchemy.engine import RowMapping

from srqa.errors import SrqaError
from srqa.study.store import Latest
from srqa.study.study import Study

T = TypeVar("T")
SLOW = 2.0
"""Seconds of processor time from which a frame is renewed beside the page."""
REST = 9.0
"""A slow frame is left alone for this many times what it took, while only answers are new."""


@dataclass(frozen=True)
class Frame(Generic[T]):
    """What was made, and of what.

    Attributes:
        mark: tells what it was made of.
        made: what was made.
        cost: seconds of processor time that it took.
        rest_until: when it may be renewed, on the clock `monotonic`.
    """

    mark: Hashable
    made: T
    cost: float
    rest_until: float


class Live:
    """What was made of a study's answers last.

    Attributes:
        study: the study.
        reads: answers read from the database so far.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.reads = 0
        self._rows: list[RowMapping] = []
        self._decided: Hashable = None
        self._reading = Lock()
        self._frames: dict[str, Frame[Any]] = {}
        self._turns: dict[str, Lock] = {}
        self._renewing: dict[str, Thread] = {}

    def answers(self) -> list[RowMapping]:
        """Answers that count, in order of arrival, as `Store.answers` gives them.

        All are read again after a decision, and where one was committed later than its number says.
        """
        with self._reading:
            now = self.study.store.latest()
            same = bool(self._rows) and self._decided == now.decided
            if same and now.answers != len(self._rows):
                new = self.study.store.answers(after=self._rows[-1]["id"])
                self.reads += len(new)
                self._rows = self._rows + new
            if self._decided != now.decided or now.answers != len(self._rows):
                self._rows = self.study.store.answers()
                self.reads += len(self._rows)
                self._decided = now.decided
            return self._rows

    def frame(self, name: str, mark: Hashable, make: Callable[[], T]) -> Frame[T]:
        """What `make` gave for this mark; of a slow one, perhaps what it gave for an earlier mark.

        Args:
            name: of the frame.
            mark: what it is made of; another mark makes it old.
            make: makes it.
        """
        with self._turns.setdefault(name, Lock()):
            kept = self._frames.get(name)
            if kept is None or (kept.mark != mark and kept.cost <= SLOW):
                kept = self._make(name, mark, make)
            elif kept.mark != mark and (_decided(mark, kept.mark) or monotonic() > kept.rest_until):
                self._renew(name, mark, make)
            return kept

    def wait(self) -> None:
        """Wait until nothing is being renewed."""
        for thread in list(self._renewing.values()):
            thread.join()

    def _make(self, name: str, mark: Hashable, make: Callable[[], Any]) -> Frame[Any]:
        begun = thread_time()
        made = make()
        cost = thread_time() - begun
        rest = REST * cost if cost > SLOW else 0.0
        kept = self._frames[name] = Frame(mark, made, cost, monotonic() + rest)
        return kept

    def _renew(self, name: str, mark: Hashable, make: Callable[[], Any]) -> None:
        last = self._renewing.get(name)
        if last is not None and last.is_alive():
            return

        def run() -> None:
            try:
                self._make(name, mark, make)
            except SrqaError:  # the database is away: the next look tries again
                return

        thread = self._renewing[name] = Thread(target=run, name=f"srqa {name}", daemon=True)
        thread.start()


def _decided(mark: Hashable, earlier: Hashable) -> bool:
    """Whether more than new answers lie between two marks."""
    if isinstance(mark, Latest) and isinstance(earlier, Latest):
        return mark.decided != earlier.decided
    return False


def live(study: Study) -> Live:
    """The study's frames; one for all who look at it in this process."""
    found: Live = study.caches.setdefault("live", Live(study))
    return found
