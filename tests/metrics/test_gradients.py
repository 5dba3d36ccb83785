import numpy as np
import pytest

from srqa.images.colour import luma
from srqa.metrics.catalog import CATALOG

SPECS = {s.name: s for s in CATALOG}
STEPS = {"cvvdp": 1e-3, "fsim": 1e-8, "fsimc": 1e-8, "mdsi": 1e-8}
"""cvvdp computes in float32, whatever comes in; the others bend sharply near some samples."""
SMOOTH = [s for s in CATALOG if s.differentiable and not s.weights and s.kind != "nr"]


@pytest.mark.parametrize("name", ["psnr", "mse", "rmse", "ssim", "lr-psnr"])
def test_gradcheck(name):
    import torch

    torch.manual_seed(1)
    a = torch.rand(2, 1, 12, 13, dtype=torch.float64, requires_grad=True)
    b = torch.rand(2, 1, 12, 13, dtype=torch.float64)
    if name == "lr-psnr":
        b = b[..., :6, :6]
    assert torch.autograd.gradcheck(lambda x: SPECS[name](x, b), a)


@pytest.mark.parametrize("spec", SMOOTH, ids=lambda s: s.name)
def test_gradient_is_the_slope_along_any_direction(spec, photograph, rng):
    import torch

    torch.manual_seed(2)
    sharp = photograph("chelsea", 168, 164).astype(np.float64) * 0.8 + 0.1
    rough = sharp + rng.uniform(-0.05, 0.05, sharp.shape)
    a, b = (torch.tensor(x)[None] for x in (rough, sharp))
    if spec.input == "y":
        a, b = luma(a), luma(b)
    if spec.kind == "lr":
        b = b[..., ::4, ::4]
    a.requires_grad_()
    (gradient,) = torch.autograd.grad(spec(a, b).sum(), a)
    assert gradient.isfinite().all()
    direction = torch.randn_like(a) * STEPS.get(spec.name, 1e-6)
    with torch.no_grad():
        slope = (spec(a + direction, b) - spec(a - direction, b)).item() / 2
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=2e-2)


@pytest.mark.parametrize("spec", SMOOTH, ids=lambda s: s.name)
def test_gradient_is_finite_on_flat_ground_that_both_share(spec, photograph):
    """Half of both pictures is one grey, as saturated skies are."""
    import torch

    sharp = torch.tensor(photograph("astronaut", 168, 164))[None].clone()
    sharp[..., 84:, :] = 0.5
    rough = sharp.clone()
    rough[..., :84, :] = (rough[..., :84, :] * 0.9 + 0.03).clamp(0, 1)
    a, b = rough.requires_grad_(), sharp
    given = (luma(a), luma(b)) if spec.input == "y" else (a, b)
    if spec.kind == "lr":
        given = (given[0], given[1][..., ::4, ::4])
    spec(*given).sum().backward()
    assert a.grad.isfinite().all()
    assert a.grad.abs().max() > 0


@pytest.mark.parametrize("name", ["fsim", "vsi", "dss", "sr-sim", "iw-ssim"])
def test_tables_made_in_inference_serve_gradients(name):
    import torch

    torch.manual_seed(3)
    a, b = torch.rand(2, 1, 3, 177, 181)
    with torch.inference_mode():
        SPECS[name](a, b)
    SPECS[name](a.requires_grad_(), b).sum().backward()
    assert a.grad.abs().max() > 0
