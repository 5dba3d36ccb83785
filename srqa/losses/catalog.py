"""The terms that a loss may be made of, with their options. No torch here."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NoReturn

from srqa.errors import UsageError
from srqa.losses import expression
from srqa.losses.expression import Choice, Number, Option, Part
from srqa.metrics import licences, registry
from srqa.metrics.networks import VGG16
from srqa.metrics.spec import MetricSpec

_LAYER = Choice("layer", "relu3_3", tuple(VGG16.maps), shown=True)
_ERROR = Choice("error", "l1", ("l1", "l2", "charbonnier"))

TERMS: dict[str, tuple[Option, ...]] = {
    "l1": (),
    "l2": (),
    "charbonnier": (Number("epsilon", 1e-3, above=True),),
    "content": (_LAYER, Choice("norm", "euclidean", ("euclidean", "mse", "l1"))),
    "texture": (_LAYER, Choice("norm", "euclidean", ("euclidean", "mse"))),
    "gan": (
        Choice("kind", "vanilla", ("vanilla", "lsgan", "wgan-gp", "ragan"), shown=True),
        Choice("discriminator", "srgan", ("srgan", "patch")),
        Number("features", 64, 1, 1024, whole=True),
        Number("side", 96, 32, 4096, whole=True),
        Number("penalty", 10),
    ),
    "cycle": (_ERROR,),
    "tv": (),
    "edge": (_ERROR, Number("strength", 4)),
    "mask": (_ERROR,),
}
"""Own terms, and what may follow their names after colons."""


@lru_cache
def names() -> tuple[str, ...]:
    """All terms: those of `TERMS`, and the metrics that may serve."""
    metrics = (s.name for s in registry.specs() if not _unfit(s) and s.name not in TERMS)
    return (*TERMS, *metrics)


def read(text: str) -> tuple[Part, ...]:
    """The terms of a loss.

    Raises:
        UsageError: the text is no sum of known terms; the message marks the place. Or a metric's
            licence must be accepted first.
    """
    about = (
        f"A loss is a sum such as `l1 + 0.1*content:relu3_3 + 0.005*gan:ragan`. Terms: "
        f"{', '.join(TERMS)}, and differentiable metrics such as ssim, lpips-vgg, dists."
    )
    reader = expression.Reader(text, _options, names(), about)
    parts = reader.parts()

    def refuse(part: Part, problem: str) -> NoReturn:
        expression.refuse(reader.text, part.start, part.end, problem, about)

    for number, part in enumerate(parts):
        if part.name == "gan":
            if any(other.name == "gan" for other in parts[:number]):
                refuse(part, "A loss has one discriminator, not two:")
            if problem := _idle(part):
                refuse(part, problem)
        elif part.name not in TERMS:
            spec = registry.get(part.name)
            if problem := _unfit(spec):
                refuse(part, f"{spec.name} {problem}:")
            licences.check_accepted([spec], False)
    return parts


def canonical(text: str) -> str:
    """The loss in the one way in which it is always written; torch is not imported.

    Raises:
        UsageError: as `srqa.losses.parse`.

    Example:
        >>> canonical("l1+.10*content+5e-3*gan:patch")
        'l1 + 0.1*content:relu3_3 + 0.005*gan:vanilla:patch'
    """
    return expression.written(read(text))


def _idle(part: Part) -> str:
    """What is wrong with settings of ``gan`` that nothing would listen to."""
    changed = {o.name for o in part.options if part.settings[o.name] != o.default}
    if "penalty" in changed and part.settings["kind"] != "wgan-gp":
        return "Only gan:wgan-gp has a penalty:"
    if "side" in changed and part.settings["discriminator"] == "patch":
        return "Only the discriminator srgan is made for a side:"
    return ""


def _options(name: str) -> tuple[Option, ...] | None:
    if name in TERMS:
        return TERMS[name]
    try:
        return () if registry.get(name).name == name else None
    except UsageError:
        return None


def _unfit(spec: MetricSpec) -> str:
    """Why a metric cannot be a loss; empty if it can."""
    if spec.level == "set":
        return "compares whole sets of pictures, so it cannot be a loss"
    if spec.kind == "lr":
        return "is told by the term cycle when it comes to losses"
    if not spec.differentiable or spec.parts or spec.given or spec.rounding == "uint8":
        return "has no gradient, so it cannot be a loss"
    if spec.unit == "dB" and math.isinf(spec.bounds[1]):
        return "is infinite for equal pictures, so it cannot be a loss (l2 ranks alike)"
    return ""
