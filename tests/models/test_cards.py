"""The cards of the zoo agree with the networks, the weight files and the methods they speak of."""

import dataclasses
import re
import sys

import pytest

import srqa.models
import srqa.weights
from srqa.errors import UsageError, WeightsError
from srqa.models import recognition
from srqa.models.classical import METHODS

module = sys.modules["srqa.models.cards"]  # `srqa.models.cards` is its function
CARDS = {card.name: card for card in srqa.models.cards()}
FETCHED = [name for name, card in CARDS.items() if card.weights]
PACKAGED = [n for n in FETCHED if all(srqa.weights.get(f).members for f in CARDS[n].files)]
PACKAGED += [n for n in FETCHED if all(srqa.weights.get(f).included for f in CARDS[n].files)]


def test_the_zoo_is_what_was_promised():
    assert {"bicubic", "dat-light", "real-esrgan-x4plus", "real-esrgan-x4plus-anime",
            "real-esrgan-animevideov3", "waifu2x-photo", "waifu2x-anime"} <= set(CARDS)  # fmt: skip
    assert {"swinir", "hat", "edsr", "rcan", "span"} <= set(CARDS)
    assert len(CARDS) == len(srqa.models.cards())
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) for name in CARDS)


def test_every_classical_method_has_a_card():
    assert {name for name, card in CARDS.items() if card.kind == "classical"} == set(METHODS)
    assert all(CARDS[name].summary for name in METHODS)


def test_a_method_without_an_entry_has_its_docstring(monkeypatch):
    def sharpest():
        """The sharpest of all. And more."""

    monkeypatch.setitem(METHODS, "sharpest", sharpest)
    card = srqa.models.card("sharpest")
    assert (card.kind, card.summary) == ("classical", "The sharpest of all. And more")


@pytest.mark.parametrize("name", [n for n, c in CARDS.items() if c.kind == "network"])
def test_a_network(name):
    card = CARDS[name]
    assert card.architecture in recognition.architectures()
    assert card.paper
    assert card.weights_licence
    assert card.summary
    assert card.weights or card.where.startswith("https://")
    assert set(card.weights) <= set(card.scales or (0,))
    assert card.any_scale or card.kind != "network" or card.scales or not card.weights
    for figure in (*card.published, *card.measured):
        assert figure.source
        assert 20 < figure.psnr < 45
        assert figure.ssim is None or 0.5 < figure.ssim < 1
    for file in map(srqa.weights.get, card.files):
        assert file.licence == card.weights_licence


@pytest.mark.parametrize("name", FETCHED)
def test_tiles_of_known_weights_are_known(name):
    card = CARDS[name]
    assert card.halo is not None
    assert card.halo >= 4


@pytest.mark.parametrize("name", PACKAGED)
def test_a_card_tells_the_truth_about_its_network(zoo, name):
    card = CARDS[name]
    zoo(*card.files)
    for scale in card.scales or (0,):
        upscaler = srqa.models.load(name, scale or 2.7, offline=True)
        assert upscaler.name == name
        assert scale in (upscaler.scales or (0,))
        assert sum(p.numel() for p in upscaler.module.parameters()) == card.parameters[scale]
        assert (upscaler.halo, upscaler.inexact) == (card.halo, card.inexact)
        if not card.inexact:
            from_network = getattr(upscaler.module, "halo", None)
            layers = sum(hasattr(m, "kernel_size") for m in upscaler.module.modules())
            assert card.halo == (from_network or layers)


def test_the_largest_scale_is_taken_if_none_is_asked_for(zoo):
    zoo("dat-light-x4")
    assert srqa.models.load("dat-light", offline=True).scales == (4,)
    assert CARDS["dat-light"].default == 4


def test_what_cannot_be_loaded(monkeypatch, tmp_path):
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    with pytest.raises(UsageError, match=r"no model called 'dat-lite'") as caught:
        srqa.models.load("dat-lite")
    assert "Did you mean dat-light?" in caught.value.hint
    with pytest.raises(UsageError, match=r"dat-light enlarges by 2, 3 or 4, not by 5\.5") as caught:
        srqa.models.load("dat-light", 5.5)
    assert "bicubic" in caught.value.hint
    with pytest.raises(UsageError, match=r"waifu2x-photo enlarges by 2, not by 4"):
        srqa.models.load("waifu2x-photo", 4)
    with pytest.raises(WeightsError, match=r"fetching is switched off") as caught:
        srqa.models.load("real-esrgan-x4plus")
    assert "srqa weights pull real-esrgan-x4plus" in caught.value.hint
    with pytest.raises(WeightsError, match=r"swinir-x4") as caught:
        srqa.models.load("swinir", 4)
    assert "releases/download/v0.0/001_classicalSR_DF2K_s64w8_SwinIR-M_x4.pth" in caught.value.hint
    with pytest.raises(WeightsError, match=r"weights of edsr lie at no fixed address") as caught:
        srqa.models.load("edsr", 4)
    assert "https://github.com/sanghyun-son/EDSR-PyTorch" in caught.value.hint
    assert "--weights FILE" in caught.value.hint


def test_a_file_from_an_address_is_read_as_it_is(monkeypatch, tmp_path):
    """A made file stands for the published one, whose name it has in the store's folder."""
    import published
    import torch
    from support import repin

    state = {"params": published.state(published.edsr_basicsr(4, 1, 8))}
    path = tmp_path / "store" / "realesr-general-x4v3.pth"
    path.parent.mkdir()
    torch.save(state, path)
    monkeypatch.setenv("SRQA_WEIGHTS", str(path.parent))
    repin(monkeypatch, tmp_path, {"real-esrgan-general-x4v3": path.read_bytes()})
    upscaler = srqa.models.load("real-esrgan-general-x4v3", 4, offline=True)
    assert type(upscaler.module).__name__ == "EDSR"


def test_the_table_may_be_another(monkeypatch, tmp_path):
    path = tmp_path / "zoo.toml"
    path.write_text('[mine]\nsummary = "a"\nkind = "network"\narchitecture = "EDSR"\npaper = ""\n'
                    'where = "https://x"\nmeasured = [["Set5", 2, 30.0]]\n')  # fmt: skip
    monkeypatch.setattr(module, "PATH", path)
    card = srqa.models.card("mine")
    assert card.measured == (srqa.models.Figure("Set5", 2, 30.0, None, module.MEASURED),)
    assert not card.runnable
    assert dataclasses.asdict(card)["weights"] == {}


@pytest.mark.slow
def test_the_halo_of_a_deep_network_is_long_enough(zoo, photograph):
    """Its receptive field is longer, but what lies beyond the halo changes less than 1/255."""
    import numpy as np
    import torch

    zoo("real-esrgan-x4plus-anime")
    upscaler = srqa.models.load("real-esrgan-x4plus-anime", offline=True)
    x = torch.from_numpy(photograph("astronaut", 160, 280)[:, 32:, 152:].copy())[None]
    halo, begin, end = upscaler.halo, 56, 72
    whole = upscaler.run(x, 4)[..., 4 * begin : 4 * end, 4 * begin : 4 * end]
    part = x[..., begin - halo : end + halo, begin - halo : end + halo]
    assert part.shape[-1] < x.shape[-1]
    inner = slice(4 * halo, -4 * halo)
    tile = upscaler.run(part, 4)[..., inner, inner]
    assert 0 < np.abs((whole - tile).numpy()).max() < 1 / 255
