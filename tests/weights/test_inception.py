"""FID's Inception through torch-fidelity, on a made checkpoint with the right names and shapes."""

import io
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
import support
from made_index import Site, digest, entry
from support import noisy, picture, write

import srqa
import srqa.weights
from srqa.errors import MissingPackageError, WeightsError
from srqa.images.read import read
from srqa.metrics import inception, sets
from srqa.weights import manifest

pytest.importorskip("torch_fidelity", reason="pip install 'srqa[fid]'")
NAME = inception.WEIGHTS
PUBLISHED = "weights-inception-2015-12-05-6726825d.pth"


def checkpoint():
    """A file as the network's authors publish it, of random numbers in half precision."""
    import torch
    from torchvision.models import Inception3

    torch.manual_seed(0)
    network = Inception3(num_classes=1008, aux_logits=False, init_weights=False)
    numbers = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    out = io.BytesIO()
    torch.save(numbers, out)
    return out.getvalue()


@pytest.fixture(scope="session")
def made_inception():
    return checkpoint()


@pytest.fixture
def known(tmp_path, monkeypatch, bare):
    """``known(data, url)`` makes `data` the file that srqa expects, to be had at `url`."""
    inception.unload()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def make(data, url):
        path = tmp_path / "manifest.toml"
        path.write_text("archive = {}\n" + entry(NAME, "raw", data, "", [{"url": url}]))
        monkeypatch.setattr(manifest, "PATH", path)

    yield make
    inception.unload()


@pytest.fixture
def served(made_inception, known, serve):
    """The made checkpoint at an address on 127.0.0.1."""
    site = serve(Site(pages={f"/{PUBLISHED}": ("application/octet-stream", made_inception)}))
    known(made_inception, f"{site.url}/{PUBLISHED}")
    return site


@pytest.fixture
def scene(tmp_path):
    """Two pictures of one patch each, and one method."""
    for name in ("a", "b"):
        sharp = picture(name, 256, 260)
        write(tmp_path / "hr" / f"{name}.png", sharp)
        write(tmp_path / "out" / "m" / f"{name}.png", noisy(sharp, 12))
    return tmp_path


def planes(name, height=400, width=390):
    return as_planes(picture(name, height, width))


def as_planes(pixels):
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32) / 255


def test_the_real_file_is_the_one_that_fid_is_defined_by():
    file = srqa.weights.get(NAME)
    assert file.sha256 == "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
    assert file.filename == "pt_inception-2015-12-05-6726825d.pth"
    assert file.licence == "Apache-2.0"
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    assert URL_INCEPTION_V3 in {address.url for address in file.addresses}
    assert all(file.sha256[:8] in address.url for address in file.addresses)


def test_samples_are_torch_fidelitys_features_of_the_patches(served, store):
    import torch
    from torch_fidelity.utils import create_feature_extractor

    own = planes("a")
    found = inception.samples(own)
    assert found.shape == (2, 2048)
    assert found.dtype == np.float32
    theirs = create_feature_extractor(
        "inception-v3-compat", ["2048"], cuda=False,
        feature_extractor_weights_path=str(store / srqa.weights.get(NAME).filename),
    )  # fmt: skip
    corners = sets.corners(400, 390)
    assert corners == [(0, 0), (128, 128)]
    tiles = np.stack([picture("a", 400, 390)[t : t + 256, l : l + 256] for t, l in corners])
    (expected,) = theirs(torch.from_numpy(tiles).permute(0, 3, 1, 2))
    assert found == pytest.approx(expected.numpy(), rel=1e-5, abs=1e-6)
    assert np.array_equal(inception.samples(torch.from_numpy(own)[None]), found)


def test_evaluate_fetches_once_and_sees_what_torch_fidelity_sees(served, scene, tmp_path):
    """torch-fidelity's own program on the same patches, as files of their own."""
    from torch_fidelity import calculate_metrics
    from torch_fidelity.metric_kid import kernel_poly, mmd2

    run = srqa.evaluate(scene / "out", scene / "hr", scale=4, metrics="fid-patch,kid-patch")
    kid = next(r for r in run.summary_rows if r.metric == "kid-patch")
    assert kid.n == 2
    (refused,) = run.not_applicable
    assert "more than 2048 patches" in refused["problem"]
    assert "kid-patch has no such bound" in refused["problem"]
    assert "torch-fidelity 0." in kid.signature
    samples = {}
    for role in ("out/m", "hr"):
        whole = [read(scene / role / f"{name}.png").pixels for name in ("a", "b")]
        for name, pixels in zip(("a", "b"), whole, strict=True):
            write(tmp_path / "cut" / role / f"{name}.png", pixels[:, :256])
        samples[role] = [inception.samples(as_planes(pixels)) for pixels in whole]
    theirs = calculate_metrics(
        input1=str(tmp_path / "cut/out/m"), input2=str(tmp_path / "cut/hr"), cuda=False, kid=True,
        kid_subsets=1, kid_subset_size=2, verbose=False, cache=False, save_cpu_ram=True,
        feature_extractor_weights_path=str(srqa.weights.path(NAME)),
    )  # fmt: skip
    x, y = (np.concatenate(samples[role]).astype(np.float64) for role in ("out/m", "hr"))
    mine = mmd2(kernel_poly(x, x), kernel_poly(x, y), kernel_poly(y, y))
    assert mine == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-3)
    assert kid.mean == pytest.approx(sets.kernel_distance(samples["out/m"], samples["hr"]).value)
    assert len(served.asked) == 1


def test_the_published_file_serves_from_the_folder_of_weights(
    made_inception, known, store, monkeypatch
):
    known(made_inception, f"https://127.0.0.1:1/{PUBLISHED}")
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    assert not srqa.weights.available(NAME)
    store.mkdir()
    (store / PUBLISHED).write_bytes(made_inception)
    assert srqa.weights.available(NAME)
    assert inception.samples(planes("a", 256, 256)).shape == (1, 2048)


def test_what_torch_fidelity_downloaded_serves_too(made_inception, known, tmp_path, monkeypatch):
    known(made_inception, f"https://127.0.0.1:1/{PUBLISHED}")
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    hub = tmp_path / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (hub / PUBLISHED).write_bytes(made_inception[:-1] + b"x")
    with pytest.raises(WeightsError, match="fetching is switched off"):
        inception.samples(planes("a", 256, 256))
    (hub / PUBLISHED).write_bytes(made_inception)
    assert inception.samples(planes("a", 256, 256)).shape == (1, 2048)


def test_without_weights_nothing_is_scored(made_inception, known, scene, monkeypatch, command):
    known(made_inception, f"https://127.0.0.1:1/{PUBLISHED}")
    arguments = [*support.SRQA[1:], "evaluate", "out", "--ref", "hr", "--scale", "4"]
    done = subprocess.run(
        [sys.executable, *arguments, "-m", "psnr-y,kid-patch", "--offline"],
        cwd=scene, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stdout == ""
    support.assert_one_sentence(done.stderr, NAME, "switched off", "6726825d.pth")
    with pytest.raises(WeightsError, match="cannot be reached"):
        srqa.evaluate(scene / "out", scene / "hr", scale=4, metrics="psnr-y,kid-patch")


def test_another_file_is_refused(made_inception, known, serve):
    site = serve(Site(pages={f"/{PUBLISHED}": ("", made_inception[:-1] + b"x")}))
    known(made_inception, f"{site.url}/{PUBLISHED}")
    with pytest.raises(WeightsError, match=digest(made_inception)):
        inception.samples(planes("a", 256, 256))


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it was run')",))


def test_a_pickle_that_asks_for_more_is_not_run(known, serve):
    data = pickle.dumps({"fc.bias": Evil()}, protocol=2)
    site = serve(Site(pages={f"/{PUBLISHED}": ("", data)}))
    known(data, f"{site.url}/{PUBLISHED}")
    with pytest.raises(WeightsError, match="not allowed"):
        inception.samples(planes("a", 256, 256))


def test_another_network_is_refused(known, serve):
    import torch

    out = io.BytesIO()
    torch.save({"fc.bias": torch.zeros(3)}, out)
    site = serve(Site(pages={f"/{PUBLISHED}": ("", out.getvalue())}))
    known(out.getvalue(), f"{site.url}/{PUBLISHED}")
    with pytest.raises(WeightsError, match="does not fit torch-fidelity's Inception"):
        inception.samples(planes("a", 256, 256))


def test_without_torch_fidelity_there_is_one_sentence(scene, monkeypatch):
    def absent(name):
        from importlib.metadata import PackageNotFoundError

        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", absent)
    with pytest.raises(MissingPackageError, match="fid-patch needs the package") as caught:
        srqa.evaluate(scene / "out", scene / "hr", scale=4, metrics="fid-patch")
    assert caught.value.hint == "pip install 'srqa[fid]'"


@pytest.mark.slow
def test_enough_patches_give_fid():
    """The metric itself, on made samples of the network's width."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 2049, 2048)).astype(np.float32)
    fid = srqa.metric("fid-patch").spec.function
    assert fid([x], [x[::-1]]).value == pytest.approx(0, abs=1e-4)
    value = fid([x], [y])
    assert value.value > 100
    assert value.n == 2049
    assert math.isnan(value.low)
