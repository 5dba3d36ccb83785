"""The loop: a step, and what comes between steps."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from srqa.degradation.model import Degradation
from srqa.degradation.presets import degradation
from srqa.errors import RunError, UsageError
from srqa.files import make_folder
from srqa.journal import alone
from srqa.training import journal, state
from srqa.training.batches import Batches
from srqa.training.card import Kept, keep
from srqa.training.parallel import Group, processes
from srqa.training.pictures import Data, Progress, load
from srqa.training.settings import Settings
from srqa.training.state import State
from srqa.training.step import DivergedError, Step
from srqa.training.validation import Validation

if TYPE_CHECKING:
    from srqa.training.batches import Batch
    from srqa.weights.store import Progress as Fetching


@dataclass(frozen=True, slots=True)
class Running:
    """How a training is run; nothing of it changes what comes out, precision aside.

    Attributes:
        device: "cpu", "cuda" or "cuda:N".
        mixed: half precision where it is safe, on a GPU.
        workers: threads that make batches.
        log_every, validate_every, save_every: steps between records, looks and checkpoints.
    """

    device: str = "cpu"
    mixed: bool = True
    workers: int = 1
    log_every: int = 100
    validate_every: int = 1000
    save_every: int = 1000

    def __post_init__(self) -> None:
        for name in ("workers", "log_every", "validate_every", "save_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is at least 1, not {getattr(self, name)}.")


@dataclass(frozen=True, slots=True)
class Telling:
    """What is called while a training goes on; all of it may be left out.

    Attributes:
        reading: while pictures are read.
        fetching: while trained numbers of losses and metrics are fetched.
        step: (done, of how many) after each step.
        record: each record of the log as it is written.
        note: sentences that users should know.
    """

    reading: Progress | None = None
    fetching: Fetching | None = None
    step: Callable[[int, int], None] | None = None
    record: Callable[[journal.Record], None] = field(default=lambda record: None)
    note: Callable[[str], None] = field(default=lambda note: None)


def train(
    settings: Settings,
    out: Path,
    *,
    running: Running | None = None,
    resume: bool = False,
    telling: Telling | None = None,
) -> Kept:
    """Train a network, from the beginning or from a folder's checkpoint.

    The folder gets `log.jsonl`, `checkpoint.pt`, and at each checkpoint the network as it is then:
    `MODEL-xSCALE.safetensors`, which `srqa upscale --weights` runs, with its card beside it.

    Args:
        settings: what decides the result.
        out: the folder.
        running: how it is run.
        resume: go on from the checkpoint; on a CPU the result is that of a training that was never
            interrupted, bit for bit.
        telling: what is called meanwhile.

    Returns:
        Where the network was kept, and its card.

    Raises:
        UsageError: settings that contradict each other.
        InputError, ReadError, PairingError: pictures that cannot be used.
        RunError: the folder holds a training already, or another one than that to go on with.
        OutputError: the folder cannot be written.
        WeightsError: trained numbers of a loss cannot be had.
        DivergedError: a loss was NaN or infinite.
        KeyboardInterrupt: after an interrupt, once the checkpoint is written.
    """
    running, telling = running or Running(), telling or Telling()
    with processes(running.device) as group:
        if group.rank > 0:
            telling = Telling()
        else:
            make_folder(out)
        with _alone(out, group, resume):
            return _Training(settings, out, running, telling, group).run(resume)


class _Training:
    """One call of `train`, inside its folder's lock."""

    def __init__(
        self, settings: Settings, out: Path, running: Running, telling: Telling, group: Group
    ) -> None:
        self.settings, self.out, self.running = settings, out, running
        self.telling, self.group = telling, group
        self.writes = group.rank == 0
        self.degrading = _degradation(settings)
        self.now = State(settings, group.device, mixed=self._mixed)

    @property
    def _mixed(self) -> bool:
        return self.running.mixed and self.group.device != "cpu"

    def run(self, resume: bool) -> Kept:
        """All of it."""
        import torch

        now, part = self.now, self.group.part(self.settings.batch)
        self._prepare_objective()
        self.data = self._read()
        self.sha256 = self.data.sha256
        if resume:
            now.load(self.out, self.sha256)
        self.validation = Validation(
            self.data.validation, self.degrading, self.settings.metrics, self.settings.seed
        )
        if self.writes:
            self._begin()
        torch.backends.cudnn.benchmark = self.group.device != "cpu"
        step = Step(self.group, self._mixed)
        with _interrupts() as interrupted:
            begun = time.perf_counter()
            for batch in self._batches(part):
                try:
                    stop = step(now, batch, interrupted())
                except DivergedError as error:
                    raise self._diverged(str(error), error.hint) from error
                now.seconds += time.perf_counter() - begun
                self._after(stop)
                begun = time.perf_counter()
                if stop and now.steps < self.settings.steps:
                    raise KeyboardInterrupt
        return keep(self.out, now, self.data, self._scores())

    def _prepare_objective(self) -> None:
        import srqa.weights

        objective = self.now.objective
        side, least = self.settings.patch * self.settings.scale, objective.min_side
        if side < least:
            raise UsageError(
                f"The loss {objective.text} needs {least} pixels a side; patches have {side}.",
                f"--patch {math.ceil(least / self.settings.scale)} is enough.",
            )
        if objective.needs_mask:
            raise UsageError("The term mask takes weights of pixels, which a training has not.")
        srqa.weights.pull(objective.weight_files, self.telling.fetching)
        for note in self.now.notes:
            self.telling.note(note)

    def _read(self) -> Data:
        given = self.settings
        data = load(
            given.hr,
            given.validation,
            given.hold_out,
            self.degrading,
            given.patch,
            given.seed,
            self.telling.reading,
        )
        for note in data.notes:
            self.telling.note(note)
        return data

    def _begin(self) -> None:
        """The log begins with bicubic interpolation, or again where the checkpoint was written."""
        if self.now.steps:
            journal.rewind(self.out, self.now.steps)
            return
        (self.out / journal.NAME).unlink(missing_ok=True)
        if len(self.validation):
            scores = self.validation.of_bicubic()
            self._record({"step": 0, "method": "bicubic", "validation": scores})

    def _batches(self, part: tuple[int, int]) -> Iterator[Batch]:
        batches = Batches(
            self.data.training,
            self.degrading,
            patch=self.settings.patch,
            channels=self.now.network.channels,
            seed=self.settings.seed,
        )
        steps = self.now.steps, self.settings.steps
        return batches.following(*steps, *part, self.running.workers)

    def _after(self, stop: bool) -> None:
        """Record, look, save, where it is time to."""
        now, running = self.now, self.running
        last = now.steps == self.settings.steps
        if self.telling.step:
            self.telling.step(now.steps, self.settings.steps)
        if not self.writes:
            return
        looks = len(self.validation) > 0 and (last or now.steps % running.validate_every == 0)
        if last or looks or now.steps % running.log_every == 0:
            record: journal.Record = {
                "step": now.steps,
                "loss": {name: total / now.summed for name, total in now.sums.items()},
                "rate": self.settings.rate_at(now.steps - 1),
                "seconds": round(now.seconds, 3),
            }
            if looks:
                record["validation"] = self.validation.of(now.mean, self.group.device)
            now.sums, now.summed = {}, 0
            self._record(record)
        if last or stop or now.steps % running.save_every == 0:
            if not now.is_finite():
                raise self._diverged(f"Weights were not finite after step {now.steps}.", "")
            now.save(self.out, self.sha256)
            keep(self.out, now, self.data, self._scores())

    def _scores(self) -> list[journal.Record]:
        """Records with validation, of which the card tells the first and the last."""
        return [one for one in journal.read(self.out) if "validation" in one]

    def _record(self, record: journal.Record) -> None:
        journal.write(self.out, record)
        self.telling.record(record)

    def _diverged(self, message: str, hint: str) -> DivergedError:
        path = self.out / state.NAME
        kept = " The last good checkpoint is kept." if path.exists() else ""
        return DivergedError(message + kept, hint)


def _degradation(settings: Settings) -> Degradation:
    return degradation(
        settings.degradation, settings.scale, dict(settings.degradation_settings) or None
    )


@contextmanager
def _alone(out: Path, group: Group, resume: bool) -> Iterator[None]:
    """Be the only training in a folder, and the first unless one is gone on with.

    Raises:
        RunError: another is at work there, or there was one.
    """
    if group.rank > 0:
        yield
        return
    with alone(out / ".lock", f"Another training is writing into {out}."):
        if (out / state.NAME).exists() and not resume:
            raise RunError(
                f"{out} holds a training already.",
                "--resume goes on with it; or choose another --out.",
            )
        yield


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Whether the process was asked to stop, so that it stops between two steps.

    A second interrupt stops at once. Outside the main thread nothing is changed.
    """
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def handle(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {one: signal.signal(one, handle) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
