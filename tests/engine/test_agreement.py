"""`srqa.metric` on arrays and tensors finds what `srqa.evaluate` finds for the same files."""

import numpy as np
import pytest
from PIL import Image
from support import write

import srqa
from srqa.demo import photographs
from srqa.images.colour import rounded_plane
from srqa.metrics import features
from srqa.metrics.api import select

pytest.importorskip("skimage")
NATURAL = ["niqe", "niqe-gray", "brisque", "piqe"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All photographs of scikit-image, one in shades of grey, the largest shrunk by 3."""
    folder = tmp_path_factory.mktemp("photographs")
    for path in photographs():
        pixels = np.asarray(Image.open(path).convert("RGB"))
        step = 3 if max(pixels.shape) > 1000 else 1
        write(folder / f"{path.stem}.png", pixels[::step, ::step])
    write(folder / "grey.png", pixels[..., 1])
    return folder


def test_natural_metrics_agree_exactly(folder):
    torch = pytest.importorskip("torch")
    run = srqa.evaluate(folder, metrics=NATURAL, cache=False, device="cpu")
    assert not run.scores["problem"].any()
    pictures = sorted(folder.iterdir())
    assert len(run.scores) == len(NATURAL) * len(pictures)
    for row in run.score_rows:
        metric = srqa.metric(row.metric)
        image = Image.open(folder / row.image.rpartition("/")[2])
        pixels = np.asarray(image)
        assert metric(pixels) == row.value, (row.image, row.metric)
        assert metric(image) == row.value
        planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        assert metric(torch.from_numpy(planes.copy())).item() == row.value


def test_y_metrics_agree_exactly(folder, tmp_path):
    name = "astronaut.png"
    good = np.asarray(Image.open(folder / name))
    bad = np.clip(good.astype(int) + np.random.default_rng(3).integers(-9, 9, good.shape), 0, 255)
    write(tmp_path / name, bad.astype(np.uint8))
    run = srqa.evaluate(
        tmp_path / name, folder, metrics=["psnr-y", "ssim-y"], protocol="real", cache=False
    )
    for row in run.score_rows:
        assert srqa.metric(row.metric)(bad.astype(np.uint8), good) == row.value


class TestRoundedPlane:
    def integers(self, samples, channel):
        return rounded_plane(samples, channel) * np.float32(255)

    def test_ties_of_y_in_exact_arithmetic(self):
        """Whole numbers only: 255000 Y = 16 * 255000 + 65481 R + 128553 G + 24966 B."""
        rng = np.random.default_rng(0)
        colours = rng.integers(0, 256, (3, 700, 300)).astype(np.uint8)
        r, g, b = colours.astype(object)
        twice = 2 * (16 * 255000 + 65481 * r + 128553 * g + 24966 * b) + 255000
        expected = (twice // 510000).astype(float)
        found = self.integers(colours, "y")[0]
        tie = (twice % 510000 == 0).astype(bool)
        np.testing.assert_array_equal(np.round(found)[~tie], expected[~tie])
        assert np.abs(found - np.round(found)).max() < 1e-4

    @pytest.mark.parametrize("channel", ["y", "gray"])
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_grey_equals_its_rgb_and_arrays_equal_tensors(self, channel, dtype):
        torch = pytest.importorskip("torch")
        rng = np.random.default_rng(1)
        samples = rng.integers(0, np.iinfo(dtype).max + 1, (3, 600, 40)).astype(dtype)
        found = rounded_plane(samples, channel)
        tensor = torch.from_numpy(samples)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(rounded_plane(tensor, channel).numpy(), found)
        np.testing.assert_array_equal(rounded_plane(tensor[None], channel)[0].numpy(), found)
        one = samples[:1]
        np.testing.assert_array_equal(
            rounded_plane(one, channel), rounded_plane(np.repeat(one, 3, 0), channel)
        )

    def test_every_grey_stays_itself(self):
        ramp = np.arange(256, dtype=np.uint8)[None, None]
        np.testing.assert_array_equal(np.round(self.integers(ramp, "gray")), ramp)
        wide = (ramp.astype(np.uint16)) * 257
        np.testing.assert_array_equal(np.round(self.integers(wide, "gray")), ramp)


@pytest.fixture
def scenes(tmp_path, photograph):
    """Two photographs, each blurred, and with noise."""
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(5)
    for name in ("astronaut", "coffee"):
        sharp = np.uint8(photograph(name, 208, 200).transpose(1, 2, 0) * 255 + 0.5)
        noisy = np.clip(sharp + rng.normal(0, 9, sharp.shape), 0, 255).astype(np.uint8)
        write(tmp_path / "hr" / f"{name}.png", sharp)
        write(tmp_path / "out" / "blur" / f"{name}.png", cv2.GaussianBlur(sharp, (0, 0), 1.2))
        write(tmp_path / "out" / "noise" / f"{name}.png", noisy)
    return tmp_path


@pytest.mark.slow
def test_no_value_depends_on_bands_batches_or_order(scenes, weights, monkeypatch):
    """All metrics that need nothing but srqa itself, on real photographs."""
    own = [s for s in select(level="image") if s.kind != "lr" and not (s.given or s.extra)]
    absent = ("lpips-squeeze", "clip-iqa", "arniqa", "st-lpips-vgg")  # the last: time
    names = [s.name for s in own if s.name not in absent]
    assert len(names) > 30

    def values(names, **options):
        run = srqa.evaluate(scenes / "out", scenes / "hr", metrics=names, cache=False,
                            device="cpu", scale=4, **options)  # fmt: skip
        assert not run.scores["problem"].any()
        return {(row.metric, row.image): row.value for row in run.score_rows}

    usual = values(names, workers=1)
    assert len(usual) == 4 * len(names)
    others = [values(names, batch_size=3), values(names[::-1], batch_size=1, workers=2)]
    monkeypatch.setattr(features, "memory_of_maps", lambda *arguments: 10**15)
    others += [values(names, memory="300MB"), values(names[::-1], memory="2GB", batch_size=2)]
    for other in others:
        assert other.keys() == usual.keys()
        for key, value in usual.items():
            assert other[key] == pytest.approx(value, rel=1e-5, abs=1e-5), key
