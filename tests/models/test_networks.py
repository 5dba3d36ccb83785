"""Our own networks: published names, shapes and counts; slow forwards; how far each looks."""

import numpy as np
import published
import pytest
import torch
from oracle import upscalers as slow

import srqa.models
import srqa.weights
from srqa.images.resize import imresize
from srqa.models import recognition
from srqa.models.networks import DESIGNS
from srqa.models.networks.srresnet import SRResNet


def loaded(state):
    return recognition.recognise(state, "made.pth")


def trained(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def weights_only(module):
    """Weights of convolutions alone, as some papers count."""
    layers = [m for m in module.modules() if hasattr(m, "kernel_size")]
    return sum(m.weight.numel() for m in layers if m.weight.requires_grad)


COUNTS = [
    # architecture, checkpoint, trained numbers, and the paper's figure with how it counts
    ("SRCNN", published.srcnn((9, 1, 5)), 8_129, weights_only, 8_032),
    ("SRCNN", published.srcnn(), 57_281, weights_only, 57_184),
    ("VDSR", published.vdsr_residual(), 664_704, trained, 664_704),
    ("VDSR", published.vdsr_features(), 664_704, trained, 664_704),
    ("FSRCNN", published.fsrcnn(), 12_809, weights_only, 12_464),
    ("ESPCN", published.espcn(3), 22_729, trained, 22_729),
    ("LapSRN", published.lapsrn(), 870_112, trained, 870_112),
    ("EDSR", published.edsr(2), 1_369_859, trained, "1.37M"),
    ("EDSR", published.edsr(4), 1_517_571, trained, "1.52M"),
    ("EDSR", published.edsr_basicsr(4), 1_517_571, trained, "1.52M"),
    ("EDSR", published.edsr(2, 32, 256), 40_729_603, trained, "40.73M"),
    ("EDSR", published.edsr(4, 32, 256), 43_089_923, trained, "43.09M"),
    ("CARN", published.carn(), 1_591_939, trained, "1592K"),
    ("CARN", published.carn(4), 414_787, weights_only, "412K"),
    ("IMDN", published.imdn(2), 694_404, trained, "694K"),
    ("IMDN", published.imdn(3), 703_059, trained, "703K"),
    ("IMDN", published.imdn(4), 715_176, trained, "715K"),
    ("SRResNet", published.srresnet(), 1_549_462, weights_only, "1543K"),
    ("MSRResNet", published.msrresnet(), 1_517_571, trained, "1.52M"),
    ("LIIF", published.liif_edsr(), 1_567_299, trained, "1.57M"),
    ("LIIF", published.liif_rdn(), 22_320_835, trained, "22.32M"),
    ("UpConv7", published.upconv7(), 552_483, trained, "552K"),
]


def in_words(number, like):
    if like.endswith("K"):
        return f"{number / 1e3:.0f}K"
    return f"{number / 1e6:.2f}M"


@pytest.mark.parametrize(("name", "shapes", "count", "counts", "paper"), COUNTS)
def test_published_counts(name, shapes, count, counts, paper):
    found = loaded({k: torch.zeros(v) if v else torch.tensor(0) for k, v in shapes.items()})
    assert found.architecture.id == name
    assert trained(found.model) == count
    number = counts(found.model)
    assert (in_words(number, paper) if isinstance(paper, str) else number) == paper


def peak(shapes):
    """What white is inside the network, for the mean shift of a made checkpoint."""
    return 255.0 if "head.0.weight" in shapes else 1.0


def bicubic(x, scale):
    return np.stack([imresize(plane, scale) for plane in x])


CASES = [
    ("srcnn", published.srcnn((5, 1, 3), (4, 3)), 1, 2.5,
     lambda s, x: slow.srcnn(s, bicubic(x, 2.5))),
    ("vdsr", published.vdsr_residual(5, 6), 1, 3, lambda s, x: slow.vdsr(s, bicubic(x, 3))),
    ("vdsr-features", published.vdsr_features(4, 5), 1, 2,
     lambda s, x: slow.vdsr(s, bicubic(x, 2))),
    ("fsrcnn-2", published.fsrcnn(7, 3, 2), 1, 2, lambda s, x: slow.fsrcnn(s, x, 2)),
    ("fsrcnn-3", published.fsrcnn(7, 3, 2), 1, 3, lambda s, x: slow.fsrcnn(s, x, 3)),
    ("fsrcnn-4", published.fsrcnn(7, 3, 2), 1, 4, lambda s, x: slow.fsrcnn(s, x, 4)),
    ("espcn", published.espcn(3), 1, 3, lambda s, x: slow.espcn(s, x, 3)),
    ("lapsrn", published.lapsrn(2, 2, 5), 1, 4, lambda s, x: slow.lapsrn(s, x, 2, 2)[1]),
    ("lapsrn-first", published.lapsrn(2, 2, 5), 1, 2, lambda s, x: slow.lapsrn(s, x, 2, 2)[0]),
    ("edsr", published.edsr(4, 2, 6), 3, 4, lambda s, x: slow.edsr(s, x, 4, 2)),
    ("edsr-3", published.edsr(3, 1, 5), 3, 3, lambda s, x: slow.edsr(s, x, 3, 1)),
    ("edsr-basicsr", published.edsr_basicsr(2, 2, 6), 3, 2, lambda s, x: slow.edsr(s, x, 2, 2)),
    ("carn", published.carn(f=8), 3, 3, lambda s, x: slow.carn(s, x, 3)),
    ("carn-m", published.carn(4, f=8), 3, 4, lambda s, x: slow.carn(s, x, 4, 4)),
    ("carn-single", published.carn(scales=(2,), several=False, f=8), 3, 2,
     lambda s, x: slow.carn(s, x, 2, several=False)),
    ("imdn", published.imdn(4, 32, 2), 3, 4, lambda s, x: slow.imdn(s, x, 4, 2)),
    ("srresnet", published.srresnet(4, 2, 6), 3, 4, lambda s, x: slow.srresnet(s, x, 2, 2)),
    ("msrresnet", published.msrresnet(4, 2, 6), 3, 4, lambda s, x: slow.msrresnet(s, x, 4, 2)),
    ("msrresnet-3", published.msrresnet(3, 1, 6), 3, 3, lambda s, x: slow.msrresnet(s, x, 3, 1)),
    ("liif", published.liif_edsr(2, 6, (12, 11)), 3, 3, lambda s, x: slow.liif(s, x, (18, 21))),
    ("liif-rdn", published.liif_rdn(2, 2, 6, 4, (9,)), 3, 2,
     lambda s, x: slow.liif(s, x, (12, 14))),
    ("upconv7", published.upconv7(), 3, 2, slow.upconv7),
]  # fmt: skip


@pytest.mark.parametrize(
    ("shapes", "channels", "scale", "reference"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_equals_the_slow_forward(rng, shapes, channels, scale, reference):
    state = published.state(shapes, peak=peak(shapes))
    x = rng.random((channels, 6, 7))
    upscaler = recognition.upscaler(loaded(state), "made")
    ours = upscaler.run(torch.from_numpy(x).float()[None], scale)[0].numpy()
    theirs = reference({k: v.double().numpy() for k, v in state.items()}, x)
    assert ours.shape == theirs.shape
    assert np.std(theirs) > 1e-3
    assert np.abs(ours - theirs).max() < 1e-4 * max(np.abs(theirs).max(), 1)


def test_large_edsr_weakens_its_residuals(rng):
    state = published.state(published.edsr(2, 1, 256), peak=255.0)
    x = rng.random((3, 4, 4))
    ours = recognition.upscaler(loaded(state), "made").run(torch.from_numpy(x).float()[None], 2)
    theirs = slow.edsr({k: v.double().numpy() for k, v in state.items()}, x, 2, 1, gain=0.1)
    assert np.abs(ours[0].numpy() - theirs).max() < 1e-4


def test_edsr_for_a_range_of_one_says_so_in_its_mean_shift(rng):
    state = published.state(published.edsr(2, 1, 5), peak=1.0)
    x = rng.random((3, 5, 4))
    ours = recognition.upscaler(loaded(state), "made").run(torch.from_numpy(x).float()[None], 2)
    theirs = slow.edsr({k: v.double().numpy() for k, v in state.items()}, x, 2, 1, peak=1.0)
    assert np.abs(ours[0].numpy() - theirs).max() < 1e-4


def test_srresnet_of_the_paper_does_not_squash(rng):
    state = published.state(published.srresnet(2, 1, 5))
    network = SRResNet(2, 1, 5).eval()
    squashed = loaded(state).model
    network.load_state_dict(squashed.state_dict())
    x = rng.random((3, 5, 4))
    ours = network(torch.from_numpy(x).float()[None])[0].detach().numpy()
    numbers = {k: v.double().numpy() for k, v in state.items()}
    assert np.abs(ours - slow.srresnet(numbers, x, 1, 1, squash=False)).max() < 1e-4


@pytest.mark.parametrize("scale", [1, 1.5, 2.37, 5.2])
def test_liif_at_any_scale(rng, scale):
    """At scales that make no whole sides, pixels lie where MATLAB's do, not stretched to fit."""
    state = published.state(published.liif_edsr(1, 5, (8,)))
    x = rng.random((3, 20, 15))
    upscaler = recognition.upscaler(loaded(state), "made")
    ours = upscaler.run(torch.from_numpy(x).float()[None], scale)
    assert ours.shape[-2:] == (np.ceil(20 * scale), np.ceil(15 * scale))
    whole = scale * 20 == round(scale * 20) and scale * 15 == round(scale * 15)
    if whole:
        theirs = slow.liif(
            {k: v.double().numpy() for k, v in state.items()}, x, tuple(ours.shape[-2:])
        )
        assert np.abs(ours[0].numpy() - theirs).max() < 1e-4


REACHES = [
    (published.srcnn((5, 3, 3), (3, 3)), 1, 1),
    (published.vdsr_residual(4, 3), 1, 1),
    (published.fsrcnn(5, 4, 2), 1, 2),
    (published.espcn(2), 1, 2),
    (published.lapsrn(1, 2, 4), 1, 2),
    (published.lapsrn(2, 2, 4), 1, 4),
    (published.edsr(2, 1, 4), 3, 2),
    (published.edsr(3, 1, 4), 3, 3),
    (published.edsr(4, 1, 4), 3, 4),
    (published.carn(scales=(4,), several=False, f=4), 3, 4),
    (published.carn(4, scales=(3,), several=False, f=4), 3, 3),
    (published.srresnet(4, 1, 4), 3, 4),
    (published.msrresnet(2, 1, 4), 3, 2),
    (published.msrresnet(4, 1, 4), 3, 4),
    (published.liif_edsr(1, 4, (8,)), 3, 2),
    (published.liif_rdn(2, 2, 4, 4, (8,)), 3, 2),
]


@pytest.mark.parametrize(("shapes", "channels", "scale"), REACHES)
def test_the_halo_is_what_the_network_looks_at(shapes, channels, scale):
    """Weights are made positive, so that no path is lost; gradients then show the whole field."""
    state = {
        name: number if "_mean." in name or not number.ndim else number.abs() / number[0].numel()
        for name, number in published.state(shapes, peak=peak(shapes)).items()
    }
    network = loaded(state).model.double().eval()
    halo = network.halo
    side = 2 * halo + 7
    middle = side // 2
    x = torch.full((1, channels, side, side), 0.5, dtype=torch.double, requires_grad=True)
    far = 0
    for place in {0, scale - 1}:  # the first and the last in the cell of one input pixel
        y = network.enlarge(x, scale)[..., middle * scale + place, middle * scale + place]
        (gradient,) = torch.autograd.grad(y.sum(), x)
        rows, columns = gradient[0].abs().sum(0).nonzero(as_tuple=True)
        far = max(far, *(int((i - middle).abs().max()) for i in (rows, columns)))
    assert far <= halo
    slack = 2 if network.scales is None else 1 if len(network.scales) > 1 else 0
    assert far >= halo - slack


def test_each_design_is_recognised_by_itself_alone():
    """No made checkpoint looks like two of our architectures."""
    for shapes in [*(case[1] for case in CASES), *(count[1] for count in COUNTS)]:
        state = {k: torch.zeros(v) if v else torch.tensor(0) for k, v in shapes.items()}
        assert sum(bool(design.detect(state)) for design in DESIGNS) == 1


def test_liif_with_its_authors_weights(zoo, photograph):
    """The real checkpoint, through the zoo, against the slow forward with its own names."""
    zoo("liif-edsr")
    numbers = {k: v.astype(float) for k, v in srqa.weights.load("liif-edsr").items()}
    x = photograph("astronaut", 96, 96)[:, 80:88, 60:69]
    upscaler = srqa.models.load("liif", 2, offline=True)
    ours = upscaler.run(torch.from_numpy(x.copy())[None], 2)[0].numpy()
    theirs = slow.liif(numbers, x.astype(float), (16, 18))
    assert np.abs(ours - theirs).max() < 1e-4
    assert 0.02 < np.std(ours) < 0.4
