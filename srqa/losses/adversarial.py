"""Adversarial losses: vanilla, least squares, Wasserstein with penalty, relativistic average.

C(x) is what the discriminator says of pictures x before a sigmoid, and E the mean over a batch and
over the places of a patch discriminator. The discriminator and the generator each minimise:

| kind | discriminator | generator |
|---|---|---|
| vanilla | ``E softplus(-C(hr)) + E softplus(C(sr))`` | ``E softplus(-C(sr))`` |
| lsgan | ``E (C(hr) - 1)^2 + E C(sr)^2`` | ``E (C(sr) - 1)^2`` |
| wgan-gp | ``E C(sr) - E C(hr) + penalty * E (|dC(x)/dx| - 1)^2`` | ``-E C(sr)`` |
| ragan | ``E softplus(-(C(hr) - E C(sr))) + E softplus(C(sr) - E C(hr))`` | the same, sr for hr |

``softplus(-c) = -log sigmoid(c)``: the generator's vanilla loss is the one that does not saturate.
x lies between sr and hr, at a place drawn for each picture. Sources: Goodfellow et al., NIPS 2014,
and Ledig et al., SRGAN, CVPR 2017; Mao et al., ICCV 2017, without their factor 1/2, as the survey
writes it; Gulrajani et al., NIPS 2017; Jolicoeur-Martineau, ICLR 2019, and Wang et al., ESRGAN,
ECCVW 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from srqa.errors import MismatchError, NotApplicableError
from srqa.images.arrays import root

Kind = Literal["vanilla", "lsgan", "wgan-gp", "ragan"]


class Adversarial(nn.Module):
    """A discriminator and both sides' losses. One step of training is

    1. ``adversarial.generator_loss(sr, hr).backward()``, a step of the generator's optimiser;
    2. ``adversarial.discriminator_loss(sr, hr).backward()``, a step of the discriminator's.

    Neither leaves gradients on the other side.

    Args:
        kind: of loss, see the module.
        discriminator: takes (N, 3, H, W), gives a number for each picture, or each patch of it.
        penalty: weight of the gradient penalty, for "wgan-gp".

    Example:
        >>> from srqa.losses.discriminators import PatchDiscriminator
        >>> adversarial = Adversarial("lsgan", PatchDiscriminator(8))
        >>> sr = torch.rand(2, 3, 32, 32, requires_grad=True)
        >>> adversarial.generator_loss(sr, torch.rand(2, 3, 32, 32)).backward()
        >>> sr.grad.shape, next(adversarial.discriminator.parameters()).grad
        (torch.Size([2, 3, 32, 32]), None)
    """

    def __init__(self, kind: Kind, discriminator: nn.Module, penalty: float = 10.0) -> None:
        super().__init__()
        self.kind = kind
        self.discriminator = discriminator
        self.penalty = penalty

    def generator_loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        """What the generator minimises; no gradient reaches the discriminator's numbers.

        Args:
            sr: outputs (N, 1 or 3, H, W) in [0, 1].
            hr: references; only "ragan" looks at them.

        Raises:
            MismatchError, NotApplicableError: the pictures differ in size, or are too small.
        """
        self._check(sr, hr)
        with _frozen(self.discriminator):
            fake = self._judged(sr)
            if self.kind == "vanilla":
                return softplus(-fake).mean()
            if self.kind == "lsgan":
                return (fake - 1).square().mean()
            if self.kind == "wgan-gp":
                return -fake.mean()
            return _relativistic(fake, self._judged(hr.detach()))

    def discriminator_loss(self, sr: Tensor, hr: Tensor) -> Tensor:
        """What the discriminator minimises; no gradient reaches the generator.

        Args:
            sr: outputs (N, 1 or 3, H, W) in [0, 1], of any graph: they are detached.
            hr: as many references of the same size.

        Raises:
            MismatchError, NotApplicableError: the pictures differ in size, or are too small.
        """
        self._check(sr, hr)
        sr, hr = sr.detach(), hr.detach()
        real, fake = self._judged(hr), self._judged(sr)
        if self.kind == "vanilla":
            return softplus(-real).mean() + softplus(fake).mean()
        if self.kind == "lsgan":
            return (real - 1).square().mean() + fake.square().mean()
        if self.kind == "wgan-gp":
            loss = fake.mean() - real.mean()
            return loss + self.penalty * self.gradient_penalty(sr, hr) if self.penalty else loss
        return _relativistic(real, fake)

    def gradient_penalty(self, sr: Tensor, hr: Tensor) -> Tensor:
        """``E (|dC(x)/dx| - 1)^2`` between outputs and references, itself differentiable.

        ``x = e sr + (1 - e) hr`` with e uniform in [0, 1], drawn for each picture from torch's
        generator of the pictures' device. The length is over all samples of a picture, whose
        patches are judged by their mean. No autocast. Where the gradient is 0 the penalty is 1, and
        its own gradient 0.
        """
        with torch.autocast(sr.device.type, enabled=False), torch.enable_grad():
            sr, hr = _at_least_single(sr.detach()), _at_least_single(hr.detach())
            share = torch.rand(sr.shape[0], 1, 1, 1, dtype=sr.dtype, device=sr.device)
            between = (share * sr + (1 - share) * hr).requires_grad_()
            judged = self._judged(between).reshape(len(between), -1).mean(1)
            (slope,) = torch.autograd.grad(judged.sum(), between, create_graph=True)
            lengths: Tensor = root(slope.square().sum((1, 2, 3)))
            return (lengths - 1).square().mean()

    def _judged(self, pictures: Tensor) -> Tensor:
        """What the discriminator says; grey counts as R = G = B."""
        found: Tensor = self.discriminator(pictures.expand(-1, 3, -1, -1))
        return _at_least_single(found)

    def _check(self, sr: Tensor, hr: Tensor) -> None:
        if sr.shape != hr.shape:
            raise MismatchError(
                f"Outputs {tuple(sr.shape)} and references {tuple(hr.shape)} differ in size."
            )
        least = getattr(self.discriminator, "min_side", 1)
        if isinstance(least, int) and min(sr.shape[-2:]) < least:
            raise NotApplicableError(
                f"{sr.shape[-1]}x{sr.shape[-2]} pixels is too small for the discriminator, which "
                f"needs {least} a side."
            )


def _relativistic(these: Tensor, others: Tensor) -> Tensor:
    """Small where these look more real than the others do on average, and the others less."""
    return softplus(others.mean() - these).mean() + softplus(others - these.mean()).mean()


def _at_least_single(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


@contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    """Inside, the module's numbers are constants to autograd."""
    trained = [p for p in module.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
