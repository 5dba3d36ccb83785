"""What training leaves in files: wrappers, whole networks, settings; nothing of it is run."""

import argparse
import os
import pathlib
import sys
import types
from textwrap import dedent

import numpy as np
import pytest
import torch

import srqa.weights
from srqa.errors import WeightsError

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
UNSEEN = pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")
GOOD = {"body.0.weight": torch.arange(6.0).reshape(2, 3), "body.0.bias": torch.ones(2)}
OTHER = {name: -tensor for name, tensor in GOOD.items()}


def read(path, content, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return srqa.weights.read(path)


def is_good(found):
    return found.keys() == GOOD.keys() and all(np.array_equal(found[k], GOOD[k]) for k in GOOD)


def optimiser():
    parameter = torch.nn.Parameter(torch.zeros(9, 9))
    adam = torch.optim.Adam([parameter])
    parameter.sum().backward()
    adam.step()
    return adam.state_dict()


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        {"params": GOOD},
        {"params": OTHER, "params_ema": GOOD},
        {"state_dict": GOOD, "optimizer": optimiser(), "epoch": 7},
        {"model_state_dict": GOOD, "optimizer_state_dict": optimiser()},
        {"model": {"name": "liif", "args": {"encoder_spec": {"name": "edsr"}}, "sd": GOOD}},
        {"net": GOOD, "scheduler": {"last_lr": [1e-4]}},
        {"netG": GOOD, "netD": {f"{k}.x": v for k, v in OTHER.items()} | OTHER},
        {"ema": {}, "whatever": GOOD, "optim": {"m": torch.zeros(3)}},
        {"args": argparse.Namespace(out=pathlib.Path("x")), "state_dict": GOOD},
        {"best": np.float64(32.1), "psnr": np.arange(3), "state_dict": GOOD},
    ],
    ids=["bare", "params", "ema", "training", "model", "liif", "net", "gan", "unknown",
         "settings", "numpy"],
)  # fmt: skip
@FORMATS
def test_the_network_is_found(tmp_path, content, zipped):
    assert is_good(read(tmp_path / "a.pth", content, zipped))


@pytest.fixture
def port(tmp_path, monkeypatch):
    """A module `port` with a network, as a repository has it; afterwards nobody knows it."""
    module = types.ModuleType("port")
    exec(
        dedent("""
            import torch
            from torch import nn

            class Net(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.body = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
                    self.norm = nn.BatchNorm1d(2)
                    self.kept = None

                def forward(self, x):
                    raise SystemExit("it was run")
        """),
        module.__dict__,
    )
    module.Net.__module__ = "port"
    monkeypatch.setitem(sys.modules, "port", module)
    return module


@UNSEEN
@FORMATS
@pytest.mark.parametrize("parallel", [False, True])
def test_a_whole_network(tmp_path, monkeypatch, port, zipped, parallel):
    net = port.Net()
    state = net.state_dict()
    if parallel:
        net = torch.nn.DataParallel(net)
        state = {f"module.{name}": tensor for name, tensor in state.items()}
    content = {"epoch": 50, "model": net, "optimizer": optimiser()}
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    monkeypatch.delitem(sys.modules, "port")
    found = srqa.weights.read(tmp_path / "a.pth")
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        assert np.array_equal(found[name], tensor.numpy())


class Calls:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@UNSEEN
@FORMATS
@pytest.mark.parametrize(
    "make",
    [
        lambda mark: Calls(os.system, f"touch {mark}"),
        lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"),
        lambda mark: Calls(getattr, "text", "upper"),
        lambda mark: Calls(np.save, str(mark), np.zeros(1)),
    ],
    ids=["system", "eval", "getattr", "numpy"],
)
def test_code_beside_a_network_is_refused(tmp_path, port, make, zipped):
    mark = tmp_path / "mark"
    net = port.Net()
    net.kept = make(mark)
    torch.save({"model": net}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match="not allowed"):
        srqa.weights.read(tmp_path / "a.pth")
    assert not mark.exists()


def test_code_of_a_package_is_not_run(tmp_path, monkeypatch):
    """A class that does something when it is made, or given its state, does nothing here."""
    module = types.ModuleType("somewhere")
    exec(
        "class Trap:\n"
        "    def __reduce__(self): return Trap, ('x',), {'a': 1}, iter([1]), iter([(1, 2)])\n"
        "    def __init__(self, *a):\n"
        "        if a: raise SystemExit('made')\n"
        "    def append(self, x): raise SystemExit('appended')\n"
        "    def __setitem__(self, k, v): raise SystemExit('set')\n",
        module.__dict__,
    )
    module.Trap.__module__ = "somewhere"
    monkeypatch.setitem(sys.modules, "somewhere", module)
    assert is_good(read(tmp_path / "a.pth", {"hooks": module.Trap(), "state_dict": GOOD}))


@pytest.mark.parametrize("content", [{}, [], {"epoch": 3}, [torch.zeros(2)], "words", None])
def test_no_network(tmp_path, content):
    with pytest.raises(WeightsError, match="no table of tensors"):
        read(tmp_path / "a.pth", content)


def test_damaged(tmp_path):
    torch.save({"model": GOOD}, tmp_path / "a.pth")
    whole = (tmp_path / "a.pth").read_bytes()
    for size in (0, 3, len(whole) // 2, len(whole) - 5):
        (tmp_path / "b.pth").write_bytes(whole[:size])
        with pytest.raises(WeightsError, match=r"b\.pth.*cannot be read") as caught:
            srqa.weights.read(tmp_path / "b.pth")
        assert "\n" not in str(caught.value)
