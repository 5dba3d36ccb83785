"""FSRCNN and ESPCN with srqa's own numbers: inside the package, and as good as their cards say."""

import json

import numpy as np
import pytest

import srqa
import srqa.models
import srqa.weights
from srqa.errors import WeightsError
from srqa.images.read import read
from srqa.images.resize import imresize
from srqa.weights import store

CONTENTS = ("baby", "bird", "butterfly", "head", "woman")
CASES = [(name, scale) for name in ("fsrcnn", "espcn") for scale in srqa.models.card(name).weights]
GAINS = {("fsrcnn", 2): 1.5, ("fsrcnn", 4): 0.8}


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch, tmp_path):
    """No network, and a store without anything."""
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "store"))


def test_all_are_there():
    assert [(name, scale) for name in ("fsrcnn", "espcn") for scale in (2, 3, 4)] == CASES
    files = [srqa.weights.get(f"{name}-x{scale}") for name, scale in CASES]
    assert sum(file.bytes for file in files) < 1_000_000
    for file in files:
        assert store.read(file) == file.included.read_bytes()
        assert srqa.weights.available(file.name)
        assert srqa.weights.path(file.name) == file.included


def test_nothing_is_written_into_the_package(tmp_path):
    """Neither pulling nor importing touches it."""
    from srqa.weights import transfer

    file = srqa.weights.get("fsrcnn-x2")
    before = file.included.stat().st_mtime_ns
    srqa.weights.pull([file.name], again=True)
    transfer.export_to(tmp_path / "export", [file])
    assert transfer.import_from(tmp_path / "export") == [file]
    assert file.included.stat().st_mtime_ns == before
    assert not store.folder().joinpath(file.filename).exists()


def test_a_damaged_file_is_told(monkeypatch, tmp_path):
    file = srqa.weights.get("fsrcnn-x2")
    (tmp_path / "x").write_bytes(file.included.read_bytes()[:-1])
    monkeypatch.setattr(type(file), "included", tmp_path / "x")
    with pytest.raises(WeightsError, match="has sha256") as caught:
        store.read(file)
    assert "install srqa anew" in caught.value.hint


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_the_card_beside_it_tells_of_it(name, scale):
    file = srqa.weights.get(f"{name}-x{scale}")
    facts = json.loads(file.included.with_suffix(".json").read_text("utf-8"))
    assert (facts["model"], facts["scale"]) == (name, scale)
    assert facts["parameters"] == srqa.models.card(name).parameters[scale]
    assert facts["steps"] == facts["settings"]["steps"]
    assert (facts["loss"], facts["data"]["pictures"]) == ("l1", 28)
    looked = facts["validation"]
    assert looked["step"] == facts["steps"]
    assert looked["network"]["psnr-y"] > looked["bicubic"]["psnr-y"]


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_set5(reference, name, scale):
    """The figures of the zoo's cards, through the whole of `srqa upscale`'s way."""
    folder = reference / "set5"
    found = []
    for content in CONTENTS:
        hr = read(folder / f"hr_mod{3 if scale == 3 else 4}" / f"{content}.png").pixels
        if scale == 2:
            lr = np.floor(imresize(hr.astype(np.float64), 0.5).clip(0, 255) + 0.5).astype(np.uint8)
        else:
            lr = read(folder / f"lr_bicubic_x{scale}" / f"{content}.png").pixels
        made = srqa.upscale(lr, model=name, scale=scale)
        cut = slice(scale, -scale), slice(scale, -scale)
        pair = [np.ascontiguousarray(p[cut]) for p in (made, hr)]
        found.append([srqa.metric(metric)(*pair) for metric in ("psnr-y", "ssim-y")])
    psnr, ssim = np.mean(found, axis=0)
    (said,) = [f for f in srqa.models.card(name).measured if f.scale == scale]
    assert said.psnr == pytest.approx(psnr, abs=0.006)
    assert said.ssim == pytest.approx(ssim, abs=6e-5)
    (plain,) = [f for f in srqa.models.card("bicubic").measured if f.scale == scale]
    assert psnr > plain.psnr + GAINS.get((name, scale), 0.5)
