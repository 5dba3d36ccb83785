"""What the zoo holds: the table `zoo.toml` as frozen dataclasses."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from srqa.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from srqa.models.upscaler import Upscaler

PATH = Path(__file__).with_name("zoo.toml")
Kind = Literal["network", "classical"]
MEASURED = (
    "srqa 0.1 on a CPU, float32, 8-bit outputs, protocol sr; low-resolution pictures by MATLAB's "
    "bicubic (x3, x4: clamped borders; x2: of pictures cropped to multiples of 4)"
)
"""How srqa's own figures were made."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A model's score on a test set.

    Attributes:
        data: the test set, for instance "Set5".
        scale: at which the low-resolution pictures were made.
        psnr: dB on Y, the mean of the pictures' values, with as many pixels cut off each edge as
            the scale says.
        ssim: on Y likewise; None if not known.
        source: where it was read, or how it was measured.
    """

    data: str
    scale: int
    psnr: float
    ssim: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model of the zoo.

    Attributes:
        name: what users type.
        summary: what it is and what it is good for.
        kind: "network" or "classical".
        architecture: as `srqa.models.recognition` names it; "" for classical methods.
        scales: the scales that it can; None for any real number.
        input: what it takes: "RGB", "Y" or "any channels"; values are in [0, 1] always.
        weights: names of weight files by scale, as in `srqa weights list`, or under 0 for all
            scales; empty if the user gives a file.
        any_scale: whether a network does any real scale.
        shrinks: whether smaller scales are the largest one's result, shrunk by bicubic
            interpolation as its authors do.
        where: the page on which its authors publish checkpoints, if the user must fetch them.
        parameters: trained numbers, by scale; under 0 if they are the same for all.
        halo: pixels around a tile of a network whose weights are known, see `Upscaler`.
        inexact: why tiles are not exact.
        code_licence: of the network's definition that is run, SPDX.
        weights_licence: of the trained numbers, SPDX or NOASSERTION; "" where nothing was trained.
        paper: where it is described.
        training: the data that it was trained on.
        published: figures from its paper.
        measured: figures of srqa's own.
        note: what else one should know.
    """

    name: str
    summary: str
    kind: Kind
    paper: str
    architecture: str = ""
    scales: tuple[int, ...] | None = None
    input: str = "RGB"
    weights: dict[int, str] = field(default_factory=dict)
    any_scale: bool = False
    shrinks: bool = False
    where: str = ""
    parameters: dict[int, int] = field(default_factory=dict)
    halo: int | None = None
    inexact: str = ""
    code_licence: str = "Apache-2.0"
    weights_licence: str = ""
    training: str = ""
    published: tuple[Figure, ...] = ()
    measured: tuple[Figure, ...] = ()
    note: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its weight files, each once."""
        return tuple(dict.fromkeys(self.weights.values()))

    @property
    def default(self) -> int:
        """The scale that it takes if none is asked for: the largest with weights."""
        return max(self.weights, default=0) or max(self.scales or (4,))

    def file(self, scale: float | None = None) -> str:
        """The weight file for a scale, by default the largest; "" if there is none."""
        wanted = self.default if scale is None else scale
        known: dict[float, str] = {0.0: ""} | {float(s): name for s, name in self.weights.items()}
        return known.get(float(wanted), known[0.0])

    @property
    def by_checkpoint(self) -> bool:
        """Whether its scale is that of the checkpoint which the user brings."""
        return self.kind == "network" and not self.weights and not self.any_scale

    @property
    def runnable(self) -> bool:
        """Whether it runs by its name alone: a classical method, or weights that can be fetched."""
        return self.kind == "classical" or bool(self.weights)


def _by_scale(table: dict[str, Any]) -> dict[int, Any]:
    return {int(scale): value for scale, value in table.items()}


def _figure(source: str, data: str, scale: int, psnr: float, ssim: float | None = None) -> Figure:
    return Figure(data, scale, psnr, ssim, source)


def _card(name: str, entry: dict[str, Any]) -> ModelCard:
    facts = dict(entry)
    for key in ("weights", "parameters"):
        facts[key] = _by_scale(facts.get(key, {}))
    for key in ("published", "measured"):
        source = facts.pop(f"{key}_source", MEASURED if key == "measured" else "")
        facts[key] = tuple(_figure(source, *row) for row in facts.get(key, []))
    if (scales := facts.get("scales")) is not None:
        facts["scales"] = tuple(scales)
    if facts["kind"] == "classical":
        facts.setdefault("input", "any channels")
    return ModelCard(name=name, **facts)


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[ModelCard, ...]:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(_card(name, entry) for name, entry in document.items())


def cards() -> tuple[ModelCard, ...]:
    """All models of the zoo: classical methods, networks with weights, networks without."""
    from srqa.models.classical import METHODS

    written = {entry.name: entry for entry in _read(PATH)}
    classical = [written.get(name) or _of_method(name, make) for name, make in METHODS.items()]
    return (*classical, *(entry for entry in written.values() if entry.kind == "network"))


def _of_method(name: str, make: Callable[[], Upscaler]) -> ModelCard:
    """The card of a classical method about which `zoo.toml` says nothing."""
    summary = (make.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    return ModelCard(name=name, summary=summary, kind="classical", paper="", input="any channels")


def card(name: str) -> ModelCard:
    """A model of the zoo by its name.

    Raises:
        UsageError: there is none of that name.

    Example:
        >>> card("dat-light").scales
        (2, 3, 4)
    """
    known = {entry.name: entry for entry in cards()}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"There is no model called {name!r}.",
            hint=f"{hint}`srqa models list` names them all; --weights FILE runs any checkpoint.",
        )
    return known[name]
