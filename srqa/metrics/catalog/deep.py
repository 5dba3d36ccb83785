"""Networks that were taught, or asked, what a good picture is, without a reference."""

from __future__ import annotations

from srqa.metrics import agreement, deep, srqa_nr
from srqa.metrics.networks import ALEXNET
from srqa.metrics.spec import INF, MetricSpec

METRICS: tuple[MetricSpec, ...] = (
    MetricSpec(
        name="srqa-nr",
        function=srqa_nr.score,
        summary="which of several outputs of one content looks best, learned without people",
        kind="nr",
        crop="none",
        bounds=(0.0, 100.0),
        min_side=srqa_nr.MIN_SIDE,
        whole="it is shared out to windows of about 192 pixels",
        weights=(ALEXNET.weights,),
        weights_licence="Apache-2.0",
        settings=(
            "windows of one size, about 192 pixels a side, that share the picture out; AlexNet's "
            "five taps pooled to means and deviations, and 63 statistics of sharpness, noise, "
            "grids and blocks; linear head on broken lines; logistic curve to 0..100, float32"
        ),
        paper="srqa's own, trained by `srqa train nr` on 420 crops of 41 photographs, 2026",
        guidance=(
            "For choosing among several outputs of one content: higher is what people would "
            "probably prefer. Not for comparing different contents: a forest and a wall have "
            "their own levels. Learned from LPIPS, HaarPSI and FSIMc and from artefacts in steps, "
            "not from people; it knows no truth, so invented detail that looks right scores well. "
            "With a reference, use LPIPS or DISTS."
        ),
    ),
    MetricSpec(
        name="clip-iqa",
        function=deep.clip_iqa,
        summary='CLIP-IQA: whether CLIP finds "Good photo." or "Bad photo." fits better',
        kind="nr",
        crop="none",
        bounds=(0.0, 1.0),
        min_side=deep.CLIP_MIN_SIDE,
        whole="attention reaches over the whole picture",
        weights=deep.CLIP_WEIGHTS,
        settings=(
            "OpenAI's CLIP, ResNet-50 without positional embedding, own size, float32; prompts "
            '"Good photo." and "Bad photo." (NTIRE, pyiqa, torchmetrics)'
        ),
        paper=(
            "Wang, Chan, Loy, Exploring CLIP for assessing the look and feel of images, AAAI 2023"
        ),
        guidance=(
            "Never saw people's ratings: a coarse sense of good and bad photographs, which depends "
            "on what is shown as well as on how. It does not know the reference, so invented "
            "detail may raise it; compare methods on the same pictures only."
        ),
        agreement=agreement.of("clip-iqa"),
    ),
    MetricSpec(
        name="arniqa",
        function=deep.arniqa,
        summary="ARNIQA: opinion score from an encoder of distortions, KonIQ-10k regressor",
        kind="nr",
        crop="none",
        bounds=(-INF, INF),
        min_side=deep.ARNIQA_MIN_SIDE,
        whole="its vectors are means over the whole picture, scaled to unit length",
        weights=deep.ARNIQA_WEIGHTS,
        settings=(
            "ResNet-50 on the whole picture and on its half size (bilinear, antialiased), "
            "KonIQ-10k's 1..100 brought to 0..1, not cut (torchmetrics)"
        ),
        paper=(
            "Agnolucci, Galteri, Bertini, Del Bimbo, ARNIQA: learning distortion manifold for "
            "image quality assessment, WACV 2024"
        ),
        guidance=(
            "Trained on camera pictures with blur, noise and compression: finds what is left of "
            "these in SR outputs. Artefacts of generative SR were not among its distortions, and "
            "it does not know the reference. Its weights are for non-commercial use only."
        ),
        agreement=agreement.of("arniqa"),
    ),
)
