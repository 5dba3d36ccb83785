import re
from pathlib import Path

import made_networks
import numpy as np
import pytest
from support import repin

import srqa
import srqa.weights
from srqa.errors import NotApplicableError, UsageError, WeightsError
from srqa.metrics import deep
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}
PUBLISHED = {
    "clip-rn50": "RN50.pt",
    "arniqa": "ARNIQA.pth",
    "arniqa-koniq10k": "regressor_koniq10k.pth",
}


@pytest.fixture(scope="module")
def made():
    encoder, regressor = made_networks.arniqa()
    return {"clip-rn50": made_networks.clip(), "arniqa": encoder, "arniqa-koniq10k": regressor}


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store, and no folder of anyone's downloads; nothing may be fetched."""
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "store"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    deep.unload()
    yield tmp_path / "store"
    deep.unload()


@pytest.fixture
def supplied(store, made, monkeypatch, tmp_path):
    """The made files, under their published names, in the folder that the user names."""
    repin(monkeypatch, tmp_path, made)
    store.mkdir()
    for name, data in made.items():
        (store / PUBLISHED[name]).write_bytes(data)
    return store


def torchmetrics_clip_iqa(data, pictures):
    """torchmetrics' arithmetic on piq's network, which reads the archive as torch would."""
    import torch
    from piq.feature_extractors import clip
    from torchmetrics.functional.multimodal import clip_iqa as theirs

    model = clip.build_model(made_networks.unscript(data)).float()
    tokens = torch.zeros(2, 77, dtype=torch.long)
    for row, numbers in zip(tokens, deep.PROMPTS.values(), strict=True):
        row[: len(numbers)] = torch.tensor(numbers)
    with torch.no_grad():
        anchors = model.encode_text(tokens).float()
        anchors = anchors / anchors.norm(p=2, dim=-1, keepdim=True)
        vectors = theirs._clip_iqa_update("clip_iqa", pictures, model, None, 1.0, pictures.device)
        return theirs._clip_iqa_compute(vectors, anchors, ["quality"]).reshape(-1).tolist()


def test_clip_iqa_equals_torchmetrics(supplied, made, photograph):
    import torch

    for size in ((64, 96), (95, 70)):
        planes = [photograph(n, *size) for n in ("astronaut", "coffee", "chelsea")]
        batch = torch.tensor(np.stack(planes))
        expected = torchmetrics_clip_iqa(made["clip-rn50"], batch)
        assert max(expected) - min(expected) > 1e-4
        assert [SPECS["clip-iqa"](x) for x in planes] == pytest.approx(expected, abs=1e-5)
        assert SPECS["clip-iqa"](batch).tolist() == pytest.approx(expected, abs=1e-5)


def test_arniqa_equals_torchmetrics(supplied, made, photograph, monkeypatch):
    """torchmetrics fetches by torch's hub; here it finds the same files in the hub's folder."""
    import torch
    from torchmetrics.functional.image import arniqa

    hub = Path(torch.hub.get_dir(), "checkpoints")
    hub.mkdir(parents=True)
    for name in ("arniqa", "arniqa-koniq10k"):
        (hub / PUBLISHED[name]).write_bytes(made[name])
    planes = [photograph(n, 97, 134) for n in ("astronaut", "coffee", "chelsea")]
    batch = torch.tensor(np.stack(planes))
    expected = arniqa(batch, "koniq10k", reduction="none", normalize=True).tolist()
    assert max(expected) - min(expected) > 1e-3
    assert [SPECS["arniqa"](x) for x in planes] == pytest.approx(expected, abs=1e-5)
    assert SPECS["arniqa"](batch).tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["clip-iqa", "arniqa"])
def test_gradients_flow_to_the_picture(name, supplied, photograph):
    import torch

    x = torch.tensor(photograph("coffee", 64, 70))[None].requires_grad_()
    (gradient,) = torch.autograd.grad(SPECS[name](x).sum(), x)
    assert gradient.isfinite().all()
    with torch.no_grad():
        step = 2e-3 * gradient / gradient.norm()
        slope = (SPECS[name](x + step) - SPECS[name](x - step)).item() / 2
    assert slope == pytest.approx((gradient * step).sum().item(), rel=0.1)
    assert SPECS[name](x.detach()[:, :1]).shape == (1,)


@pytest.mark.parametrize("name", ["clip-iqa", "arniqa"])
def test_the_shortest_side(name, supplied, photograph):
    least = SPECS[name].min_side
    compute = srqa.metric(name, accept_licence=True)
    picture = photograph("coffee", least, least + 9).transpose(1, 2, 0)
    assert np.isfinite(compute(picture))
    with pytest.raises(NotApplicableError, match="too small"):
        compute(picture[: least - 1])


@pytest.mark.parametrize("name", ["clip-iqa", "arniqa", "lpips-squeeze"])
def test_without_weights_it_says_what_to_do(name, store, photograph):
    planes = [photograph("coffee", 64, 64)] * (2 if name == "lpips-squeeze" else 1)
    with pytest.raises(WeightsError, match="switched off") as error:
        SPECS[name](*planes)
    assert error.value.exit_code == 4
    assert "srqa weights pull" in error.value.hint
    assert re.search(r"https://\S+ into ", error.value.hint)
    assert str(store) in error.value.hint


def test_another_file_of_that_name_is_refused(supplied, made, photograph):
    damaged = bytearray(made["clip-rn50"])
    damaged[len(damaged) // 2] ^= 1
    (supplied / "RN50.pt").write_bytes(damaged)
    with pytest.raises(WeightsError, match=r"RN50\.pt has sha256 \w{64} instead of \w{64}"):
        SPECS["clip-iqa"](photograph("coffee", 64, 64))


@pytest.mark.parametrize("place", ["torch/hub/checkpoints", "home/.cache/clip"])
def test_downloads_of_other_tools_are_used(place, store, made, monkeypatch, tmp_path):
    repin(monkeypatch, tmp_path, made)
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "RN50.pt").write_bytes(b"broken off")
    assert not srqa.weights.available("clip-rn50")
    (folder / "RN50.pt").write_bytes(made["clip-rn50"])
    assert srqa.weights.available("clip-rn50")
    assert srqa.weights.path("clip-rn50").read_bytes() == made["clip-rn50"]


def test_numbers_of_another_network_are_refused(store, made, monkeypatch, tmp_path, photograph):
    wrong = made | {"clip-rn50": made["arniqa-koniq10k"], "arniqa": made["clip-rn50"]}
    repin(monkeypatch, tmp_path, wrong)
    store.mkdir()
    for name, data in wrong.items():
        (store / PUBLISHED[name]).write_bytes(data)
    for name in ("clip-iqa", "arniqa"):
        with pytest.raises(WeightsError, match="do not fit their network"):
            SPECS[name](photograph("coffee", 64, 64))


def test_arniqa_must_be_accepted(monkeypatch):
    monkeypatch.delenv("SRQA_ACCEPT_LICENCE", raising=False)
    with pytest.raises(UsageError, match=r"arniqa .*CC-BY-NC-4\.0"):
        srqa.metric("arniqa")
    assert srqa.metric("clip-iqa").name == "clip-iqa"
