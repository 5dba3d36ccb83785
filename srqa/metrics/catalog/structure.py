"""Local structure and information."""

from __future__ import annotations

from srqa.metrics import agreement, information, iw_ssim, structural
from srqa.metrics.spec import INF, MetricSpec

_SSIM_PAPER = (
    "Wang, Bovik, Sheikh, Simoncelli, Image quality assessment: from error visibility to "
    "structural similarity, IEEE TIP 13(4), 2004"
)
_SSIM_GUIDANCE = (
    "Compares local means, contrasts and structure. Closer to people than PSNR on blur and "
    "compression, hardly so between SR outputs, and blind to whether invented texture looks real."
)
_MS_SSIM_GUIDANCE = (
    "SSIM over five scales: less dependent on the distance one looks from. The finest scale, "
    "where SR methods differ, has a weight of 0.04 only, so values crowd near 1 at x2."
)
_SSIM_SETTINGS = "11x11 Gaussian, sigma 1.5, K1 0.01, K2 0.03, valid region, no downsampling"
_MS_SSIM_PAPER = (
    "Wang, Simoncelli, Bovik, Multiscale structural similarity for image quality assessment, "
    "Asilomar 2003"
)
_MEANS_MULTIPLIED = "means of five scales are multiplied"


METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="ssim",
        function=structural.ssim,
        summary="structural similarity, mean of R, G and B",
        bounds=(-1.0, 1.0),
        min_side=structural.WINDOW,
        additive=True,
        halo=structural.HALO,
        settings=_SSIM_SETTINGS,
        paper=_SSIM_PAPER,
        guidance=_SSIM_GUIDANCE,
        agreement=agreement.of("ssim"),
    ),
    MetricSpec(
        name="ssim-y",
        function=structural.ssim,
        summary="structural similarity of the BT.601 luma",
        input="y",
        bounds=(-1.0, 1.0),
        min_side=structural.WINDOW,
        additive=True,
        halo=structural.HALO,
        settings=_SSIM_SETTINGS,
        paper=_SSIM_PAPER,
        guidance=_SSIM_GUIDANCE,
        agreement=agreement.of("ssim-y"),
    ),
    MetricSpec(
        name="ms-ssim",
        function=structural.ms_ssim,
        summary="multi-scale structural similarity, mean of R, G and B",
        bounds=(0.0, 1.0),
        min_side=structural.MS_MIN_SIDE,
        whole=_MEANS_MULTIPLIED,
        settings=_SSIM_SETTINGS + " at each of five scales, 2x2 mean between scales",
        paper=_MS_SSIM_PAPER,
        guidance=_MS_SSIM_GUIDANCE,
        agreement=agreement.of("ms-ssim"),
    ),
    MetricSpec(
        name="ms-ssim-y",
        function=structural.ms_ssim,
        summary="multi-scale structural similarity of the BT.601 luma",
        input="y",
        bounds=(0.0, 1.0),
        min_side=structural.MS_MIN_SIDE,
        whole=_MEANS_MULTIPLIED,
        settings=_SSIM_SETTINGS + " at each of five scales, 2x2 mean between scales",
        paper=_MS_SSIM_PAPER,
        guidance=_MS_SSIM_GUIDANCE,
        agreement=agreement.of("ms-ssim-y"),
    ),
    MetricSpec(
        name="iw-ssim",
        function=iw_ssim.iw_ssim,
        summary="multi-scale structural similarity weighted by information content",
        bounds=(0.0, 1.0),
        min_side=iw_ssim.MIN_SIDE,
        whole="weights follow from the covariances of the whole picture's sub-bands",
        settings=(
            "luminance (rgb2gray, unrounded); Laplacian pyramid of 5 scales, filter 1 4 6 4 1, "
            "mirrored border; 3x3 neighbourhood with parent, noise 0.4; MS-SSIM weights, sum 1"
        ),
        paper=(
            "Wang, Li, Information content weighting for perceptual image quality assessment, "
            "IEEE TIP 20(5), 2011"
        ),
        guidance=(
            "MS-SSIM that listens most where the reference has much to say; among the best "
            "hand-made metrics on compression and noise. Invented SR texture still counts as error."
        ),
        agreement=agreement.of("iw-ssim"),
    ),
    MetricSpec(
        name="vif",
        function=information.vif,
        summary="visual information fidelity in the pixel domain (VIFp)",
        bounds=(0.0, INF),
        min_side=information.VIF_MIN_SIDE,
        whole="a quotient of sums over the whole picture at four scales",
        settings=(
            "luminance (rgb2gray, unrounded); pixel domain, 4 scales, windows 17 9 5 3, valid "
            "region, noise variance 2"
        ),
        paper="Sheikh, Bovik, Image information and visual quality, IEEE TIP 15(2), 2006",
        guidance=(
            "Share of the reference's information that is left: very sensitive to lost detail, so "
            "it separates blurry SR results well. Sharpening can lift it above 1; wrong texture is "
            "loss. Not the wavelet VIF, whose values are others."
        ),
        agreement=agreement.of("vif"),
    ),
)
