"""The studies that train: tiny trainings through the real trainer, then tables and figures."""

import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from support import made, picture, write

import srqa
from srqa.errors import InputError, UsageError
from srqa.losses import canonical
from srqa.models.networks.edsr import EDSR
from srqa.training.networks import build
from srqa.training.settings import Settings
from studies import contents, tables, trainings
from studies.batchnorm import jobs as blocks
from studies.batchnorm import measuring
from studies.losses import jobs, spectra


@pytest.fixture(autouse=True)
def no_shipped(monkeypatch):
    monkeypatch.setattr(contents, "_shipped", list)


@pytest.fixture
def many(photographs):
    """Contents take five; the others are trained on."""
    for name in "ghij":
        write(photographs / f"{name}.png", picture(name, 96, 112))
    return photographs


def test_every_loss_of_the_study_is_one_and_differs():
    found = jobs.losses()
    assert found[0].name == jobs.PLAIN == found[0].text
    assert len({canonical(loss.text) for loss in found}) == len({loss.name for loss in found})
    names = " ".join(loss.text for loss in found)
    for term in ("l2", "charbonnier", "content", "texture", "cycle", "tv", "edge", "vanilla",
                 "lsgan", "wgan-gp", "ragan"):  # fmt: skip
        assert term in names


def test_trainings_are_alike_but_for_the_loss(tmp_path):
    begun = jobs.beginning(("a.png",))
    assert (begun.model, begun.scale, begun.loss) == ("edsr", 4, "l1")
    made = jobs.continued(begun, tmp_path / "n.safetensors", jobs.losses())
    shared = {(s.steps, s.rate, s.seed, s.start, s.patch) for s in made.values()}
    assert len(shared) == 1
    assert made["l2"].loss == "l2"


def test_equal_seeds_see_equal_data():
    made = blocks.trainings(("a.png",), 2)
    assert list(made) == ["plain-0", "normalised-0", "plain-1", "normalised-1"]
    assert made["plain-1"].seed == made["normalised-1"].seed == 1
    assert made["normalised-0"].options["normalised"] == 1


def test_contents_are_not_trained_on(many, tmp_path):
    chosen = contents.make_contents(tmp_path / "hr", [many], 5, 64)
    left = trainings.pictures_but([many], chosen)
    assert not {path.rsplit("/", 1)[1][0] for path in left} & set(chosen)
    assert len(left) == 5
    with pytest.raises(InputError, match="No pictures are left"):
        trainings.pictures_but([many], list("abcdefghij"))


def test_spectra_tell_smoother_from_rougher(tmp_path):
    sharp = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    blurred = srqa.degrade(sharp, 1, kernel="gaussian", sigma=1.0)
    for i in range(5):
        write(tmp_path / "hr" / f"{i}.png", np.roll(sharp, i, 0))
        write(tmp_path / "outputs" / "same" / f"{i}.png", np.roll(sharp, i, 0))
        write(tmp_path / "outputs" / "smooth" / f"{i}.png", np.roll(blurred, i, 0))
    powers, slopes = spectra.measure(tmp_path, ("same", "smooth"))
    by = {(p.method, round(p.frequency * 32 - 0.5)): p.ratio for p in powers}
    assert all(by["same", band] == 0 for band in range(spectra.BANDS))
    # A Gaussian of sigma s lets pass exp(-2 (pi s f)^2) of a wave, squared in power.
    for band in (4, 7):
        f = (band + 0.5) / 32
        expected = 10 * math.log10(math.exp(-4 * (math.pi * f) ** 2))
        assert by["smooth", band] == pytest.approx(expected, abs=1.5)
    assert slopes[0].ratio == 1
    assert slopes[1].ratio < 0.5


def test_differences_of_groups_are_of_their_means():
    run = made({"a-0": [1.0, 2, 3, 4, 5], "a-1": [3.0, 4, 5, 6, 7], "b-0": [1.0, 1, 1, 1, 1]})
    rows = tables.differences(run, "b", blocks.kind_of)
    assert [(r.method, r.mean, r.change) for r in rows] == [("a", 4, 3), ("b", 1, 0)]
    text = tables.markdown(rows, {"a": "first", "b": "second"}, "b")
    assert "| second | 1.00 |" in text
    assert "| first | 4.00 (+3.00 ± " in text


def test_an_edsr_with_normalisation_survives_its_file(tmp_path):
    torch.manual_seed(0)
    network = EDSR(2, 2, 8, normalised=True)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    torch.save(network.state_dict(), tmp_path / "bn.pth")
    pictures = torch.rand(1, 3, 12, 14)
    found = srqa.models.load(weights=tmp_path / "bn.pth").run(pictures, 2)
    torch.testing.assert_close(found, network.eval()(pictures))
    plain = EDSR(2, 2, 8)
    assert not any("bn" in name for name in plain.state_dict())


def test_what_a_step_keeps_is_counted_by_hand():
    """One convolution keeps its input and its weights; abs keeps what it is given."""
    found = measuring.kept_for_backward(
        Settings("espcn", 2, ("x",), options={"first": 4, "second": 4}, batch=1, patch=8)
    )
    network = build("espcn", 2, {"first": 4, "second": 4})
    weights = sum(p.numel() for n, p in network.named_parameters() if n.endswith("weight"))
    maps = 1 * 64 + 4 * 64 + 4 * 64 + 4 * 64
    assert found == pytest.approx(4 * (weights + maps), rel=0.15)


def test_an_even_handed_network_answers_alike_to_every_contrast(tmp_path, monkeypatch):
    from srqa.models import load

    for name in "ab":
        write(tmp_path / f"{name}.png", picture(name, 32, 40))
    monkeypatch.setattr(measuring, "load", lambda weights, scale: load("bicubic"))
    found = measuring.contrasts("x", tmp_path / "none", tmp_path, 2)
    assert [row.contrast for row in found] == list(measuring.CONTRASTS)
    assert np.ptp([row.psnr for row in found]) < 1e-3
    flat = measuring.flat("x", tmp_path / "none", 2)
    assert flat.worst < 1e-3


@pytest.mark.slow
def test_losses_from_training_to_figures(many, tmp_path):
    from studies.losses.__main__ import command

    out = tmp_path / "out"
    given = ["--hr", str(many), "--out", str(out), "--losses", "l2,ragan", "--begin", "2",
             "--steps", "1", "--contents", "5", "--size", "64", "-m", "psnr-y,ssim-y",
             "--device", "cpu", "-q"]  # fmt: skip
    first = CliRunner().invoke(command, given, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    rows = tables.read(out / "losses.csv", tables.Difference)
    assert {row.method for row in rows} == {"bicubic", "l1", "l2", "ragan"}
    assert {row.method: row.change for row in rows if row.metric == "psnr-y"}["l1"] == 0
    for name in ("spectra.png", "pictures.png", "table.md", "gradients.csv"):
        assert (out / name).stat().st_size > 100
    networks = {path: path.stat().st_mtime_ns for path in out.glob("train/*/*.safetensors")}
    assert len(networks) == 4
    again = CliRunner().invoke(command, given, catch_exceptions=False)
    assert again.exit_code == 0
    assert networks == {path: path.stat().st_mtime_ns for path in networks}


@pytest.mark.slow
def test_batchnorm_from_training_to_figures(many, tmp_path):
    from studies.batchnorm.__main__ import command

    out = tmp_path / "out"
    given = ["--hr", str(many), "--out", str(out), "--seeds", "2", "--steps", "2", "-q",
             "--contents", "5", "--size", "64", "-m", "psnr-y", "--device", "cpu"]  # fmt: skip
    result = CliRunner().invoke(command, given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    costs = tables.read(out / "costs.csv", measuring.Cost)
    by = {cost.name: cost for cost in costs}
    assert by["normalised-0"].parameters - by["plain-0"].parameters == 6 * 2 * 2 * 32
    assert by["normalised-0"].kept > by["plain-0"].kept
    assert "| kept for the way back, MB a step |" in result.output
    for name in ("answers.png", "pictures.png", "flats.csv", "contrasts.csv", "scores.csv"):
        assert (out / name).stat().st_size > 100


def test_an_unknown_loss_is_told(many, tmp_path):
    from studies.losses.__main__ import _chosen

    with pytest.raises(UsageError, match="no loss 'l3'"):
        _chosen("l3")
    assert [loss.name for loss in _chosen("ragan,l2")] == ["l1", "ragan", "l2"]
