"""`Objective`: a weighted sum of losses, made from its text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from srqa.errors import MismatchError, UsageError
from srqa.losses import catalog, perceptual, pixel
from srqa.losses.adversarial import Adversarial
from srqa.losses.discriminators import Norm, PatchDiscriminator, SrganDiscriminator
from srqa.losses.expression import Part, written
from srqa.metrics import registry
from srqa.metrics.networks import VGG16
from srqa.metrics.spec import MetricSpec

_ON_MAPS = ("content", "texture")


class Terms(Mapping[str, Tensor]):
    """What an objective found of a batch: each term's value by name, without weight or graph.

    Attributes:
        total: the weighted sum, a scalar to call ``backward`` on.
    """

    def __init__(self, values: Mapping[str, Tensor], total: Tensor) -> None:
        self._values = {name: value.detach() for name, value in values.items()}
        self.total = total

    def __getitem__(self, name: str) -> Tensor:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Objective(nn.Module):
    """A weighted sum of losses. Made by `parse`.

    Attributes:
        text: the sum as it is always written.
        scale: of the outputs to their inputs.
        adversarial: discriminator and both sides' losses, if the sum has a term ``gan``.
    """

    adversarial: Adversarial | None

    def __init__(self, parts: tuple[Part, ...], scale: float) -> None:
        super().__init__()
        self.parts = parts
        self.scale = scale
        gans = [_adversarial(part) for part in parts if part.name == "gan"]
        self.adversarial = gans[0] if gans else None

    @property
    def text(self) -> str:
        """The sum as it is always written; `parse` takes it again."""
        return written(self.parts)

    @property
    def needs_mask(self) -> bool:
        """Whether the sum has a term ``mask``."""
        return any(part.name == "mask" for part in self.parts)

    @property
    def weight_files(self) -> tuple[str, ...]:
        """Names of the trained numbers that it needs, for `srqa.weights.pull`."""
        found = [VGG16.weights] if self._layers else []
        for spec in self._metrics.values():
            found += spec.weights
        return tuple(dict.fromkeys(found))

    @property
    def min_side(self) -> int:
        """The shortest side of outputs, in pixels, that all terms can judge."""
        sides = [3 if any(p.name == "edge" for p in self.parts) else 1]
        sides += [2 for part in self.parts if part.name == "tv"]
        sides += [VGG16.min_side(VGG16.maps[layer]) for layer in self._layers]
        sides += [spec.min_side for spec in self._metrics.values()]
        if self.adversarial is not None:
            sides.append(int(getattr(self.adversarial.discriminator, "min_side", 1)))
        return max(sides)

    def forward(self, sr: Tensor, hr: Tensor, lr: Tensor, mask: Tensor | None = None) -> Terms:
        """The terms' values.

        Args:
            sr: outputs (N, 1 or 3, H, W), nominally in [0, 1].
            hr: references of the same shape.
            lr: inputs (N, C, H / scale, W / scale).
            mask: for the term ``mask``: weights of at least 0, (N or 1, 1 or C, H, W).

        Returns:
            All terms by name, and their weighted sum. A term of weight 0 is computed without
            gradients and left out of the sum.

        Raises:
            MismatchError: the pictures' shapes do not fit together.
            NotApplicableError: they are too small for a term.
            UsageError: a mask is missing, or one too many.
            WeightsError: a network's trained numbers cannot be had.
        """
        self._check(sr, hr, lr, mask)
        sr, hr, lr = (_at_least_single(x) for x in (sr, hr, lr))
        batch = _Batch(sr, hr, lr, mask, self._layers)
        values: dict[str, Tensor] = {}
        total = sr.new_zeros(())
        learning = torch.is_grad_enabled()
        for part in sorted(self.parts, key=lambda p: p.weight == 0):
            with torch.set_grad_enabled(learning and part.weight > 0):
                values[part.label] = value = self._value(part, batch)
            if part.weight > 0:
                total = total + part.weight * value
        return Terms({part.label: values[part.label] for part in self.parts}, total)

    def extra_repr(self) -> str:
        """For ``print``."""
        return f"{self.text!r}, scale={self.scale:g}"

    def _value(self, part: Part, batch: _Batch) -> Tensor:
        settings: dict[str, Any] = dict(part.settings)
        sr, hr = batch.sr, batch.hr
        if part.name in _ON_MAPS:
            maps = batch.maps[settings["layer"]]
            of_maps: Any = getattr(perceptual, f"{part.name}_of_maps")
            value: Tensor = of_maps(*maps, settings["norm"])
            return value.to(sr.dtype)
        if part.name == "gan" and self.adversarial is not None:
            return self.adversarial.generator_loss(sr, hr)
        if part.name == "cycle":
            return pixel.cycle(sr, batch.lr, **settings)
        if part.name == "tv":
            return pixel.total_variation(sr)
        if part.name == "mask" and batch.mask is not None:
            return pixel.masked(sr, hr, batch.mask, **settings)
        if part.name in self._metrics:
            return perceptual.of_metric(self._metrics[part.name], sr, hr)
        on_pixels: Any = getattr(pixel, part.name)
        found: Tensor = on_pixels(sr, hr, **settings)
        return found

    @cached_property
    def _layers(self) -> tuple[str, ...]:
        layers = (str(p.settings["layer"]) for p in self.parts if p.name in _ON_MAPS)
        return tuple(dict.fromkeys(layers))

    @cached_property
    def _metrics(self) -> dict[str, MetricSpec]:
        names = (p.name for p in self.parts if p.name not in catalog.TERMS)
        return {name: registry.get(name) for name in names}

    def _check(self, sr: Tensor, hr: Tensor, lr: Tensor, mask: Tensor | None) -> None:
        if sr.ndim != 4 or sr.shape[1] not in (1, 3) or sr.shape != hr.shape:
            raise MismatchError(
                f"Outputs {tuple(sr.shape)} and references {tuple(hr.shape)} must be batches "
                "(N, 1 or 3, H, W) of one shape."
            )
        sides = tuple(round(side / self.scale) for side in sr.shape[-2:])
        if tuple(lr.shape) != (*sr.shape[:2], *sides):
            raise MismatchError(
                f"Inputs {tuple(lr.shape)} do not fit outputs {tuple(sr.shape)} at x{self.scale:g}."
            )
        if (mask is not None) != self.needs_mask:
            raise UsageError(
                "The loss has a term mask, which takes weights of pixels: mask=TENSOR."
                if self.needs_mask
                else f"The loss {self.text} has no term mask that would take one."
            )


class _Batch:
    """What the terms look at; maps are made when the first asks, for all of them."""

    def __init__(
        self, sr: Tensor, hr: Tensor, lr: Tensor, mask: Tensor | None, layers: tuple[str, ...]
    ) -> None:
        self.sr, self.hr, self.lr, self.mask = sr, hr, lr, mask
        self._layers = layers

    @cached_property
    def maps(self) -> dict[str, perceptual.Pair]:
        return perceptual.vgg16_maps(self.sr, self.hr, self._layers)


def parse(text: str, scale: float) -> Objective:
    """Make an objective from the text of a weighted sum of losses.

    A term is ``[weight *] name [: option] ...``; terms are joined by ``+``; spaces are free.
    Weights are numbers of at least 0; a term of weight 0 is watched but not learned from. The terms
    and their options are listed in docs/losses.md; every differentiable metric of srqa is one.
    The discriminator of a term ``gan`` is initialised from torch's global random numbers.

    Args:
        text: as ``"l1 + 0.1*content:relu3_3 + 0.005*gan:ragan"``.
        scale: of outputs to inputs.

    Raises:
        UsageError: the text is no such sum; the message marks the place and says what is possible.

    Example:
        >>> objective = parse("l1+0.1*content+0.005*gan:ragan", scale=4)
        >>> objective.text
        'l1 + 0.1*content:relu3_3 + 0.005*gan:ragan'
        >>> hr, lr = torch.rand(2, 3, 48, 48), torch.rand(2, 3, 12, 12)
        >>> sorted(parse("l1 + 0.5*tv", scale=4)(hr, hr, lr))
        ['l1', 'tv']
    """
    if not 1 <= scale < math.inf:
        raise UsageError(f"A loss needs a scale of at least 1, not {scale:g}.")
    return Objective(catalog.read(text), scale)


def _adversarial(part: Part) -> Adversarial:
    settings: dict[str, Any] = dict(part.settings)
    norm: Norm = "layer" if settings["kind"] == "wgan-gp" else "batch"
    features = int(settings["features"])
    discriminator = (
        PatchDiscriminator(features, norm)
        if settings["discriminator"] == "patch"
        else SrganDiscriminator(int(settings["side"]), features, norm)
    )
    return Adversarial(settings["kind"], discriminator, float(settings["penalty"]))


def _at_least_single(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
