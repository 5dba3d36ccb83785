"""Convolutions with fewer multiplications equal the plain sum, whatever the map's size."""

import multiprocessing

import pytest

from srqa import threads
from srqa.metrics import features, networks, registry, winograd

SIZES = [(1, 1), (3, 4), (4, 3), (18, 20), (33, 81), (45, 80)]


@pytest.fixture
def some():
    """A map (2, 20, height, width), channels last, weights for 24 channels and biases."""
    import torch

    def make(height, width):
        generator = torch.Generator().manual_seed(height * width)
        x = torch.randn((2, 20, height, width), generator=generator)
        weight = torch.randn((24, 20, 3, 3), generator=generator) / 13
        bias = torch.randn(24, generator=generator)
        return x.contiguous(memory_format=torch.channels_last), weight, bias

    return make


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("edges", [True, False])
def test_equals_the_sum_in_float64(some, size, edges):
    import torch
    import torch.nn.functional as F

    height, width = size
    x, weight, bias = some(height + (0 if edges else 2), width)
    right = F.conv2d(x.double(), weight.double(), bias.double(), padding=(int(edges), 1))
    found = winograd.convolved(x, winograd.transformed(weight), bias, edges=edges)
    assert found.shape == right.shape
    assert found.is_contiguous(memory_format=torch.channels_last)
    plain = F.conv2d(x, weight, bias, padding=(int(edges), 1))
    errors = [float((f - right).norm() / right.norm()) for f in (found, plain)]
    assert errors[0] < 6e-7
    assert errors[0] < 6 * errors[1]


@pytest.mark.parametrize("count", [1, 5, 17, 40])
def test_many_small_maps_share_blocks(count):
    """Of 11x11, nine tiles each, up to 17 in a block; each as if it were alone."""
    import torch

    generator = torch.Generator().manual_seed(count)
    x = torch.randn((count, 20, 11, 11), generator=generator)
    x = x.contiguous(memory_format=torch.channels_last)
    weight = torch.randn((24, 20, 3, 3), generator=generator) / 13
    bias, weights = torch.randn(24, generator=generator), winograd.transformed(weight)
    assert winograd.takes(x) == (count * 121 >= 256)
    found = winograd.convolved(x, weights, bias, edges=True)
    assert found.is_contiguous(memory_format=torch.channels_last)
    right = torch.conv2d(x.double(), weight.double(), bias.double(), padding=1)
    assert float((found - right).norm() / right.norm()) < 6e-7
    alone = [winograd.convolved(one[None], weights, bias, edges=True) for one in x]
    torch.testing.assert_close(found, torch.cat(alone), atol=3e-6, rtol=0)


def test_threads_change_nothing_but_the_blocks(some):
    import torch

    x, weight, bias = some(70, 90)
    weights = winograd.transformed(weight)
    alone = winograd.convolved(x, weights, bias, edges=True)
    torch.set_num_threads(2)
    try:
        together = winograd.convolved(x, weights, bias, edges=True)
        with torch.inference_mode():
            inside = winograd.convolved(x, weights, bias, edges=True)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    torch.testing.assert_close(together, alone, atol=2e-6, rtol=0)
    assert torch.equal(inside, together)


def _in_a_child(queue):
    queue.put(threads.each_on_tensors(lambda n: n + 1, [1, 2, 3]))


def test_a_fork_has_threads_of_its_own():
    import torch

    torch.set_num_threads(2)
    try:
        assert threads.each_on_tensors(lambda n: 2 * n, [1, 2, 3]) == [2, 4, 6]
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        child = context.Process(target=_in_a_child, args=(queue,))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert queue.get() == [2, 3, 4]
    finally:
        torch.set_num_threads(1)


def test_a_network_takes_it_where_no_gradient_is_asked_for(weights, monkeypatch):
    """LPIPS-vgg either way, and its gradient, which the plain sums give."""
    import torch

    taken = []
    convolved = winograd.convolved
    monkeypatch.setattr(
        winograd, "convolved", lambda *a, **k: taken.append(a) or convolved(*a, **k)
    )
    metric = registry.get("lpips-vgg").function
    x, y = torch.rand(2, 1, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    found = metric(x, y)
    assert len(taken) == 2 * 5  # maps of 8x10 and less are too small
    taken.clear()
    asked = x.clone().requires_grad_()
    plain = metric(asked, y)
    plain.backward()
    assert float(asked.grad.abs().max()) > 0
    with features.settings(memory=features.QUICK - 1):
        little = metric(x, y)
    assert not taken
    torch.testing.assert_close(found, plain.detach(), atol=1e-7, rtol=1e-6)
    torch.testing.assert_close(little, plain.detach(), atol=0, rtol=3e-8)


@pytest.mark.parametrize("network", [networks.VGG16, networks.ALEXNET, networks.ST_VGG16])
def test_what_transformed_weights_take(weights, network):
    made = networks.transformed(network.weights)
    assert made
    assert network.transformed == sum(x.nbytes for x in made.values())
