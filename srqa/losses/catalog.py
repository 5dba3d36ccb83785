"""The terms that a loss may be made of, with their options and sources. No torch here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from srqa.errors import UsageError
from srqa.losses import expression
from srqa.losses.expression import Choice, Number, Option, Part
from srqa.metrics import licences, registry
from srqa.metrics.networks import VGG16
from srqa.metrics.spec import MetricSpec

_SURVEY = "Wang, Chen, Hoi, Deep learning for image super-resolution: a survey, TPAMI 2021"
_LAYER = Choice("layer", "relu3_3", tuple(VGG16.maps), shown=True)
_ERROR = Choice("error", "l1", ("l1", "l2", "charbonnier"))


@dataclass(frozen=True, slots=True)
class TermSpec:
    """What is known of a term.

    Attributes:
        name: as in the text of a loss.
        summary: one line.
        source: the papers.
        options: what may follow its name after colons.
    """

    name: str
    summary: str
    source: str
    options: tuple[Option, ...] = ()


TERMS: tuple[TermSpec, ...] = (
    TermSpec("l1", "mean absolute difference", _SURVEY),
    TermSpec("l2", "mean squared difference", _SURVEY),
    TermSpec(
        "charbonnier",
        "smoothed l1",
        f"Lai et al., LapSRN, CVPR 2017; {_SURVEY}",
        (Number("epsilon", 1e-3, above=True),),
    ),
    TermSpec(
        "content",
        "difference of VGG16's maps",
        f"Johnson, Alahi, Fei-Fei, ECCV 2016; {_SURVEY}",
        (_LAYER, Choice("norm", "euclidean", ("euclidean", "mse", "l1"))),
    ),
    TermSpec(
        "texture",
        "difference of the Gram matrices of VGG16's maps",
        f"Gatys, Ecker, Bethge, CVPR 2016; Sajjadi et al., EnhanceNet, ICCV 2017; {_SURVEY}",
        (_LAYER, Choice("norm", "euclidean", ("euclidean", "mse"))),
    ),
    TermSpec(
        "gan",
        "a discriminator, trained beside",
        f"Goodfellow et al. 2014; Mao et al. 2017; Gulrajani et al. 2017; "
        f"Jolicoeur-Martineau 2019; {_SURVEY}",
        (
            Choice("kind", "vanilla", ("vanilla", "lsgan", "wgan-gp", "ragan"), shown=True),
            Choice("discriminator", "srgan", ("srgan", "patch")),
            Number("features", 64, 1, 1024, whole=True),
            Number("side", 96, 32, 4096, whole=True),
            Number("penalty", 10),
        ),
    ),
    TermSpec("cycle", "difference from the input after shrinking", _SURVEY, (_ERROR,)),
    TermSpec("tv", "total variation", f"Rudin, Osher, Fatemi 1992; {_SURVEY}"),
    TermSpec(
        "edge",
        "difference weighted by the reference's edges",
        f"Seif, Androutsos, ICASSP 2018; {_SURVEY}",
        (_ERROR, Number("strength", 4)),
    ),
    TermSpec("mask", "difference weighted by a mask of the user's", _SURVEY, (_ERROR,)),
)
_BY_NAME = {term.name: term for term in TERMS}


@lru_cache
def names() -> tuple[str, ...]:
    """All terms: those of `TERMS`, and the metrics that may serve."""
    metrics = (s.name for s in registry.specs() if not _unfit(s) and s.name not in _BY_NAME)
    return (*_BY_NAME, *metrics)


def read(text: str) -> tuple[Part, ...]:
    """The terms of a loss.

    Raises:
        UsageError: the text is no sum of known terms; the message marks the place. Or a metric's
            licence must be accepted first.
    """
    about = (
        f"A loss is a sum such as `l1 + 0.1*content:relu3_3 + 0.005*gan:ragan`. Terms: "
        f"{', '.join(_BY_NAME)}, and differentiable metrics such as ssim, lpips-vgg, dists."
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
        elif part.name not in _BY_NAME:
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
    if name in _BY_NAME:
        return _BY_NAME[name].options
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
