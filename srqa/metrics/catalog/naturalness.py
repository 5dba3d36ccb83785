"""Statistics of natural photographs, without a reference."""

from __future__ import annotations

from srqa.metrics import agreement, brisque, niqe, piqe
from srqa.metrics.spec import INF, MetricSpec

_NIQE_SETTINGS = (
    "96x96 blocks, rest dropped; MSCN 7x7 Gaussian of sigma 7/6, edge repeated, 0 on flat ground; "
    "2 scales, MATLAB bicubic imresize of the float; shapes 0.2:0.001:10; LIVE's pristine model"
)
_NIQE_PAPER = (
    "Mittal, Soundararajan, Bovik, Making a completely blind image quality analyzer, IEEE SPL "
    "20(3), 2013"
)
_COIN = (
    "Between outputs of modern generative SR networks it agrees with people no better than a coin: "
    "46 to 48 % on two public sets of human choices, where plain Laplacian variance has 62 to 66 "
    "and the ceiling is 64 to 65."
)
_NIQE_GUIDANCE = (
    "How unlike pristine photographs the local statistics are: finds blur, noise and compression "
    "without a reference, and unsettled on pictures of few blocks, flat skies or graphics. " + _COIN
)
_LIVE = "LicenseRef-LIVE"
_ONE_MODEL = "one Gaussian is fitted to the blocks of the whole picture"


METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="niqe",
        function=niqe.niqe,
        summary="natural image quality evaluator on the BT.601 luma",
        kind="nr",
        input="y",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, INF),
        min_side=niqe.BLOCK,
        whole=_ONE_MODEL,
        batchable=False,
        differentiable=False,
        weights_licence=_LIVE,
        settings="Y rounded (PIRM, BasicSR); " + _NIQE_SETTINGS,
        paper=_NIQE_PAPER,
        guidance=_NIQE_GUIDANCE,
        agreement=agreement.of("niqe"),
    ),
    MetricSpec(
        name="niqe-gray",
        function=niqe.niqe,
        summary="natural image quality evaluator on grey, as in the authors' release",
        kind="nr",
        input="gray",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, INF),
        min_side=niqe.BLOCK,
        whole=_ONE_MODEL,
        batchable=False,
        differentiable=False,
        weights_licence=_LIVE,
        settings="rgb2gray rounded; " + _NIQE_SETTINGS,
        paper=_NIQE_PAPER,
        guidance=_NIQE_GUIDANCE,
        agreement=agreement.of("niqe-gray"),
    ),
    MetricSpec(
        name="pi",
        function=niqe.pi,
        summary="perceptual index of PIRM: mean of NIQE and ten less the Ma score",
        kind="nr",
        input="y",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        min_side=niqe.BLOCK,
        whole=_ONE_MODEL,
        given="ma",
        batchable=False,
        differentiable=False,
        weights_licence=_LIVE,
        settings="((10 - Ma) + NIQE) / 2; Ma from --ma FILE; NIQE: Y rounded; " + _NIQE_SETTINGS,
        paper=(
            "Blau, Mechrez, Timofte, Michaeli, Zelnik-Manor, The 2018 PIRM challenge on perceptual "
            "image super-resolution, ECCVW 2018; Ma, Yang, Yang, Yang, Learning a no-reference "
            "quality metric for single-image super-resolution, CVIU 158, 2017"
        ),
        guidance=(
            "What PIRM ranked by, against RMSE. Its Ma half needs the authors' MATLAB program, "
            "whose results you supply; its NIQE half has NIQE's faults. " + _COIN
        ),
    ),
    MetricSpec(
        name="brisque",
        function=brisque.brisque,
        summary="blind/referenceless image spatial quality evaluator",
        kind="nr",
        input="gray",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        min_side=brisque.MIN_SIDE,
        whole="one distribution is fitted to all pixels",
        batchable=False,
        differentiable=False,
        weights_licence=_LIVE,
        settings=(
            "rgb2gray rounded; LIVE's model for C++ (770 support vectors, as in OpenCV) with its "
            "features: MSCN 7x7 Gaussian of sigma 7/6, edge repeated; 2 scales, bicubic a -0.75 "
            "without antialiasing; not cut to 0..100"
        ),
        paper=(
            "Mittal, Moorthy, Bovik, No-reference image quality assessment in the spatial domain, "
            "IEEE TIP 21(12), 2012"
        ),
        guidance=(
            "Trained on what people said of blur, noise and compression in the LIVE database, and "
            "good at these; light noise can lower it, and a picture unlike any of LIVE gets 155.8. "
            "MATLAB's and pyiqa's numbers come from another model. " + _COIN
        ),
        agreement=agreement.of("brisque"),
    ),
    MetricSpec(
        name="piqe",
        function=piqe.piqe,
        summary="perception based image quality evaluator, without training",
        kind="nr",
        input="gray",
        rounding="uint8",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, 100.0),
        min_side=piqe.BLOCK,
        whole="a quotient of sums over all active blocks",
        batchable=False,
        differentiable=False,
        settings=(
            "rgb2gray rounded; 16x16 blocks, sides mirrored to whole blocks; activity 0.1, edge "
            "runs of 6 below 0.1; surround without columns 8 and 10, as in MATLAB"
        ),
        paper=(
            "Venkatanath, Praneeth, Maruthi Chandrasekhar, Channappayya, Medasani, Blind image "
            "quality evaluation using perception based features, NCC 2015"
        ),
        guidance=(
            "The share of textured blocks with smeared edges or noise: tells blur and compression "
            "well. Shallow focus counts as damage, light noise or sharpening lowers it, and a "
            "picture without texture has 100."
        ),
    ),
)
