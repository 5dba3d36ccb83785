"""What is to be computed: items, metrics, and the settings under which their numbers are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from srqa import weights
from srqa.engine.cache import digest
from srqa.engine.protocol import Mismatch, Protocol, signature
from srqa.errors import InputError
from srqa.images.layout import Item
from srqa.images.read import DecodePolicy
from srqa.metrics.spec import MetricSpec

Dtype = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides a number, apart from the pictures.

    Attributes:
        metrics: in the order asked for.
        protocol: how pixels become planes.
        policy: how files become pixels.
        mismatch: what happens when sizes differ.
        device: "cpu", "cuda", "cuda:1", ...
        batch_size: pictures computed together on tensors; 1 on the CPU takes the numpy engine.
        workers: threads that read, decode and (on the CPU) compute.
        dtype: in which networks compute: "float32" or "bfloat16".
        memory: bytes that the maps of networks may take, of all workers together.
        given: numbers that only the user has, by their name and by the output's.
        version: of srqa.
    """

    metrics: tuple[MetricSpec, ...]
    protocol: Protocol
    policy: DecodePolicy
    mismatch: Mismatch
    device: str
    batch_size: int
    workers: int
    version: str
    dtype: Dtype = "float32"
    memory: int = 4 * 2**30
    given: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def on_tensors(self) -> bool:
        """Whether metrics are computed by torch on batches instead of numpy picture by picture."""
        return self.device != "cpu" or self.batch_size > 1

    @property
    def per_image(self) -> tuple[MetricSpec, ...]:
        """The metrics that give a value for each picture."""
        return tuple(spec for spec in self.metrics if spec.level == "image")

    @property
    def computed(self) -> tuple[MetricSpec, ...]:
        """Those of `per_image` that are computed from pixels, not from other metrics' values."""
        return tuple(spec for spec in self.per_image if not spec.parts)

    @property
    def per_set(self) -> tuple[MetricSpec, ...]:
        """The metrics that give one value for all outputs of a method."""
        return tuple(spec for spec in self.metrics if spec.level == "set")

    def signature(self, spec: MetricSpec, scale: float | None, samples: int = 0) -> str:
        """What must be quoted with a number of `spec`; `samples` of a set, if it is of one."""
        chosen = (("alpha", self.policy.alpha, "refuse"), ("icc", self.policy.icc, "ignore"))
        choices = [f"{what} {value}" for what, value, default in chosen if value != default]
        if self.mismatch != "error":
            choices.append(f"sizes {self.mismatch}")
        if self.dtype != "float32" and spec.features:
            choices.append(self.dtype)
        if spec.parts:
            choices.append(spec.settings.rpartition("; ")[2])
        return signature(spec, self.protocol, scale, self.version, choices, samples)

    def given_for(self, spec: MetricSpec, item: Item) -> tuple[float, ...]:
        """The number of the user's that `spec` takes for this output, if it takes one.

        Raises:
            InputError: it takes one, and there is none for this output.
        """
        if not spec.given:
            return ()
        number = self.given.get(spec.given, {}).get(item.name)
        if number is None:
            raise InputError(f"there is no {spec.given.title()} score for {item.name}")
        return (number,)

    def key(self, spec: MetricSpec, item: Item, hashes: Sequence[str]) -> bytes:
        """The cache key of one score: the pictures' content and all that decides the number."""
        rules = {
            k: v for k, v in self.protocol.describe().items() if k not in ("name", "description")
        }
        return digest(
            spec.name,
            spec.version,
            self.signature(spec, item.scale).split(" | ")[2] if spec.provider else "",
            list(hashes),
            item.scale,
            rules,
            self.policy.describe(),
            self.mismatch,
            [weights.get(name).sha256 for name in spec.weights],
            self.given.get(spec.given, {}).get(item.name),
            self.dtype if spec.features else "float32",
            self.device.split(":")[0] if self.on_tensors else "cpu",
        )

    def settings(self) -> dict[str, Any]:
        """What must agree for an interrupted Run to be taken up again."""
        return {
            "metrics": [spec.name for spec in self.metrics],
            "protocol": self.protocol.describe(),
            "decode_policy": self.policy.describe(),
            "on_mismatch": self.mismatch,
            "dtype": self.dtype,
            "given": {name: digest(table).hex() for name, table in self.given.items()},
        }


def with_scales(items: Sequence[Item]) -> list[Item]:
    """Items with the scales that their LR pictures tell, where nothing else did.

    An LR picture that cannot be read tells none: the others speak for it if they agree.
    """
    known = [_scale_from_lr(item) for item in items]
    told = {item.scale for item in known}
    if len(told) != 2 or None not in told:
        return known
    (scale,) = told - {None}
    return [replace(item, scale=scale) if item.lr else item for item in known]


def _scale_from_lr(item: Item) -> Item:
    """The item with the scale that its reference (or itself) and its LR picture tell."""
    if item.scale is not None or item.lr is None:
        return item
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # only headers are read
            with Image.open(item.reference or item.image) as large, Image.open(item.lr) as small:
                ratio = large.width / small.width
    except (OSError, ValueError, SyntaxError, ZeroDivisionError, Image.DecompressionBombError):
        return item  # the engine will say what is wrong with the file
    near = round(ratio)
    return replace(item, scale=float(near if abs(ratio - near) < 0.1 else round(ratio, 2)))
