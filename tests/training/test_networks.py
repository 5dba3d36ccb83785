"""What is trained is what `srqa upscale` recognises."""

import pytest
import torch

from srqa.errors import UsageError
from srqa.models import recognition
from srqa.training.networks import TRAINABLE, build, trainable

SMALL = {
    "vdsr": {"depth": 3, "features": 4},
    "lapsrn": {"depth": 2, "features": 4},
    "edsr": {"blocks": 2, "features": 4},
    "srresnet": {"blocks": 2, "features": 4},
    "msrresnet": {"blocks": 2, "features": 4},
    "imdn": {"blocks": 2, "features": 16},
}
CASES = [(one.name, scale) for one in TRAINABLE for scale in one.scales or (2, 3)]


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_a_trained_network_is_recognised(name, scale):
    network = build(name, scale, SMALL.get(name)).eval()
    found = recognition.recognise(network.state_dict(), name)
    upscaler = recognition.upscaler(found, name)
    assert upscaler.scales is None or scale in upscaler.scales
    pictures = torch.rand(1, network.channels, 12, 16)
    with torch.no_grad():
        expected = network.enlarge(pictures, scale)
        assert expected.shape[-2:] == (12 * scale, 16 * scale)
        torch.testing.assert_close(upscaler.run(pictures, scale), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("one", TRAINABLE, ids=lambda one: one.name)
def test_networks_learn(one):
    """Every weight that may be trained gets a gradient."""
    scale = min(one.scales or (2,))
    network = build(one.name, scale, SMALL.get(one.name))
    made = network.enlarge(torch.rand(2, network.channels, 12, 12), scale)
    made.square().mean().backward()
    lacking = [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert lacking == []


@pytest.mark.parametrize(
    ("name", "scale", "options", "said"),
    [
        ("fsrnn", 2, {}, "no network 'fsrnn' to train"),
        ("fsrcnn", 5, {}, "fsrcnn can be trained for 2 or 3 or 4, not for 5"),
        ("espcn", 1, {}, "any whole number from 2, not for 1"),
        ("edsr", 2, {"depth": 3}, "edsr has no option 'depth'; it has blocks, features"),
        ("edsr", 2, {"blocks": 0}, "blocks of edsr is a whole number from 1, not 0"),
        ("edsr", 2, {"blocks": 1.5}, "whole number from 1, not 1.5"),
        ("espcn", 2, {"channels": 2}, r"channels is 1 \(Y\) or 3 \(RGB\), not 2"),
    ],
)
def test_what_cannot_be_built(name, scale, options, said):
    with pytest.raises(UsageError, match=said):
        build(name, scale, options)


def test_near_names_are_told():
    with pytest.raises(UsageError) as caught:
        trainable("fsrnn")
    assert caught.value.hint == "Did you mean fsrcnn?"
