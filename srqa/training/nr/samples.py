"""All that is compared at one place, and by how much each is worse than the pristine crop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from srqa.degradation.model import stream
from srqa.metrics import features
from srqa.metrics.api import metric
from srqa.metrics.srqa_nr import describe
from srqa.training.nr.artefacts import DRILLED, KINDS, Picture, jpeg
from srqa.training.nr.guards import guards
from srqa.training.nr.outputs import outputs, rounded
from srqa.training.nr.places import Pixels, Place

MEASURES = ("lpips", "haarpsi", "fsimc")
"""What labels are made of; of the first, less is better."""

_TOGETHER = 16
"""Pictures that go through the network together."""
SERIES, STEPS, MIXTURES = 5, 3, 4
"""Series of artefacts at a place, steps of each, and mixtures of two artefacts."""
DRILL_STEPS = 4
DRILLS = {
    "blur": (3, 1.5),
    "jpeg": (3, 1.06),
    "noise": (2, 1.1),
    "sharpening": (2, 1.0),
    "checkerboard": (2, 1.0),
    "blocks": (1, 1.0),
    "stairs": (1, 1.0),
}
"""Series of each kind that every place has on the pristine crop, without labels; how far they go.

There is one more checkerboard, on an output. Blur, JPEG and noise go on to where next to nothing
can be seen, further than any output would: a score must not turn round there.
"""
WORN = frozenset({"blur", "jpeg", "noise", "checkerboard"})
"""Kinds whose further series are laid on a crop that is worn, as cameras and JPEG leave it.

Pristine crops are halved photographs, sharper and cleaner than most pictures are. Sharpening is not
among the kinds: what is soft may gain by it.
"""
_JITTER = 0.7
"""How far apart chance may move the steps of a drill: never so near that nobody could tell."""


UNMEASURED = ("drill", "guard")
"""Families without labels; of guards not even anything is learned."""


class Sample(NamedTuple):
    """One picture that is compared with the others of its place.

    Attributes:
        name: for people.
        family: "pristine", "output" (of super-resolution), "series", "mixture", "drill" or "guard".
        group: the number of an output's input, of a series or of a drill; else -1.
        kind: of the artefact of a series, drill or guard.
        base: which sample an artefact was laid on, -1 for none.
        pixels: (H, W, 3).
    """

    name: str
    family: str
    group: int
    kind: str
    base: int
    pixels: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What is compared at one place: the columns of `Sample`, and measurements.

    Attributes:
        names, families, groups, kinds, bases: (n,).
        measured: (n, 3), by `MEASURES` against the pristine crop; NaN for drills and guards, which
            are the last ones.
        described: (n, d), what the head sees of them.
    """

    names: npt.NDArray[np.str_]
    families: npt.NDArray[np.str_]
    groups: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.str_]
    bases: npt.NDArray[np.int64]
    measured: npt.NDArray[np.float64]
    described: npt.NDArray[np.float32]

    def labels(self) -> npt.NDArray[np.float64]:
        """The mean rank of each sample within the place, 0 the worst and 1 the best.

        Of those that are measured: all but drills and guards.
        """
        return mean_ranks(self.measured[~np.isin(self.families, UNMEASURED)])


def mean_ranks(measured: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean of the ranks by LPIPS (less is better), HaarPSI and FSIMc, from 0 to 1.

    Example:
        >>> import numpy as np
        >>> mean_ranks(np.array([[0.0, 1.0, 1.0], [0.5, 0.4, 0.9], [0.2, 0.3, 0.8]]))
        array([1.        , 0.33333333, 0.16666667])
    """
    from scipy.stats import rankdata

    better = measured * np.array([-1.0, 1.0, 1.0])
    ranks: npt.NDArray[np.float64] = rankdata(better, axis=0).mean(axis=1)
    return (ranks - 1) / max(len(measured) - 1, 1)


def make(place: Place, seed: int = 0, quick: bool = False) -> Samples:
    """The samples of a place: itself, outputs of super-resolution, artefacts in steps, mixtures.

    Args:
        place: where.
        seed: with the place's name it settles all chance.
        quick: only by methods that take no time, to try the whole out.

    Raises:
        WeightsError: those of a network cannot be had.
    """
    rng = stream(seed, place.name, "samples")
    made = [Sample("pristine", "pristine", -1, "", -1, place.pixels)]
    made += [
        Sample(one.method, "output", one.input, "", -1, one.pixels)
        for one in outputs(place.pixels, rng, quick)
    ]
    bases = list(made)
    made += _series(bases, rng)
    made += _mixtures(bases, rng)
    made += drills(bases, seed, place.name)
    made += [Sample(kind, "guard", -1, kind, 0, pixels) for kind, pixels in guards(place.pixels)]
    pictures = [one.pixels for one in made]
    judged = [one.pixels for one in made if one.family not in UNMEASURED]
    measured = np.full((len(made), len(MEASURES)), np.nan)
    measured[: len(judged)] = measure(judged, place.pixels)
    return Samples(
        names=np.array([one.name for one in made]),
        families=np.array([one.family for one in made]),
        groups=np.array([one.group for one in made]),
        kinds=np.array([one.kind for one in made]),
        bases=np.array([one.base for one in made]),
        measured=measured,
        described=described(pictures),
    )


def described(pictures: Sequence[Pixels]) -> npt.NDArray[np.float32]:
    """What the head sees of pictures of one size, (n, d)."""
    import torch

    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    parts = (batch[at : at + _TOGETHER] for at in range(0, len(batch), _TOGETHER))
    return np.concatenate([describe(part).numpy() for part in parts])


def drills(bases: list[Sample], seed: int, place: str) -> Iterator[Sample]:
    """Series whose order is known without labels, so that no artefact goes unlearned."""
    rng = stream(seed, place, "drills")
    wanted = [(kind, 0, n > 0) for kind, (many, _) in DRILLS.items() for n in range(many)]
    wanted.append(("checkerboard", int(rng.integers(1, len(bases))), False))
    for number, (kind, at, again) in enumerate(wanted):
        picture, on = _floats(bases[at].pixels), bases[at].name
        if again and kind in WORN:
            picture, on = _worn(rng, picture), f"worn {on}"
            yield Sample(on, "drill", number, kind, at, rounded(picture))
        artefact, reach = DRILLED[kind](rng, picture), DRILLS[kind][1]
        for step in range(DRILL_STEPS):
            chance = (1 - _JITTER) / 2 + _JITTER * rng.random()
            strength = reach * (step + chance) / DRILL_STEPS
            name = f"{kind} {strength:.2f} on {on}"
            yield Sample(name, "drill", number, kind, at, rounded(artefact(strength)))


def _worn(rng: np.random.Generator, picture: Picture) -> Picture:
    """As a camera would have left it: a little soft and grainy, and every other time as JPEG."""
    import cv2

    soft = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.2)))
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    left = np.clip(soft + rng.uniform(0.5, 4) / 255 * grain, 0, 1).astype(np.float32)
    return jpeg(rng, left)(float(rng.uniform(0.1, 0.6))) if rng.random() < 0.5 else left


def measure(pictures: Sequence[Pixels], pristine: Pixels) -> npt.NDArray[np.float64]:
    """`MEASURES` of pictures, (n, 3)."""
    metrics = [metric(name) for name in MEASURES]
    rows = []
    reference = None
    for picture in pictures:
        planes, _ = metrics[0].prepare(picture, pristine)
        if reference is None:
            reference = planes[1]
            features.share(reference)  # its maps are made once
        rows.append([float(one.spec(planes[0], reference)) for one in metrics])
    return np.array(rows)


def _series(bases: list[Sample], rng: np.random.Generator) -> Iterator[Sample]:
    """Artefacts in steps, on the pristine crop or, one time in three, on an output."""
    for number, kind in enumerate(rng.choice(list(KINDS), SERIES, replace=False)):
        at = 0 if rng.random() < 0.67 else int(rng.integers(1, len(bases)))
        artefact = KINDS[kind](rng, _floats(bases[at].pixels))
        for step in range(STEPS):
            strength = (step + rng.random()) / STEPS
            name = f"{kind} {strength:.2f} on {bases[at].name}"
            yield Sample(name, "series", number, str(kind), at, rounded(artefact(strength)))


def _mixtures(bases: list[Sample], rng: np.random.Generator) -> Iterator[Sample]:
    """One artefact after another."""
    for _ in range(MIXTURES):
        at = 0 if rng.random() < 0.4 else int(rng.integers(1, len(bases)))
        name, picture = bases[at].name, _floats(bases[at].pixels)
        for kind in rng.choice(list(KINDS), 2, replace=False):
            strength = float(rng.uniform(0.05, 0.7))
            picture = np.clip(KINDS[kind](rng, picture)(strength), 0, 1).astype(np.float32)
            name = f"{kind} {strength:.2f} on {name}"
        yield Sample(name, "mixture", -1, "", at, rounded(picture))


def _floats(pixels: Pixels) -> Picture:
    return np.asarray(pixels / np.float32(255), np.float32)
