"""What srqa knows of a metric: one frozen dataclass, `MetricSpec`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Kind = Literal["fr", "nr", "lr"]
Input = Literal["rgb", "y", "gray"]
INF = float("inf")


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a metric agrees with people, as somebody published it.

    Attributes:
        measure: "2AFC" (share of people's choices between two pictures that it predicts), "SROCC",
            "PLCC", ...
        value: of that measure.
        data: the people's answers that it was measured on.
        source: the paper.
        ceiling: what people reach against one another on the same data, where that is known.
    """

    measure: str
    value: float
    data: str
    source: str
    ceiling: float | None = None


class SetValue(NamedTuple):
    """The value of a whole set, with its 95 % interval (NaN where there is none)."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class MetricSpec:
    """A metric: a pure function on planes, and all that the engine, tables and reports need.

    Planes are a numpy array (C, H, W) of one picture or a tensor (N, C, H, W) of a batch, float,
    values in [0, 1] (Y is 16/255 to 235/255).

    Attributes:
        name: what users type; variants follow a hyphen.
        function: ``f(distorted, reference)`` for kind "fr", ``f(distorted)`` for "nr",
            ``f(distorted, low_resolution)`` for "lr". It returns a float for an array and a tensor
            (N,) for a batch; an additive metric returns the pair (sum of its map, count). At level
            "set" it is ``f(samples of the outputs, samples of the references)``, two lists of what
            `gather` took of each picture, in the same order, and returns a `SetValue`.
        summary: one line.
        kind: full reference, no reference, or against the low-resolution input.
        input: the channel that the protocol hands over.
        version: raised when the definition of the number changes.
        level: a value per image, or one for the whole set.
        rounding: whether Y or grey is rounded as the protocol says, or always to integers.
        crop: "protocol" for the fidelity family, whose border is cut as the protocol says;
            "none" for metrics that see the whole picture.
        higher_is_better: the direction.
        unit: "dB", "px", or "" for a plain number.
        bounds: the lowest and highest possible value.
        min_side: the shortest side in pixels below which there is no value.
        additive: the value is ``finish(sum of a map / count)``: strips, tiles and batches add up.
        halo: rows and columns around a tile that its map needs.
        finish: turns the mean of an additive metric's map into its value.
        gather: level "set": the samples (n, d) of one picture's planes.
        given: name of a number that the user supplies for each output ("ma"); `function` takes it
            after the planes.
        features: names of network maps that can be shared with other metrics.
        whole: why the picture may not be cut into tiles; empty if it may.
        batchable: pictures of one size may be computed together.
        differentiable: gradients flow on tensors.
        code_licence: licence of the implementation.
        weights: names of the weight files it needs.
        weights_licence: of trained numbers that are no weight file (inside srqa, or got by
            `provider`), SPDX.
        parts: names of the metrics that it is made of; `function` then takes their values, in this
            order, instead of planes.
        alert: a value beyond which something else is wrong, and a sentence that says what.
        provider: distribution that computes it, if not srqa; its version joins the signature.
        extra: the extra of srqa that brings the provider, if srqa itself does not.
        settings: what a reader must know to get the same number elsewhere.
        paper: where it is defined.
        guidance: what it is good for and where it misleads.
        agreement: what is published of its agreement with people.
    """

    name: str
    function: Callable[..., Any]
    summary: str
    kind: Kind = "fr"
    input: Input = "rgb"
    version: int = 1
    level: Literal["image", "set"] = "image"
    rounding: Literal["protocol", "uint8"] = "protocol"
    crop: Literal["protocol", "none"] = "protocol"
    higher_is_better: bool = True
    unit: str = ""
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    min_side: int = 1
    additive: bool = False
    halo: int = 0
    finish: Callable[[Any], Any] | None = None
    gather: Callable[[Any], Any] | None = None
    given: str = ""
    features: tuple[str, ...] = field(default=())
    whole: str = ""
    batchable: bool = True
    differentiable: bool = True
    code_licence: str = "Apache-2.0"
    weights: tuple[str, ...] = field(default=())
    weights_licence: str = ""
    parts: tuple[str, ...] = field(default=())
    alert: tuple[float, str] | None = None
    provider: str = ""
    extra: str = ""
    settings: str = ""
    paper: str = ""
    guidance: str = ""
    agreement: tuple[Agreement, ...] = field(default=())

    def __call__(self, *planes: Any) -> Any:
        """The value(s) on planes, with `finish` applied; no protocol, no size check."""
        result = self.function(*planes)
        if not self.additive:
            return result
        total, count = result
        mean = total / count
        return self.finish(mean) if self.finish else mean
