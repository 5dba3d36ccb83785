"""What is no quality in itself, but should be known beside one."""

from __future__ import annotations

from srqa.metrics import consistency, distances, registration
from srqa.metrics.spec import INF, MetricSpec

_SURVEY = (
    "Wang, Chen, Hoi, Deep learning for image super-resolution: a survey, IEEE TPAMI 43(10), 2021"
)


METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="tv",
        function=distances.total_variation,
        summary="total variation of R, G and B",
        kind="nr",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, INF),
        min_side=2,
        whole="needs no more memory than the picture: nothing is gained by cutting it",
        settings="mean over samples and channels of the root of the two squared steps, 0..1",
        paper="Rudin, Osher, Fatemi, Physica D 60, 1992; " + _SURVEY,
        guidance=(
            "Not a quality: how much there is of edges, texture and noise together. Compare it "
            "with the reference's own value; lower means smoother, which is no merit in itself."
        ),
    ),
    MetricSpec(
        name="shift",
        function=registration.shift,
        summary="displacement against the reference",
        input="y",
        crop="none",
        higher_is_better=False,
        unit="px",
        bounds=(0.0, INF),
        min_side=registration.MIN_SIDE,
        whole="the phase of the whole picture's spectrum",
        batchable=False,
        differentiable=False,
        alert=(
            0.25,
            "a displaced output is most often a bug in the code that made it (a half-pixel or "
            "corner convention), and it spoils the other full-reference metrics.",
        ),
        settings="phase of the cross-spectrum below 0.1 cycles/px, Hann window, whole picture",
        paper=(
            "after Kuglin, Hines, The phase correlation image alignment method, 1975, and Stone, "
            "Orchard, Chang, Martucci, IEEE TGRS 39(10), 2001"
        ),
        guidance=(
            "Not a quality: more than a quarter of a pixel is a bug in resampling code, and spoils "
            "every other full-reference metric. A zoom about the centre does not show in it."
        ),
    ),
    MetricSpec(
        name="lr-psnr",
        function=consistency.lr_psnr,
        summary="PSNR between the shrunk picture and the low-resolution input, over R, G and B",
        kind="lr",
        crop="none",
        unit="dB",
        bounds=(0.0, INF),
        whole="the whole picture is shrunk to the size of its input first",
        settings="MATLAB bicubic imresize, antialiased, mirrored border, not rounded after it",
        paper=(
            "Lugmayr, Danelljan, Timofte et al., NTIRE 2021 Learning the super-resolution space "
            "challenge, CVPRW 2021"
        ),
        guidance=(
            "Whether the result still fits its input, whatever detail was invented: above 45 dB "
            "counts as consistent. Meaningful only for inputs made by bicubic shrinking."
        ),
    ),
)
