"""The trained numbers, fetched once into a folder that tests share."""

import os

import pytest

NEEDED = ("lpips-alex", "lpips-vgg", "dists", "st-lpips-alex", "st-lpips-vgg")


@pytest.fixture(scope="session")
def weights():
    """``weights(name)`` gives the arrays of a weight file; all have been pulled."""
    import platformdirs

    import srqa.weights

    with pytest.MonkeyPatch.context() as patch:
        shared = platformdirs.user_cache_path("srqa") / "weights"
        patch.setenv("SRQA_WEIGHTS", os.environ.get("SRQA_WEIGHTS", str(shared)))
        srqa.weights.pull(NEEDED)
        yield srqa.weights.load


@pytest.fixture
def pictures(photograph, rng):
    """``pictures(height, width)``: a damaged photograph and its original, (3, h, w) float32."""

    def make(height=96, width=112, name="astronaut"):
        sharp = photograph(name, height, width)
        rough = (sharp + rng.normal(0, 0.06, sharp.shape)).clip(0, 1).astype("f")
        rough[:, :, : width // 2] = sharp[:, :, : width // 2] * 0.9
        return rough, sharp

    return make
