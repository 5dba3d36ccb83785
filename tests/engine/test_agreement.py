"""`srqa.metric` on arrays and tensors finds what `srqa.evaluate` finds for the same files."""

import numpy as np
import pytest
from PIL import Image
from support import write

import srqa
from srqa.demo import photographs
from srqa.images.colour import rounded_plane

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
