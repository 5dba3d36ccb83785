"""What is trained, on what, and how: everything that decides the result."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast

from srqa.errors import InputError, UsageError
from srqa.training.networks import build, trainable

Schedule = Literal["cosine", "constant", "halving"]
SCHEDULES: tuple[Schedule, ...] = ("cosine", "constant", "halving")
_LISTS = ("hr", "validation", "metrics")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides what comes out of a training.

    Attributes:
        model: a network of `srqa.training.networks.TRAINABLE`.
        scale: high over low resolution.
        hr: folders or files of high-resolution pictures.
        options: sizes of the network, where they differ from the paper's.
        degradation: what makes low resolution: a preset of `srqa.degradation.presets`.
        degradation_settings: fields of `Classical` that shall be otherwise.
        loss: a sum of terms, as `srqa.losses.parse` reads it.
        steps: updates of the network.
        batch: patches a step, over all processes.
        patch: their side in pixels of the low resolution.
        rate: the learning rate of Adam; None for the one that suits the network.
        schedule: of the learning rate: "cosine" to 0, "constant", or "halving" at half, three
            quarters and nine tenths of the steps.
        ema: decay of the mean of weights that is validated and kept; 0 for the weights themselves.
        seed: of all chance.
        validation: folders or files of pictures that are not trained on.
        hold_out: where there are none, so many of `hr` are held out; None for a tenth, at most 8.
        metrics: full-reference metrics of validation.
        start: a checkpoint whose weights to begin with.

    Raises:
        UsageError: a value that makes no sense.
    """

    model: str
    scale: int
    hr: tuple[str, ...]
    options: Mapping[str, int] = field(default_factory=dict)
    degradation: str = "bi"
    degradation_settings: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "l1"
    steps: int = 20_000
    batch: int = 16
    patch: int = 24
    rate: float | None = None
    schedule: Schedule = "cosine"
    ema: float = 0.999
    seed: int = 0
    validation: tuple[str, ...] = ()
    hold_out: int | None = None
    metrics: tuple[str, ...] = ("psnr-y",)
    start: str = ""

    def __post_init__(self) -> None:
        if not self.hr:
            raise UsageError("Training needs high-resolution pictures: --hr FOLDER.")
        for name, least in (("steps", 1), ("batch", 1), ("patch", 4), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise UsageError(f"{name} is a whole number from {least}, not {value!r}.")
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise UsageError(f"The learning rate is a positive number, not {self.rate!r}.")
        if self.schedule not in SCHEDULES:
            raise UsageError(f"A schedule is {' or '.join(SCHEDULES)}, not {self.schedule!r}.")
        if not 0 <= self.ema < 1:
            raise UsageError(f"ema lies between 0 and 1, 1 left out; not {self.ema!r}.")
        if self.hold_out is not None and self.hold_out < 0:
            raise UsageError(f"hold-out is a number of pictures, not {self.hold_out!r}.")
        build(self.model, self.scale, self.options)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        top = self.rate or trainable(self.model).rate
        done = step / self.steps
        if self.schedule == "cosine":
            return top * 0.5 * (1 + math.cos(math.pi * done))
        if self.schedule == "halving":
            return top * 0.5 ** sum(done >= part for part in (0.5, 0.75, 0.9))
        return top

    def describe(self) -> dict[str, Any]:
        """The settings as plain values, the learning rate filled in."""
        facts = {key: _plain(value) for key, value in asdict(self).items()}
        return facts | {"rate": self.rate or trainable(self.model).rate}

    @property
    def text(self) -> str:
        """The same as one line of JSON, equal for equal settings."""
        return json.dumps(self.describe(), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value


def read(path: Path) -> dict[str, Any]:
    """What a configuration file says, as arguments of `Settings`.

    Keys are the names of `Settings`; `degradation` may be a table with `preset` and settings.
    Paths in it are relative to where the command runs.

    Raises:
        InputError: it cannot be read, or is no TOML.
        UsageError: a key that no training knows.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "train.toml")
        ...     _ = file.write_text('model = "espcn"\\n[degradation]\\npreset = "bi"\\nnoise = 5')
        ...     read(file)
        {'model': 'espcn', 'degradation': 'bi', 'degradation_settings': {'noise': 5}}
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}.") from error
    given = {key.replace("-", "_"): value for key, value in document.items()}
    known = {f.name for f in fields(Settings)}
    if unknown := sorted(set(given) - known):
        raise UsageError(
            f"{path}: there is no setting {unknown[0]!r}.", f"There are {_all(known)}."
        )
    if isinstance(given.get("degradation"), dict):
        table = dict(given["degradation"])
        given["degradation"] = table.pop("preset", "bi")
        given["degradation_settings"] = {k: _ranged(v) for k, v in table.items()}
    for key in _LISTS:
        if isinstance(given.get(key), str):
            given[key] = [given[key]]
        if key in given:
            given[key] = tuple(given[key])
    return given


def _ranged(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _all(names: set[str]) -> str:
    return ", ".join(sorted(names))


def made(given: Mapping[str, Any]) -> Settings:
    """Settings from plain values, whose types are checked.

    Raises:
        UsageError: a value of the wrong type, or one that makes no sense.
    """
    for name in ("model", "scale"):
        if not given.get(name):
            raise UsageError(f"Training needs a {name}.", hint=f"--{name}, or in --config.")
    kinds: dict[str, type | tuple[type, ...]] = {
        **dict.fromkeys(("model", "degradation", "loss", "schedule", "start"), str),
        **dict.fromkeys(("scale", "steps", "batch", "patch", "seed"), int),
        **dict.fromkeys(("rate", "ema"), (int, float)),
        **dict.fromkeys(("options", "degradation_settings"), dict),
    }
    for name, kind in kinds.items():
        if given.get(name) is not None and not isinstance(given[name], kind):
            raise UsageError(f"{name} cannot be {given[name]!r}.")
    return Settings(**cast("dict[str, Any]", {k: v for k, v in given.items() if v is not None}))
