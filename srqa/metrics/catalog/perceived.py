"""What is seen on a display at a distance: colour, contrast sensitivity and masking."""

from __future__ import annotations

from srqa.metrics import perceived, ssimulacra
from srqa.metrics.spec import INF, MetricSpec

_SAME_DISPLAY = "Numbers for another display or distance are other numbers. "

METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="cvvdp",
        function=perceived.cvvdp,
        summary="ColorVideoVDP: visible differences on a 4K monitor",
        crop="none",
        unit="JOD",
        bounds=(-INF, 10.0),
        min_side=perceived.CVVDP_MIN_SIDE,
        whole="its pyramid reaches over the whole picture",
        provider="cvvdp",
        extra="cvvdp",
        code_licence="MIT",
        weights_licence="MIT",
        settings=(
            f"still picture, display {perceived.DISPLAY}: 30 inch 3840x2160, 200 cd/m^2, contrast "
            "1000, 250 lux, seen from 0.7472 m (75.4 pixels per degree), sRGB"
        ),
        paper=(
            "Mantiuk, Hanji, Ashraf, Asano, Chapiro, ColorVideoVDP: a visual difference predictor "
            "for image, video and display distortions, ACM TOG 43(4), 2024"
        ),
        guidance=(
            "How far from the reference the output looks on a known display: 10 is no difference, "
            "one less is a step that 75 % of people notice. "
            + _SAME_DISPLAY
            + "Invented texture counts as a difference even if it looks right, and a flat picture "
            "of another brightness counts as none."
        ),
    ),
    MetricSpec(
        name="flip",
        function=perceived.flip,
        summary="LDR-FLIP: differences seen when two pictures are flipped in place",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, 1.0),
        whole="its package filters the picture whole",
        differentiable=False,
        provider="flip-evaluator",
        extra="flip",
        code_licence="BSD-3-Clause",
        settings=f"mean of the map, {perceived.PIXELS_PER_DEGREE:.2f} pixels per degree, sRGB",
        paper=(
            "Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström, Fairchild, FLIP: a difference "
            "evaluator for alternating images, PACM CGIT 3(2), 2020"
        ),
        guidance=(
            "Colour and edge differences as one sees them when flipping between output and "
            "reference: good at finding where they differ, harsh on plausible texture. "
            + _SAME_DISPLAY.strip()
        ),
    ),
    MetricSpec(
        name="ssimulacra2",
        function=ssimulacra.ssimulacra2,
        summary="SSIMULACRA 2.1: structure and edges in XYB at six scales",
        crop="none",
        bounds=(-INF, 100.0),
        min_side=ssimulacra.MIN_SIDE,
        whole="six scales of halved pictures, norms over the whole",
        settings=(
            "libjxl's definition: float64, recursive Gaussian of sigma 1.5 as nine taps, nothing "
            f"outside the picture; below {ssimulacra.WHOLE_SIDE} pixels a side fewer than six "
            "scales, whose weights libjxl takes from others"
        ),
        paper="Sneyers, SSIMULACRA 2, Cloudinary and libjxl (tools/ssimulacra2), 2022, 2.1 of 2023",
        guidance=(
            "Made for lossy compression, where it agrees well with people: 90 is hardly visible, "
            "70 high, 50 medium, 30 low quality. SR outputs often fall below 30 or below 0, where "
            f"it was not fitted; under {ssimulacra.WHOLE_SIDE} pixels a side it means little. The "
            "package of this name on PyPI differs by up to 6 points: its borders and its Gaussian "
            "are not libjxl's."
        ),
    ),
)
