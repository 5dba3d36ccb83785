"""Batches to lose on."""

import numpy as np
import pytest
import torch


@pytest.fixture
def batches(photograph, rng):
    """``batches(height, width, channels)``: outputs, references, float64 tensors (2, c, h, w)."""

    def make(height=12, width=16, channels=3):
        whole = photograph("astronaut", 256, 288)
        crops = [whole[:channels, y : y + height, x : x + width] for y, x in ((40, 90), (10, 60))]
        hr = np.stack(crops).astype(np.float64)
        sr = np.clip(hr * 0.9 + rng.normal(0, 0.05, hr.shape), 0, 1)
        return torch.from_numpy(sr), torch.from_numpy(hr)

    return make
