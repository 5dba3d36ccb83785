"""The discriminators' layers, and pictures of sizes that they were not made for."""

from itertools import pairwise

import pytest
import torch

from srqa.losses.discriminators import PatchDiscriminator, SrganDiscriminator


def convolutions(module):
    return [m for m in module.modules() if hasattr(m, "kernel_size")]


def trained(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def test_srgans_layers_are_the_papers():
    judge = SrganDiscriminator()
    shapes = [tuple(m.weight.shape) for m in convolutions(judge)]
    widths = [3, 64, 64, 128, 128, 256, 256, 512, 512]
    assert shapes == [(b, a, 3, 3) for a, b in pairwise(widths)]
    assert [m.stride[0] for m in convolutions(judge)] == [1, 2] * 4
    assert trained(judge) == 23_565_505
    assert judge(torch.rand(2, 3, 96, 96)).shape == (2, 1)


def test_patch_layers_are_the_papers():
    """Its authors' program prints 2.769 M for pairs of pictures, 6 channels."""
    judge = PatchDiscriminator()
    assert [m.stride[0] for m in convolutions(judge)] == [2, 2, 2, 1, 1]
    assert f"{(trained(judge) + 64 * 3 * 4 * 4) / 1e6:.3f}" == "2.769"
    assert judge(torch.rand(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def test_a_judgement_of_the_patch_network_sees_70_pixels():
    judge = PatchDiscriminator(4).double().eval()
    x = torch.rand(1, 3, 128, 128, dtype=torch.double, requires_grad=True)
    (slope,) = torch.autograd.grad(judge(x)[0, 0, 7, 7], x)
    rows, columns = slope.abs().sum((0, 1)).nonzero(as_tuple=True)
    assert [int(i.max() - i.min()) + 1 for i in (rows, columns)] == [70, 70]


@pytest.mark.parametrize("make", [SrganDiscriminator, PatchDiscriminator])
@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("size", [(32, 32), (96, 96), (33, 47), (130, 64)])
def test_pictures_of_other_sizes_are_judged_even_alone(make, norm, size):
    judge = make(features=4, norm=norm)
    assert min(size) >= judge.min_side
    found = judge(torch.rand(1, 3, *size))
    found.mean().backward()
    assert found.isfinite().all()
    assert all(p.grad.isfinite().all() for p in judge.parameters())


def test_srgans_judges_its_own_size_without_averaging():
    """96 pixels leave 6 x 6 places for the dense layers, which is what they are made for."""
    judge = SrganDiscriminator(features=4).eval()
    x = torch.rand(2, 3, 96, 96)
    maps = judge.features(x)
    assert maps.shape[-2:] == (6, 6)
    assert torch.equal(judge(x), judge.classifier(maps.flatten(1)))
