import sys

import numpy as np
import pytest

import srqa
from srqa.errors import MissingPackageError
from srqa.metrics import perceived, ssimulacra
from srqa.metrics.catalog import CATALOG

SPECS = {spec.name: spec for spec in CATALOG}


def bytes_of(planes):
    return np.floor(planes.transpose(1, 2, 0) * 255 + 0.5).astype(np.uint8)


@pytest.fixture
def pair(photograph, rng):
    """``pair(name, h, w)``: a noisy photograph and its original, 8 bits, (h, w, 3)."""

    def make(name="coffee", height=120, width=140, sigma=12):
        sharp = bytes_of(photograph(name, height, width))
        rough = np.clip(sharp + rng.normal(0, sigma, sharp.shape), 0, 255).astype(np.uint8)
        return rough, sharp

    return make


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_cvvdp_equals_its_package(name, pair):
    """Asked in the package's own way: 8-bit pixels, height x width x channel."""
    import torch

    package = pytest.importorskip("pycvvdp", reason="pip install 'srqa[cvvdp]'")
    rough, sharp = pair(name)
    theirs = package.cvvdp(display_name="standard_4k", device=torch.device("cpu"), quiet=True)
    expected = theirs.predict(rough, sharp, dim_order="HWC")[0].item()
    assert 3 < expected < 9.9
    assert srqa.metric("cvvdp")(rough, sharp) == pytest.approx(expected, abs=1e-4)
    assert "75.4 [pix/deg]" in theirs.get_info_string()
    assert "75.4 pixels per degree" in SPECS["cvvdp"].settings


def test_a_package_leaves_no_trace_on_the_path(tmp_path, monkeypatch):
    """ColorVideoVDP's appends its own folder, in which modules have names such as `utils`."""
    (tmp_path / "greedy_package.py").write_text("import sys; sys.path.append('/greedy')")
    monkeypatch.syspath_prepend(tmp_path)
    assert perceived._package("m", "greedy", "greedy", "greedy_package").__name__
    assert "/greedy" not in sys.path
    assert str(tmp_path) in sys.path


def test_cvvdp_sees_no_even_brightness():
    """As the guidance says: a flat picture of another brightness has no difference."""
    pytest.importorskip("pycvvdp", reason="pip install 'srqa[cvvdp]'")
    grey, white = (np.full((64, 64, 3), v, np.uint8) for v in (100, 255))
    assert srqa.metric("cvvdp")(white, grey) == 10.0


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_flip_equals_its_package(name, pair):
    package = pytest.importorskip("flip_evaluator", reason="pip install 'srqa[flip]'")
    rough, sharp = pair(name)
    floats = [(x / np.float32(255)).astype(np.float32) for x in (sharp, rough)]
    _, expected, used = package.evaluate(*floats, "LDR", applyMagma=False)
    assert 0.02 < expected < 0.9
    assert srqa.metric("flip")(rough, sharp) == pytest.approx(expected, rel=1e-5)
    assert pytest.approx(used["ppd"], rel=1e-6) == perceived.PIXELS_PER_DEGREE
    assert f"{used['ppd']:.2f} pixels per degree" in SPECS["flip"].settings


@pytest.mark.parametrize(("name", "module"), [("cvvdp", "pycvvdp"), ("flip", "flip_evaluator")])
def test_without_the_package_it_says_what_to_install(name, module, pair, monkeypatch):
    monkeypatch.setattr(perceived, "_own", type(perceived._own)())
    for known in [m for m in sys.modules if m.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, known)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackageError, match=f"{name} needs the package") as error:
        srqa.metric(name)(*pair())
    assert error.value.hint == f"pip install 'srqa[{name}]'"
    assert error.value.exit_code == 2


def test_the_filter_of_ssimulacra_is_the_recursive_gaussian():
    """As libjxl runs it: three resonators over the samples, nothing before and behind them."""
    radius, taps = 5, np.array(ssimulacra.taps())
    omega = np.array([1, 3, 5]) * np.pi / (2 * radius)
    basis = np.cos(np.outer(np.arange(-radius + 1, radius), omega))
    beta = np.linalg.lstsq(basis, taps, rcond=None)[0]
    assert basis @ beta == pytest.approx(taps, abs=1e-12)
    signal = np.random.default_rng(3).normal(size=40)
    padded = np.concatenate([np.zeros(2 * radius), signal, np.zeros(radius)])
    last, before, made = np.zeros(3), np.zeros(3), []
    for n in range(-radius + 1, len(signal)):
        ends = padded[n + 3 * radius - 1] + padded[n + radius - 1]
        now = 2 * np.cos(omega) * last - before - beta * np.cos(omega * (radius + 1)) * ends
        before, last = last, now
        made.append(now.sum())
    assert made[radius - 1 :] == pytest.approx(np.convolve(signal, taps, "same"), abs=1e-9)


def test_the_filter_has_the_moments_that_it_must():
    taps, place = np.array(ssimulacra.taps()), np.arange(-4, 5)
    assert taps.sum() == pytest.approx(1, abs=1e-12)
    assert (taps * place**2).sum() == pytest.approx(1.5**2, abs=1e-12)
    gauss = np.exp(-(place**2) / (2 * 1.5**2))
    assert taps == pytest.approx(gauss / gauss.sum(), abs=2.5e-3)


@pytest.mark.parametrize(
    ("name", "size"), [("astronaut", (192, 208)), ("coffee", (301, 333)), ("chelsea", (257, 90))]
)
@pytest.mark.parametrize("sigma", [2, 20])
def test_ssimulacra2_equals_another_program_but_for_its_blur(name, size, sigma, pair, monkeypatch):
    """The package of that name, with a blur that is libjxl's at the borders, too."""
    import io

    from PIL import Image
    from scipy.ndimage import correlate1d

    theirs = pytest.importorskip("ssimulacra2.ssimulacra2", reason="pip install ssimulacra2")

    def blur(image, sigma=1.5):
        for axis in (0, 1):
            image = correlate1d(image, ssimulacra.taps(), axis=axis, mode="constant")
        return image

    monkeypatch.setattr(theirs, "blur_image", blur)
    rough, sharp = pair(name, *size, sigma=sigma)
    files = []
    for pixels in (sharp, rough):
        files.append(io.BytesIO())
        Image.fromarray(pixels).save(files[-1], "PNG")
    expected = theirs.compute_ssimulacra2(*files)
    assert srqa.metric("ssimulacra2")(rough, sharp) == pytest.approx(expected, abs=1e-4)


def test_the_package_ssimulacra2_is_off_as_the_guidance_says(pair):
    """Turned by a right angle, a picture has another score there; here it has the same."""
    import io

    from PIL import Image

    theirs = pytest.importorskip("ssimulacra2.ssimulacra2", reason="pip install ssimulacra2")
    rough, sharp = pair("chelsea", 240, 300, sigma=20)
    values = []
    for turn in (lambda x: x, lambda x: np.ascontiguousarray(x.transpose(1, 0, 2))):
        files = []
        for pixels in (sharp, rough):
            files.append(io.BytesIO())
            Image.fromarray(turn(pixels)).save(files[-1], "PNG")
        values.append(theirs.compute_ssimulacra2(*files))
        own = srqa.metric("ssimulacra2")(turn(rough), turn(sharp))
        assert own == pytest.approx(srqa.metric("ssimulacra2")(rough, sharp), abs=1e-8)
        assert 1 < own - values[-1] < 6
    assert abs(values[0] - values[1]) > 0.5


def test_importing_the_catalog_imports_none_of_the_packages():
    import subprocess

    code = (
        "import sys, srqa.metrics.registry as r; r.get('cvvdp'); r.get('flip');"
        "print([m for m in ('pycvvdp', 'flip_evaluator', 'pyiqa', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
