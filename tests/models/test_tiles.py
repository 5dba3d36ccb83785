"""Cutting: tiles cover a picture once, lie on the grid, and their weights sum to one."""

import numpy as np
import pytest

from srqa.models.tiles import cut, grid_step, ramp
from srqa.models.upscaler import enlarged


@pytest.mark.parametrize("side", [1, 17, 64, 100, 101, 333])
@pytest.mark.parametrize("tile", [16, 33, 64])
@pytest.mark.parametrize("step", [1, 8])
def test_tiles_cover_the_picture_once(side, tile, step):
    spans = cut(side, side, tile, halo=10, step=step).rows
    assert [s.start for s in spans[1:]] == [s.stop for s in spans[:-1]]
    assert (spans[0].start, spans[-1].stop) == (0, side)
    for span in spans:
        assert span.stop - span.start <= max(tile, step)
        assert span.first % step == span.start % step == 0
        assert span.first <= max(span.start - 10, 0)
        assert span.last >= min(span.stop + 10, side)
        assert span.last == side or span.last % step == 0


@pytest.mark.parametrize(("side", "tile", "halo", "step", "scale"), [
    (200, 50, 10, 1, 2), (203, 64, 32, 8, 4), (101, 20, 30, 1, 3), (330, 100, 16, 2, 2.5),
    (65, 64, 32, 1, 2), (67, 16, 9, 1, 1), (1000, 300, 40, 100, 3.37),
])  # fmt: skip
def test_weights_of_faded_tiles_sum_to_one(side, tile, halo, step, scale):
    spans = cut(side, side, tile, halo=halo, step=step, fade=True).columns
    total = np.zeros(enlarged(side, scale))
    for span in spans:
        weights = ramp(span, scale)
        begin = enlarged(span.start, scale)
        total[begin : begin + len(weights)] += weights
        assert (weights > 0).all()
    assert len(spans) > 1
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_a_small_picture_stays_whole():
    assert cut(40, 50, 64, halo=8).count == 1
    assert cut(40, 500, None, halo=8).count == 1


def test_steps_of_scales():
    assert grid_step(1, 4) == 1
    assert grid_step(16, 4, 3.5) == 16
    assert grid_step(1, 1.5, 3.37) == 100
    assert grid_step(1, np.pi) is None
