"""Hand-made models of seeing: phase, gradients, saliency, wavelets."""

from __future__ import annotations

from srqa.metrics import agreement, gradient, phase, saliency, subbands
from srqa.metrics.spec import MetricSpec

_PHASE_GUIDANCE = (
    "Compares phase congruency and gradients where either is strong, so edges count and flat "
    "ground does not. Pictures well above 256 pixels a side are shrunk to about that first, "
    "so their fine SR detail is not seen."
)
_PHASE_SETTINGS = (
    "F x F block mean with F = round(shorter side / 256), remainder dropped; 4 scales, 4 "
    "orientations; T1 0.85, T2 160"
)
_PHASE_PAPER = (
    "Zhang, Zhang, Mou, Zhang, FSIM: a feature similarity index for image quality assessment, "
    "IEEE TIP 20(8), 2011"
)
_GRADIENT_GUIDANCE = (
    "Measures how unevenly gradients are damaged: cheap and good at local distortion. A blur that "
    "is the same everywhere is judged too mildly."
)
_PHASE_WHOLE = "phase congruency comes from the whole picture's spectrum"
_DEVIATION = "a standard deviation over the whole picture"


METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="fsim",
        function=phase.fsim,
        summary="feature similarity of the luminance",
        bounds=(0.0, 1.0),
        min_side=phase.MIN_SIDE,
        whole=_PHASE_WHOLE,
        settings="luminance of YIQ; " + _PHASE_SETTINGS,
        paper=_PHASE_PAPER,
        guidance=_PHASE_GUIDANCE,
        agreement=agreement.of("fsim"),
    ),
    MetricSpec(
        name="fsimc",
        function=phase.fsimc,
        summary="feature similarity with colour",
        bounds=(0.0, 1.0),
        min_side=phase.MIN_SIDE,
        whole=_PHASE_WHOLE,
        settings="YIQ; " + _PHASE_SETTINGS + ", T3 and T4 200, colour to the power 0.03",
        paper=_PHASE_PAPER,
        guidance=_PHASE_GUIDANCE,
        agreement=agreement.of("fsimc"),
    ),
    MetricSpec(
        name="vsi",
        function=saliency.vsi,
        summary="visual saliency-induced index",
        bounds=(0.0, 1.0),
        min_side=saliency.VSI_MIN_SIDE,
        whole="saliency is that of the whole picture, shrunk to 256 x 256",
        settings=(
            "LMN; SDSP saliency at 256x256 (bilinear without antialiasing, back with aligned "
            "corners), then F x F mean with F = round(shorter side / 256), edge repeated; "
            "C 1.27, 386, 130, powers 0.4 and 0.02"
        ),
        paper=(
            "Zhang, Shen, Li, VSI: a visual saliency-induced index for perceptual image quality "
            "assessment, IEEE TIP 23(10), 2014"
        ),
        guidance=(
            "Gradients and colour, weighted by where people look first. Its values crowd near 1, "
            "and it shrinks large pictures: small differences between SR methods are not seen."
        ),
        agreement=agreement.of("vsi"),
    ),
    MetricSpec(
        name="sr-sim",
        function=saliency.sr_sim,
        summary="spectral-residual similarity (the SR is not super-resolution)",
        bounds=(0.0, 1.0),
        min_side=saliency.SR_SIM_MIN_SIDE,
        whole="saliency is the residual of the whole picture's spectrum",
        settings=(
            "luminance of YIQ; F x F mean with F = round(shorter side / 256), zeros outside; "
            "saliency at 1/4 size, Gaussian 10x10 of sigma 3.8; C1 0.4, C2 225, power 0.5"
        ),
        paper=(
            "Zhang, Li, SR-SIM: a fast and high performance IQA index based on spectral residual, "
            "ICIP 2012"
        ),
        guidance=(
            "Gradients weighted by spectral-residual saliency: fast, but it shrinks large "
            "pictures and its values crowd near 1 for SR."
        ),
        agreement=agreement.of("sr-sim"),
    ),
    MetricSpec(
        name="gmsd",
        function=gradient.gmsd,
        summary="gradient magnitude similarity deviation",
        higher_is_better=False,
        bounds=(0.0, 0.5),
        min_side=gradient.GMSD_MIN_SIDE,
        whole=_DEVIATION,
        settings=(
            "luminance of YIQ; 2x2 mean, Prewitt/3, zeros outside, T 170; deviation over n, not n-1"
        ),
        paper=(
            "Xue, Zhang, Mou, Bovik, Gradient magnitude similarity deviation: a highly efficient "
            "perceptual image quality index, IEEE TIP 23(2), 2014"
        ),
        guidance=_GRADIENT_GUIDANCE,
        agreement=agreement.of("gmsd"),
    ),
    MetricSpec(
        name="ms-gmsd",
        function=gradient.ms_gmsd,
        summary="gradient magnitude similarity deviation over four scales",
        higher_is_better=False,
        bounds=(0.0, 0.5),
        min_side=gradient.MS_GMSD_MIN_SIDE,
        whole=_DEVIATION,
        settings=(
            "luminance of YIQ; the first scale at full size, 2x2 means between scales, zeros "
            "outside; masking 0.5, T 170, weights 0.096 0.596 0.289 0.019; deviation over n"
        ),
        paper=(
            "Zhang, Sander, Bermak, Gradient magnitude similarity deviation on multiple scales "
            "for color image quality assessment, ICASSP 2017"
        ),
        guidance=_GRADIENT_GUIDANCE,
        agreement=agreement.of("ms-gmsd"),
    ),
    MetricSpec(
        name="mdsi",
        function=gradient.mdsi,
        summary="mean deviation similarity index of gradient and colour",
        higher_is_better=False,
        bounds=(0.0, 1.0),
        min_side=gradient.MDSI_MIN_SIDE,
        whole=_DEVIATION,
        settings=(
            "LHM; F x F mean with F = round(shorter side / 256), zeros outside; C 140, 55, 550, "
            "sum with alpha 0.6, powers 0.25"
        ),
        paper=(
            "Nafchi, Shahkolaei, Hedjam, Cheriet, Mean deviation similarity index, "
            "IEEE Access 4, 2016"
        ),
        guidance=(
            "Deviation of gradient and colour similarity: quick and good on mixed distortions. "
            "Even damage over the whole picture is judged too mildly, and small errors look large "
            "after its fourth root."
        ),
        agreement=agreement.of("mdsi"),
    ),
    MetricSpec(
        name="haarpsi",
        function=subbands.haarpsi,
        summary="Haar wavelet perceptual similarity",
        bounds=(0.0, 1.0),
        min_side=subbands.HAARPSI_MIN_SIDE,
        whole="a mean whose weights are summed over the whole picture",
        settings="YIQ; 2x2 mean first, 3 Haar scales, zeros outside; C 30, alpha 4.2",
        paper=(
            "Reisenhofer, Bosse, Kutyniok, Wiegand, A Haar wavelet-based perceptual similarity "
            "index for image quality assessment, Signal Processing: Image Communication 61, 2018"
        ),
        guidance=(
            "Compares Haar wavelets of two scales after halving the picture: agrees well with "
            "people on classical distortions, blind to the finest detail that SR adds."
        ),
        agreement=agreement.of("haarpsi"),
    ),
    MetricSpec(
        name="dss",
        function=subbands.dss,
        summary="DCT sub-band similarity",
        bounds=(-1.0, 1.0),
        min_side=subbands.DSS_MIN_SIDE,
        whole="the worst twentieth of all blocks is picked",
        settings=(
            "luminance of YIQ, cut to a multiple of 8; 8x8 DCT, sub-bands with weight above 0.01 "
            "(sigma 1.55), 3x3 Gaussian of sigma 1.5, zeros outside, worst 5 %; C 1000 and 300"
        ),
        paper=(
            "Balanov, Schwartz, Moshe, Peleg, Image quality assessment based on DCT subband "
            "similarity, ICIP 2015"
        ),
        guidance=(
            "Judges the worst twentieth of each low DCT band: good for blocking and local flaws. "
            "The high frequencies, where SR methods differ, get no weight."
        ),
        agreement=agreement.of("dss"),
    ),
)
