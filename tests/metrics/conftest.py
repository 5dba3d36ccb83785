"""Pictures to compare."""

import pytest


@pytest.fixture
def pictures(photograph, rng):
    """``pictures(height, width)``: a damaged photograph and its original, (3, h, w) float32."""

    def make(height=96, width=112, name="astronaut"):
        sharp = photograph(name, height, width)
        rough = (sharp + rng.normal(0, 0.06, sharp.shape)).clip(0, 1).astype("f")
        rough[:, :, : width // 2] = sharp[:, :, : width // 2] * 0.9
        return rough, sharp

    return make
