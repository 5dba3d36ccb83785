"""Differences pixel by pixel."""

from __future__ import annotations

from srqa.metrics import agreement, difference, fidelity
from srqa.metrics.spec import INF, MetricSpec

_PSNR_GUIDANCE = (
    "Tells how close pixels are, and is what SR papers rank by. It prefers smooth averages to "
    "plausible detail, and a shift of one pixel ruins it: a good value does not mean good looks."
)


METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="psnr",
        function=fidelity.squared_error,
        finish=fidelity.psnr_from,
        summary="peak signal-to-noise ratio over R, G and B",
        unit="dB",
        bounds=(0.0, INF),
        additive=True,
        settings="peak 255 of 8 bits, one mean over all channels",
        guidance=_PSNR_GUIDANCE,
        agreement=agreement.of("psnr"),
    ),
    MetricSpec(
        name="psnr-y",
        function=fidelity.squared_error,
        finish=fidelity.psnr_from,
        summary="peak signal-to-noise ratio of the BT.601 luma",
        input="y",
        unit="dB",
        bounds=(0.0, INF),
        additive=True,
        settings="Y 16..235, peak 255",
        guidance=_PSNR_GUIDANCE,
        agreement=agreement.of("psnr-y"),
    ),
    MetricSpec(
        name="mse",
        function=fidelity.squared_error,
        finish=fidelity.mse_from,
        summary="mean squared error over R, G and B, on the 0..255 scale",
        higher_is_better=False,
        bounds=(0.0, 255.0**2),
        additive=True,
        settings="one mean over all channels, 0..255",
        guidance=_PSNR_GUIDANCE,
        agreement=agreement.of("mse"),
    ),
    MetricSpec(
        name="rmse",
        function=fidelity.squared_error,
        finish=fidelity.rmse_from,
        summary="root of the mean squared error over R, G and B, on the 0..255 scale",
        higher_is_better=False,
        bounds=(0.0, 255.0),
        additive=True,
        settings="one mean over all channels, 0..255",
        guidance=_PSNR_GUIDANCE,
        agreement=agreement.of("rmse"),
    ),
    MetricSpec(
        name="delta-e",
        function=difference.delta_e,
        summary="mean colour difference CIEDE2000",
        higher_is_better=False,
        bounds=(0.0, INF),
        additive=True,
        settings="sRGB, D65, 2 degrees, kL = kC = kH = 1, mean over pixels",
        paper=(
            "Sharma, Wu, Dalal, The CIEDE2000 color-difference formula: implementation notes, "
            "supplementary test data, and mathematical observations, Color Res. Appl. 30(1), 2005"
        ),
        guidance=(
            "Finds colour shifts that Y metrics cannot see; about 1 is just visible on large "
            "patches. It compares pixel by pixel, so texture and edges count as colour errors too."
        ),
    ),
)
