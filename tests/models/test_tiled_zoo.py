"""The zoo's own networks in tiles and whole."""

import numpy as np
import pytest

from srqa.models.loading import load
from srqa.models.running import Enlarger
from srqa.models.settings import Settings


def both(photograph, name, scale, side, tile):
    """8-bit results, tiled and whole, and what was said of them."""
    planes = photograph("astronaut", side, side + 13)
    pixels = (planes.transpose(1, 2, 0) * 255 + 0.5).astype(np.uint8)
    tiled = Enlarger(load(name, scale, offline=True), Settings(scale, tile=tile))
    whole = Enlarger(load(name, scale, offline=True), Settings(scale, tile=None))
    return tiled(pixels).astype(int), whole(pixels).astype(int), tiled.notes


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("waifu2x-photo", 2),
        ("waifu2x-anime", 2),
        ("real-esrgan-animevideov3", 4),
        ("fsrcnn", 3),
        ("espcn", 2),
    ],
)
def test_tiles_equal_the_whole(zoo, photograph, name, scale):
    zoo("waifu2x-photo", "waifu2x-anime", "real-esrgan-animevideov3")
    tiled, whole, notes = both(photograph, name, scale, 60, 32)
    assert np.abs(tiled - whole).max() <= 1
    assert (tiled != whole).mean() < 1e-4
    assert notes == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["real-esrgan-x4plus", "dat-light"])
def test_tiles_are_near_to_the_whole(zoo, photograph, name):
    """Networks that look further than their halo: near, faded, and said."""
    zoo(name if name.startswith("real") else "dat-light-x4")
    tiled, whole, notes = both(photograph, name, 4, 96, 56)
    difference = np.abs(tiled - whole)
    assert difference.mean() < 0.3
    assert difference.max() <= 8
    assert any("only near" in note for note in notes)
