"""Upscalers on pictures of any size: tiled equals whole, and nothing wrong gets out quietly."""

import numpy as np
import pytest
import torch
from made_upscalers import averaging, convolutions, doing, twice, windows
from support import picture

from srqa.errors import InputError, UsageError
from srqa.images.colour import luma, rgb_of_ycbcr, ycbcr
from srqa.images.resize import imresize
from srqa.models.classical import METHODS
from srqa.models.faults import FailedOutputError
from srqa.models.running import Enlarger
from srqa.models.settings import Settings


def unit(pixels):
    return pixels.astype(np.float32) / 255


def whole(upscaler, pixels, **settings):
    return Enlarger(upscaler, Settings(**({"scale": 2, "tile": None} | settings)))(pixels)


def tiled(upscaler, pixels, **settings):
    return Enlarger(upscaler, Settings(**({"scale": 2, "tile": 24} | settings)))(pixels)


class TestTiledEqualsWhole:
    @pytest.mark.parametrize("batch", [1, 3])
    @pytest.mark.parametrize("ensemble", [False, True])
    def test_convolutions(self, batch, ensemble):
        pixels = unit(picture("a", 71, 102))
        upscaler = convolutions(layers=5)
        made = tiled(upscaler, pixels, batch=batch, ensemble=ensemble)
        np.testing.assert_allclose(made, whole(upscaler, pixels, ensemble=ensemble), atol=2e-6)

    def test_a_halo_that_is_too_small_shows(self):
        """The test above can fail: with one pixel less the result differs."""
        pixels = unit(picture("a", 71, 102))
        upscaler = convolutions(layers=9, halo=5)  # surroundings are at least 3
        made, right = tiled(upscaler, pixels), whole(upscaler, pixels)
        assert np.abs(made - right).max() > 1e-5

    @pytest.mark.parametrize("size", [(64, 80), (61, 83), (25, 100)])
    @pytest.mark.parametrize("ensemble", [False, True])
    def test_windows_stay_where_they_are(self, size, ensemble):
        pixels = unit(picture("b", *size))
        made = tiled(windows(), pixels, ensemble=ensemble)
        np.testing.assert_allclose(made, whole(windows(), pixels, ensemble=ensemble), atol=2e-6)

    @pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
    @pytest.mark.parametrize("scale", [2, 2.5, 3.37, 1.3])
    def test_any_scale(self, name, scale):
        if (name, scale) == ("nearest", 1.3):
            scale = 1.7  # at 1.3 some pixels lie in the middle of two, and rounding decides
        pixels = unit(picture("c", 130, 211))
        made = tiled(METHODS[name](), pixels, scale=scale)
        right = whole(METHODS[name](), pixels, scale=scale)
        assert made.shape == right.shape
        np.testing.assert_allclose(made, right, atol=2e-6)

    @pytest.mark.parametrize("outscale", [1.5, 3, 0.75, 1])
    def test_with_another_scale_after_the_model(self, outscale):
        pixels = unit(picture("d", 101, 90))
        upscaler = convolutions(scale=2)
        made = tiled(upscaler, pixels, outscale=outscale)
        large = whole(upscaler, pixels).clip(0, 1)
        np.testing.assert_allclose(made, whole(upscaler, pixels, outscale=outscale), atol=2e-6)
        right = imresize(large, outscale / 2)[: made.shape[0], : made.shape[1]]
        np.testing.assert_allclose(made, right.clip(0, 1), atol=2e-6)

    def test_at_8_bits_and_16(self):
        for pixels in (picture("a", 80, 60), picture("a", 80, 60).astype(np.uint16) * 257):
            made, right = tiled(convolutions(), pixels), whole(convolutions(), pixels)
            assert made.dtype == pixels.dtype
            assert np.abs(made.astype(int) - right).max() <= 1
            assert (made != right).mean() < 1e-3

    def test_a_model_of_the_whole_picture_is_faded(self):
        """Tiles of it cannot be the whole's; no step shows where they meet, and it is said."""
        pixels = unit(picture("e", 90, 120))
        pixels[:, 60:] *= 0.2
        enlarger = Enlarger(averaging(), Settings(scale=2, tile=40, overlap=16))
        made = enlarger(pixels)
        assert any("looks at all of a picture" in note for note in enlarger.notes)
        difference = made - whole(averaging(), pixels)
        assert 1e-3 < np.abs(difference).max() < 0.1
        for axis in (0, 1):
            assert np.abs(np.diff(difference, axis=axis)).max() < 0.01

    def test_a_model_that_is_said_to_be_inexact(self):
        enlarger = Enlarger(convolutions(inexact="it rests on a guess"), Settings(2, tile=24))
        made = enlarger(unit(picture("a", 70, 70)))
        assert any("it rests on a guess" in note for note in enlarger.notes)
        np.testing.assert_allclose(made, whole(convolutions(), unit(picture("a", 70, 70))),
                                   atol=2e-6)  # fmt: skip


class TestAnySize:
    @pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2), (8, 8), (9, 23)])
    def test_padding_and_cutting_back(self, size):
        pixels = picture("p", *size)
        made = whole(windows(min_side=16), pixels)
        assert made.shape == (2 * size[0], 2 * size[1], 3)

    def test_padding_is_a_reflection(self):
        seen = []

        def run(pictures, _scale):
            seen.append(pictures)
            return twice(pictures)

        pixels = unit(picture("q", 5, 6))
        whole(doing("looking", run, multiple=8), pixels)
        right = np.pad(pixels, ((0, 3), (0, 2), (0, 0)), mode="reflect").transpose(2, 0, 1)
        np.testing.assert_array_equal(seen[-1][0].numpy(), right)

    def test_no_pixels(self):
        with pytest.raises(InputError, match="no pixels"):
            whole(convolutions(), np.zeros((0, 5, 3), np.uint8))


class TestChannels:
    def test_grey_through_a_model_for_rgb(self):
        grey = picture("g", 20, 24)[..., 0]
        made = whole(METHODS_RGB, grey)
        assert made.shape == (40, 48)
        np.testing.assert_array_equal(made, twice_array(grey))

    def test_a_model_for_luma(self):
        """Y goes through the model; Cb and Cr are bicubic; BT.601 in studio swing."""
        seen = []

        def run(pictures, _scale):
            seen.append(pictures)
            return twice(pictures)

        pixels = unit(picture("y", 20, 24))
        made = whole(doing("luma", run, channels=1), pixels)
        planes = pixels.transpose(2, 0, 1)
        np.testing.assert_allclose(seen[0][0].numpy(), luma(planes), atol=1e-6)
        chroma = imresize(ycbcr(planes)[1:].transpose(1, 2, 0).astype(np.float64), 2)
        y = twice_array(luma(planes)[0])[..., None]
        right = rgb_of_ycbcr(np.concatenate([y, chroma], 2).transpose(2, 0, 1))
        np.testing.assert_allclose(made, right.transpose(1, 2, 0).clip(0, 1), atol=2e-5)

    def test_grey_through_a_model_for_luma(self):
        grey = picture("g", 20, 24)[..., 0]
        made = whole(doing("luma", twice, channels=1), grey)
        np.testing.assert_array_equal(made, twice_array(grey))

    def test_alpha_is_bicubic(self):
        pixels, alpha = picture("a", 40, 41), picture("b", 40, 41)[..., 0]
        enlarger = Enlarger(METHODS_RGB, Settings(2, tile=16))
        made = enlarger(pixels, alpha)
        assert made.shape == (80, 82, 4)
        np.testing.assert_array_equal(made[..., :3], twice_array(pixels))
        right = imresize(unit(alpha).astype(np.float64), 2).clip(0, 1) * 255
        assert np.abs(made[..., 3] - right).max() <= 0.51

    def test_others_are_refused(self):
        with pytest.raises(UsageError, match="takes 4 channels"):
            Enlarger(doing("four", twice, channels=4), Settings(2))


METHODS_RGB = doing("twice", twice)


def twice_array(pixels):
    return pixels.repeat(2, 0).repeat(2, 1)


def test_colours_there_and_back(rng):
    planes = rng.random((3, 9, 8))
    np.testing.assert_allclose(rgb_of_ycbcr(ycbcr(planes)), planes, atol=1e-12)
    np.testing.assert_allclose(ycbcr(planes)[:1], luma(planes), atol=1e-12)
    cv2_like = ycbcr(np.array([1.0, 0, 0])[:, None, None])[:, 0, 0] * 255
    np.testing.assert_allclose(cv2_like, [81.481, 90.203, 240], atol=1e-9)


class TestMemory:
    def failing(self, limit, error):
        def run(pictures, _scale):
            if pictures.shape[-1] * pictures.shape[-2] * pictures.shape[0] > limit:
                raise error
            return twice(pictures)

        return doing("hungry", run)

    @pytest.mark.parametrize(
        "error",
        [
            MemoryError(),
            torch.OutOfMemoryError("CUDA out of memory."),
            RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate "
                         "memory: you tried to allocate 1 bytes"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("tile", [None, 110, "auto"])
    def test_tries_again_with_smaller_tiles(self, error, tile):
        pixels = picture("m", 100, 130)
        enlarger = Enlarger(self.failing(5000, error), Settings(2, tile=tile))
        np.testing.assert_array_equal(enlarger(pixels), twice_array(pixels))
        assert any("Memory ran out" in note for note in enlarger.notes)

    def test_batches_become_smaller_first(self):
        pixels = picture("m", 100, 130)
        enlarger = Enlarger(self.failing(1400, MemoryError()), Settings(2, tile=24, batch=4))
        np.testing.assert_array_equal(enlarger(pixels), twice_array(pixels))
        assert enlarger.notes == []

    def test_gives_up_in_the_end(self):
        with pytest.raises(InputError, match="too large for the memory of cpu"):
            Enlarger(self.failing(0, MemoryError()), Settings(2))(picture("m", 100, 130))

    def test_other_errors_are_no_lack_of_memory(self):
        enlarger = Enlarger(self.failing(0, RuntimeError("shapes differ\nmore")), Settings(2))
        with pytest.raises(InputError, match="hungry fails: RuntimeError: shapes differ"):
            enlarger(picture("m", 9, 9))

    def test_tiles_by_memory(self):
        upscaler = convolutions(layers=4)
        small = Enlarger(upscaler, Settings(2, memory=5_000_000))
        large = Enlarger(upscaler, Settings(2, memory=5_000_000_000))
        assert small.tile_for(1000, 1000) < 150
        assert large.tile_for(1000, 1000) == 512
        assert large.tile_for(700, 700) is None

    def test_no_tiles_at_a_scale_that_is_no_fraction(self):
        enlarger = Enlarger(METHODS["bicubic"](), Settings(np.pi, tile=32))
        with pytest.raises(InputError, match="cannot be cut into tiles"):
            enlarger(picture("m", 90, 90))
        assert Enlarger(METHODS["bicubic"](), Settings(np.pi))(picture("m", 90, 90)).shape[0] == 283


class TestWrongOutputs:
    def test_nan_is_reported(self):
        def run(pictures, _scale):
            made = twice(pictures)
            made[..., -1, -1] = torch.nan
            return made

        with pytest.raises(FailedOutputError, match="no numbers"):
            whole(doing("broken", run), picture("a"))

    def test_black_is_reported(self):
        with pytest.raises(FailedOutputError, match="black picture"):
            whole(doing("black", lambda x, _: twice(x) * 0), picture("a"))
        dark = np.zeros((9, 9, 3), np.uint8)
        assert not whole(doing("black", lambda x, _: twice(x) * 0), dark).any()

    @pytest.mark.parametrize("bad", [torch.nan, torch.inf, 0.0])
    def test_half_precision_falls_back(self, bad):
        """Numbers leave the range of half precision: float32 is used, and it is said."""

        def run(pictures, _scale):
            half = torch.is_autocast_enabled(pictures.device.type)
            return twice(pictures) * (bad if half else 1.0)

        enlarger = Enlarger(doing("delicate", run), Settings(2, dtype="bfloat16", tile=24))
        pixels = picture("a", 60, 60)
        np.testing.assert_array_equal(enlarger(pixels), twice_array(pixels))
        assert enlarger.dtype == "float32"
        assert enlarger.notes == ["delicate gives no picture in bfloat16, so float32 is used."]

    def test_half_precision_is_near(self):
        pixels = unit(picture("a", 60, 60))
        made = whole(convolutions(), pixels, dtype="bfloat16")
        right = whole(convolutions(), pixels)
        assert 0 < np.abs(made - right).max() < 0.02

    def test_a_model_of_another_scale(self):
        with pytest.raises(InputError, match="no enlargement by 4"):
            whole(doing("twice", twice, scales=(4,)), picture("a"), scale=4)
        with pytest.raises(UsageError, match="enlarges by 2, not by 3"):
            Enlarger(convolutions(), Settings(3))

    @pytest.mark.parametrize("settings", [
        {"scale": 0.5}, {"scale": float("nan")}, {"tile": 3}, {"overlap": -1}, {"batch": 0},
        {"outscale": 0.0},
    ])  # fmt: skip
    def test_settings_that_make_no_sense(self, settings):
        with pytest.raises(UsageError):
            Enlarger(doing("twice", twice, scales=None), Settings(**({"scale": 2} | settings)))

    def test_ensemble_needs_a_whole_scale(self):
        with pytest.raises(UsageError, match="whole scale"):
            Enlarger(METHODS["bicubic"](), Settings(2.5, ensemble=True))


class TestEnsemble:
    def test_is_the_mean_over_turns_and_mirrorings(self):
        """Against eight calls on turned arrays."""
        pixels = unit(picture("t", 17, 22))
        upscaler = convolutions()
        total = np.zeros((34, 44, 3))
        for turn in range(4):
            for mirror in (False, True):
                given = np.rot90(pixels, turn)
                given = given[:, ::-1] if mirror else given
                tensor = torch.from_numpy(np.ascontiguousarray(given.transpose(2, 0, 1)))[None]
                with torch.no_grad():
                    made = upscaler.run(tensor, 2)[0].numpy().transpose(1, 2, 0)
                made = made[:, ::-1] if mirror else made
                total += np.rot90(made, -turn)
        made = whole(upscaler, pixels, ensemble=True)
        np.testing.assert_allclose(made, (total / 8).clip(0, 1), atol=1e-5)


def test_a_classical_method_in_tiles_by_memory():
    """Sparse tensors, many steps, all of the picture at once: whole where it fits, else faded."""
    pixels = picture("v", 90, 100)
    made = Enlarger(METHODS["tv"](), Settings(2))(pixels)
    assert made.shape == (180, 200, 3)
    small = Enlarger(METHODS["tv"](), Settings(2, tile=40))
    assert np.abs(small(pixels).astype(int) - made).mean() < 3
    assert small.notes


def test_progress_by_tile():
    calls = []
    Enlarger(convolutions(), Settings(2, tile=16))(
        picture("a", 40, 50), progress=lambda done, total: calls.append((done, total))
    )
    assert calls == [(i + 1, 12) for i in range(12)]
