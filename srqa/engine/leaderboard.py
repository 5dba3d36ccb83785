"""`leaderboard`: from high-resolution pictures to a ranking of models.

Degrade, upscale, evaluate: each stage finds what is done already and does the rest, so that the
same command goes on after an interruption, and a changed model is the only thing computed anew. In
the folder of the Run lie

- ``hr/``: links to the datasets, where there are several,
- ``lr/x4/``: the inputs, with their manifest,
- ``outputs/MODEL/x4/``: the outputs, with their manifest,

and the Run itself, whose table `models` says what the methods cost.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import srqa
from srqa.engine.choice import Fetching
from srqa.engine.costs import model_row
from srqa.engine.evaluate import evaluate
from srqa.engine.results import ModelRow, Run
from srqa.engine.storage import MANIFEST
from srqa.errors import InputError, RunError, UsageError
from srqa.files import make_folder, write_text
from srqa.images import testsets
from srqa.images.finder import Finder
from srqa.models.cards import card
from srqa.models.folders import Upscaled
from srqa.models.naming import portable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much."""
MARK = "leaderboard.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model that takes part.

    Attributes:
        name: as in the tables.
        scales: at which it takes part.
        weights: the user's own checkpoint, if it is one.
    """

    name: str
    scales: tuple[float, ...]
    weights: Path | None = None


def leaderboard(
    hr: Path | str | Sequence[Path | str],
    models: Sequence[str] | str,
    *,
    out: Path | str,
    scale: float | Sequence[float] = 4,
    metrics: Sequence[str] | str | None = None,
    preset: str = "bi",
    seed: int = 0,
    overwrite: bool = False,
    running: dict[str, Any] | None = None,
    evaluating: dict[str, Any] | None = None,
    progress: Progress | None = None,
    fetching: Fetching | None = None,
    command: str = "",
) -> Run:
    """Degrade pictures, enlarge them again with several models, and evaluate.

    Args:
        hr: folders of high-resolution pictures, or names of test sets that were added
            (`srqa data`). The sub-folders of a single folder are datasets.
        models: names, as in `srqa models list`, or paths of checkpoints.
        out: the folder of the Run, in which inputs and outputs lie as well. What an earlier call
            left there is used as far as it still holds.
        scale: one or several.
        metrics: as of `evaluate`.
        preset, seed: how low resolution is made, as of `srqa.degrade`.
        overwrite: begin anew.
        running: options of `srqa.upscale`: tile, ensemble, device, dtype, threads, memory.
        evaluating: options of `evaluate`: device, dtype, workers, accept_licence, offline.
        progress: called in every stage.
        fetching: called with (what, bytes done, bytes in all or None) while weights are fetched.
        command: recorded in the manifest.

    Returns:
        The Run, written to `out`; `Run.models` says what the models cost.

    Raises:
        UsageError: unknown models, or scales that none can.
        InputError: the pictures cannot be had.
        WeightsError: the weights of a model cannot be had.
        RunError: `out` holds a Run of something else, or another process is at it.
        OutputError: `out` cannot be written.

    Example:
        >>> leaderboard("hr", "bicubic,dat-light", out="runs/board")  # doctest: +SKIP
    """
    folder = Path(out)
    scales = [float(s) for s in (scale if isinstance(scale, Sequence) else [scale])]
    given = [hr] if isinstance(hr, str | Path) else list(hr)
    entrants, notes = find_entrants(models, scales)
    _claim(folder, overwrite)
    reference = _reference(given, folder)
    work = _Board(folder, reference, running or {}, progress, fetching, notes)
    for one in scales:
        work.degrade(one, preset, seed)
    places, rows, settings = [], [], []
    for entrant in entrants:
        for one in entrant.scales:
            made = work.upscale(entrant, one)
            rows.append(work.cost(entrant, one, made))
            places.append(made.folder)
            settings.append(made.settings)
    run = work.evaluate(places, scales, metrics, evaluating or {}, command)
    run.model_rows = rows
    run.manifest["leaderboard"] = {"preset": preset, "seed": seed, "upscaling": settings}
    run.manifest["warnings"] = [*run.manifest.get("warnings", []), *work.notes]
    run.save(folder)
    return run


def find_entrants(
    models: Sequence[str] | str, scales: Sequence[float]
) -> tuple[list[Entrant], list[str]]:
    """The models that take part and at which scales, and notes on those that cannot all.

    Raises:
        UsageError: an unknown model, one that is named twice, or no scale that a model can.
    """
    wanted = models.split(",") if isinstance(models, str) else list(models)
    wanted = [name.strip() for name in wanted if name.strip()]
    if not wanted:
        raise UsageError("No models are given.", "--models bicubic,dat-light (`srqa models list`).")
    found, notes = [], []
    for text in wanted:
        path = Path(text)
        if path.suffix and path.is_file():
            found.append(Entrant(path.stem, tuple(scales), path))
            continue
        can = card(text).scales
        usable = tuple(s for s in scales if can is None or s in can)
        left = [s for s in scales if s not in usable]
        if not usable:
            raise UsageError(
                f"{text} enlarges by {', '.join(f'x{s}' for s in can or ())}, and none of the "
                f"scales that are asked for ({', '.join(f'x{s:g}' for s in scales)}).",
                "Leave it out, or ask for a scale that it can.",
            )
        if left:
            words = ", ".join(f"x{s:g}" for s in left)
            notes.append(f"{text} does not enlarge by {words} and takes no part there.")
        found.append(Entrant(text, usable))
    names = [entrant.name for entrant in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"{twice} is named twice among the models.")
    return found, notes


def _claim(folder: Path, overwrite: bool) -> None:
    """Make sure that the folder is ours to write into."""
    mark = folder / MARK
    if (folder / MANIFEST).exists() and not mark.exists() and not overwrite:
        raise RunError(
            f"{folder} holds a Run that is no leaderboard.",
            hint="Choose another --out, or --overwrite to replace it.",
        )
    make_folder(folder)
    if overwrite:
        for name in ("hr", "lr", "outputs"):
            _remove(folder / name)
    write_text(mark, json.dumps({"srqa": srqa.__version__}) + "\n")


def _remove(place: Path) -> None:
    if place.is_symlink():
        place.unlink()
    elif place.is_dir():
        for inner in place.iterdir():
            if inner.is_symlink():  # never what a link leads to
                inner.unlink()
        shutil.rmtree(place)


def _reference(given: Sequence[Path | str], folder: Path) -> Path:
    """The one folder of references: what was given, or links to all of it."""
    places: dict[str, Path] = {}
    for one in given:
        path = Path(one)
        found = path if path.exists() else testsets.find(str(one))
        name = path.resolve().name if path.exists() else str(one).lower()
        if places.setdefault(name, found) != found:
            raise UsageError(f"Two of the datasets are called {name}.", "Rename one folder.")
    if not places:
        raise UsageError("No pictures are given.", "Name a folder or a test set.")
    if len(places) == 1 and Path(given[0]).exists():
        return next(iter(places.values()))
    hr = folder / "hr"
    make_folder(hr)
    for old in hr.iterdir():
        if old.name not in places:
            _remove(old)
    for name, place in places.items():
        _link(hr / name, place)
    return hr


def _link(link: Path, place: Path) -> None:
    """A link to a folder, or a copy where links cannot be made."""
    if link.is_symlink() and link.resolve() == place.resolve():
        return
    _remove(link)
    try:
        link.symlink_to(place.resolve(), target_is_directory=True)
    except OSError:
        shutil.copytree(place, link)


class _Board:
    """The stages of one leaderboard, and what is to be said about them."""

    def __init__(
        self,
        folder: Path,
        reference: Path,
        running: dict[str, Any],
        progress: Progress | None,
        fetching: Fetching | None,
        notes: Sequence[str],
    ) -> None:
        self._folder, self._reference = folder, reference
        self._running, self._progress, self._fetching = running, progress, fetching
        self.notes = list(notes)
        self._failed = False

    def degrade(self, scale: float, preset: str, seed: int) -> None:
        """The inputs of one scale."""
        from srqa.degradation.api import degrade
        from srqa.degradation.folders import Degraded, told

        def make(resume: bool) -> Degraded:
            return degrade(
                self._reference,
                scale,
                out=self._inputs(scale),
                preset=preset,
                seed=seed,
                resume=resume,
                overwrite=not resume,
                progress=self._step(f"degrading x{scale:g}"),
            )

        made = resumed(make)
        if made.failed and len(made.failed) == len(made.records):
            raise InputError(f"No picture can be degraded by {scale:g}: {told(made.failed[0])}.")
        tidy(made.folder, [made.folder / one.lr for r in made.records for one in r.files])
        for record in made.failed:
            self._failed = True
            self.notes.append(f"Not degraded: {told(record)}")

    def upscale(self, entrant: Entrant, scale: float) -> Upscaled:
        """The outputs of one model at one scale."""
        from srqa.models.upscaling import upscale_files

        place = self._folder / "outputs" / portable(entrant.name) / f"x{scale:g}"

        def make(resume: bool) -> Upscaled:
            return upscale_files(
                self._inputs(scale),
                "" if entrant.weights else entrant.name,
                weights=entrant.weights,
                scale=scale,
                out=place,
                progress=self._step(f"{entrant.name} x{scale:g}"),
                fetching=self._fetching,
                resume=resume,
                overwrite=not resume,
                **self._running,
            )

        made = resumed(make)
        tidy(made.folder, made.outputs)
        if not made.outputs:
            raise InputError(f"{entrant.name} enlarges none: {made.problems[0].problem}")
        for row in made.problems:
            self._failed = True
            self.notes.append(f"{entrant.name} x{scale:g} has no output: {row.problem}")
        self.notes += [note for note in made.notes if note not in self.notes]
        return made

    def cost(self, entrant: Entrant, scale: float, made: Upscaled) -> ModelRow:
        """What the model costs, counted once."""
        if self._progress:
            self._progress(f"counting what {entrant.name} x{scale:g} costs", 0, 1)
        return model_row(entrant.name, scale, made, entrant.weights)

    def evaluate(
        self,
        places: Sequence[Path],
        scales: Sequence[float],
        metrics: Sequence[str] | str | None,
        options: dict[str, Any],
        command: str,
    ) -> Run:
        """The Run of all outputs."""

        def make(resume: bool) -> Run:
            return evaluate(
                list(places),
                self._reference,
                lr=self._folder / "lr",
                metrics=metrics,
                layout=self._layout(),
                scale=scales[0] if len(scales) == 1 else None,
                on_mismatch="modcrop" if self._must_crop(scales) else "error",
                on_missing="skip" if self._failed else "error",
                out=self._folder,
                progress=self._step("evaluating"),
                fetching=self._fetching,
                command=command,
                resume=resume,
                overwrite=not resume,
                **options,
            )

        return resumed(make)

    def _inputs(self, scale: float) -> Path:
        return self._folder / "lr" / f"x{scale:g}"

    def _step(self, what: str) -> Callable[[int, int], None] | None:
        progress = self._progress
        if progress is None:
            return None
        return lambda done, total: progress(what, done, total)

    def _layout(self) -> str | None:
        """Where the dataset stands in outputs' paths if a folder such as `HR` stands below it."""
        folders = {found.folders for found in Finder(frozenset()).find(self._reference)}
        below = {parts[-1] for parts in folders if len(parts) == 2}
        if len(below) != 1 or any(len(parts) != 2 for parts in folders):
            return None
        (role,) = below
        return None if set(role) & set("{}") else f"{{dataset}}/{role}/{{content}}.png"

    def _must_crop(self, scales: Sequence[float]) -> bool:
        """Whether some picture's sides are no multiples of a scale."""
        return any(
            abs(side / scale - round(side / scale)) > 1e-9
            for size in _sizes(self._reference)
            for side in size
            for scale in scales
        )


def resumed(make: Callable[[bool], T]) -> T:
    """Go on with what is there; what was made with other settings is made anew."""
    try:
        return make(True)
    except RunError as error:
        if "other settings" not in str(error):
            raise
        return make(False)


def tidy(folder: Path, wanted: Iterable[Path]) -> None:
    """Remove what was made of pictures that take no part any more, or it would be evaluated."""
    kept = {path.resolve() for path in wanted}
    for found in Finder(frozenset()).find(folder) if kept else ():
        if Path(found.path).resolve() not in kept:
            with suppress(OSError):
                os.unlink(found.path)  # noqa: PTH108


def _sizes(folder: Path) -> Iterator[tuple[int, int]]:
    """Sizes of pictures by their headers; those that cannot be read tell none."""
    import warnings

    from PIL import Image

    for found in Finder(frozenset()).find(folder):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with Image.open(found.path) as image:
                    yield image.size
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
