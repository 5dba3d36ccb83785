"""Any checkpoint: which architecture it is, and what is said about one that fits none."""

import importlib

import numpy as np
import published
import pytest
import torch
from safetensors.torch import save_file
from spandrel import MAIN_REGISTRY

import srqa.models
from srqa.errors import InputError, UsageError, WeightsError
from srqa.models import recognition
from srqa.models.networks import DESIGNS

SMALL = {
    "AuraSR": {"dim": 8, "image_size": 64, "input_image_size": 16,
               "style_network": {"dim_in": 8, "dim_out": 8, "depth": 1}, "up_dim_mults": (1, 2),
               "down_dim_mults": (2, 4), "full_attn": (False, False), "attn_depths": (1, 1),
               "mid_attn_depth": 1},
    "DRCT": {"img_size": 16, "window_size": 16, "depths": (2,), "num_heads": (2,), "embed_dim": 20,
             "gc": 4, "upscale": 4, "upsampler": "pixelshuffle"},
    "GRL": {"img_size": 16, "window_size": 8, "depths": [2], "num_heads_window": [2],
            "num_heads_stripe": [2], "embed_dim": 20},
    "HAT": {"img_size": 64, "window_size": 16, "upscale": 4, "upsampler": "pixelshuffle",
            "depths": (2,), "num_heads": (2,), "embed_dim": 20, "squeeze_factor": 5},
    "MMRealSR": {"num_in_ch": 3, "num_out_ch": 3},
    "NAFNet": {"middle_blk_num": 1, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]},
    "SAFMN": {"dim": 8},
    "SAFMNBCIE": {"dim": 8},
    "SPAN": {"num_in_ch": 3, "num_out_ch": 3},
    "Swin2SR": {"img_size": 64, "window_size": 8, "upsampler": "pixelshuffle", "upscale": 2,
                "depths": [2], "num_heads": [2], "embed_dim": 20},
    "SwinIR": {"img_size": 64, "window_size": 8, "upsampler": "pixelshuffle", "upscale": 2,
               "depths": [2], "num_heads": [2], "embed_dim": 20},
}  # fmt: skip
ON_CPU = {"DAT", "DRCT", "FDAT", "GRL", "HAT", "IPT", "MoSR", "RCAN", "RGT", "SCUNet", "Swin2SR",
          "SwinIR", "Uformer"}  # fmt: skip


def theirs(name):
    """A network of spandrel's; without memory where its constructor allows that."""
    module = importlib.import_module(f"spandrel.architectures.{name}")
    made = next(getattr(module, n) for n in module.__all__ if not n.endswith("Arch"))
    with torch.device("cpu" if name in ON_CPU else "meta"):
        return made(**SMALL.get(name, {}))


NAMES = [support.architecture.id for support in MAIN_REGISTRY]


def test_there_are_as_many_architectures_as_promised():
    ours = [design.name for design in DESIGNS]
    assert len(NAMES) == 42
    assert recognition.architectures() == tuple(sorted([*NAMES, *ours], key=str.lower))
    assert {"SRCNN", "VDSR", "FSRCNN", "ESPCN", "LapSRN", "EDSR", "CARN", "IMDN", "SRResNet",
            "LIIF"} <= set(ours)  # fmt: skip


def test_spandrels_own_registry_stays_as_it_is():
    recognition.registry()
    assert "EDSR" not in MAIN_REGISTRY
    assert len(list(MAIN_REGISTRY)) == 42


@pytest.mark.parametrize("name", NAMES)
def test_spandrels_architectures_keep_their_checkpoints(name):
    state = theirs(name).state_dict()
    found = next(s for s in recognition.registry().architectures("detection") if s.detect(state))
    assert found.architecture.id == name
    assert not any(design.detect(state) for design in DESIGNS)


@pytest.mark.parametrize("name", ["Compact", "SPAN", "SwinIR", "HAT", "RCAN"])
def test_they_run(name):
    torch.manual_seed(1)
    small = {"Compact": {"num_feat": 8, "num_conv": 3}, "SPAN": {"feature_channels": 8},
             "RCAN": {"n_resgroups": 1, "n_resblocks": 1, "n_feats": 16}}.get(name, {})  # fmt: skip
    module = importlib.import_module(f"spandrel.architectures.{name}")
    made = getattr(module, name)(**SMALL.get(name, {}) | small)
    descriptor = recognition.recognise(made.state_dict(), "a.pth")
    upscaler = recognition.upscaler(descriptor, "a")
    (scale,) = upscaler.scales
    side = max(upscaler.min_side, 16)
    result = upscaler.run(torch.rand(2, 3, side, side + upscaler.multiple), scale)
    assert result.shape == (2, 3, side * scale, (side + upscaler.multiple) * scale)
    assert upscaler.halo == {"Compact": 5, "SPAN": 41}.get(name, 32)
    assert bool(upscaler.inexact) == (name in ("SwinIR", "HAT", "RCAN"))


def edsr():
    return published.state(published.edsr(2, 1, 4), peak=255.0)


WRAPPED = {
    "parallel": lambda s: {f"module.{k}": v for k, v in s.items()},
    "parallel, ema": lambda s: {"params_ema": {f"module.{k}": v for k, v in s.items()}},
    "compiled": lambda s: {f"_orig_mod.{k}": v for k, v in s.items()},
    "lightning": lambda s: {"state_dict": {f"net_g.{k}": v for k, v in s.items()}, "epoch": 3},
    "mmediting": lambda s: {"state_dict": {f"generator.{k}": v for k, v in s.items()}
                            | {"discriminator.conv.weight": torch.zeros(3, 3)}},
    "training": lambda s: {"model": s, "optimizer": {"state": {0: {"exp_avg": torch.zeros(5)}}}},
    "nested": lambda s: {"model": {"sd": {f"model.{k}": v for k, v in s.items()}}},
}  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_what_training_puts_around_a_network(tmp_path, wrap):
    state = edsr()
    torch.save(wrap(state), tmp_path / "my edsr ü.pth")
    upscaler = srqa.models.load(weights=tmp_path / "my edsr ü.pth")
    assert upscaler.name == "my edsr ü"
    assert type(upscaler.module).__name__ == "EDSR"
    assert torch.equal(upscaler.module.conv_first.weight, state["head.0.weight"])


@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_other_formats(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    if suffix == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in edsr().items()})
    else:
        save_file(edsr(), path)
    assert srqa.models.load(weights=path, scale=2).scales == (2,)


def test_halves_are_computed_in_single_precision(tmp_path):
    save_file(
        {name: tensor.bfloat16() for name, tensor in edsr().items()}, tmp_path / "a.safetensors"
    )
    torch.save({name: tensor.half() for name, tensor in edsr().items()}, tmp_path / "a.pth")
    upscaler = srqa.models.load(weights=tmp_path / "a.pth")
    assert {p.dtype for p in upscaler.module.parameters()} == {torch.float32}


def broken(change):
    state = edsr()
    change(state)
    return state


CASES = {
    "a classifier": ({"conv1.weight": torch.zeros(64, 3, 7, 7), "fc.weight": torch.zeros(9, 64)},
                     WeightsError, ("none of the", "54 architectures")),
    "a part missing": (broken(lambda s: s.pop("body.1.bias")), WeightsError,
                       ("looks like EDSR", "conv_after_body.bias")),
    "another shape": (broken(lambda s: s.update({"tail.1.weight": torch.zeros(3, 9, 3, 3)})),
                      WeightsError, ("looks like EDSR", "conv_last.weight")),
    "more layers": (broken(lambda s: s.update({"extra.weight": torch.zeros(3)})), WeightsError,
                    ("looks like EDSR", "extra.weight")),
    "gone astray": (broken(lambda s: s["body.1.bias"].fill_(float("nan"))), WeightsError,
                    ("not finite", "body.1.bias")),
    "four channels": ({f"body.{i}.{part}": torch.zeros(shape) for i, part, shape in (
        (0, "weight", (8, 4, 3, 3)), (0, "bias", (8,)), (1, "weight", (8,)),
        (2, "weight", (16, 8, 3, 3)), (2, "bias", (16,)))}, UsageError, ("4 channels",)),
}  # fmt: skip


@pytest.mark.parametrize(("state", "error", "parts"), CASES.values(), ids=CASES)
def test_what_cannot_be_used(tmp_path, state, error, parts):
    torch.save(state, tmp_path / "mine.pth")
    with pytest.raises(error) as caught:
        srqa.models.load(weights=tmp_path / "mine.pth")
    text = str(caught.value)
    assert "mine" in text
    assert all(part in text for part in parts), text
    assert "\n" not in text


def test_inpainting_is_refused():
    shapes = {name: tensor.shape for name, tensor in theirs("LaMa").state_dict().items()}
    with pytest.raises(UsageError, match=r"a\.pth is LaMa, a network for inpainting"):
        recognition.recognise({k: torch.zeros(v) for k, v in shapes.items()}, "a.pth")


def test_another_scale_than_asked_for(tmp_path):
    torch.save(edsr(), tmp_path / "mine.pth")
    with pytest.raises(UsageError, match=r"mine enlarges by 2, not by 4") as caught:
        srqa.models.load(weights=tmp_path / "mine.pth", scale=4)
    assert "--outscale" in caught.value.hint


def test_another_architecture_than_asked_for(tmp_path):
    torch.save(edsr(), tmp_path / "mine.pth")
    assert srqa.models.load("edsr", weights=tmp_path / "mine.pth").name == "edsr"
    with pytest.raises(UsageError, match=r"is a checkpoint of EDSR, but swinir is"):
        srqa.models.load("swinir", weights=tmp_path / "mine.pth")
    with pytest.raises(UsageError, match=r"bicubic is no network"):
        srqa.models.load("bicubic", weights=tmp_path / "mine.pth")
    assert srqa.models.load("ours", weights=tmp_path / "mine.pth").name == "ours"


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        srqa.models.load(weights=tmp_path / "none.pth")
    with pytest.raises(InputError, match="is a folder"):
        srqa.models.load(weights=tmp_path)
    (tmp_path / "a.pth").write_text("<html>not found</html>")
    with pytest.raises(WeightsError, match="cannot be read"):
        srqa.models.load(weights=tmp_path / "a.pth")


def test_networks_whose_checkpoint_does_not_say_the_scale(tmp_path):
    for name in ("fsrcnn_x3.pth", "mine.pth"):
        torch.save(published.state(published.fsrcnn(6, 3, 1)), tmp_path / name)
    assert srqa.models.load(weights=tmp_path / "fsrcnn_x3.pth").scales == (3,)
    assert srqa.models.load(weights=tmp_path / "fsrcnn_x3.pth", scale=2).scales == (2, 3, 4)
    assert srqa.models.load(weights=tmp_path / "mine.pth").scales == (2, 3, 4)
