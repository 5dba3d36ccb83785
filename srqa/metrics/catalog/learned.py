"""Distances between maps of trained networks."""

from __future__ import annotations

from srqa.metrics import agreement, distances, dists, lpips, networks
from srqa.metrics.spec import INF, MetricSpec

_IMAGENET = "ImageNet mean and deviation, float32"
_LPIPS_PAPER = (
    "Zhang, Isola, Efros, Shechtman, Wang, The unreasonable effectiveness of deep features as a "
    "perceptual metric, CVPR 2018"
)
_LPIPS_GUIDANCE = (
    "Compares what a network sees, so plausible texture is forgiven and blur is not. Between "
    "outputs of modern SR networks LPIPS on AlexNet agrees with people about 76 % of the time "
    "where the ceiling is 80; it can be fooled by networks that were trained on it."
)
_LPIPS_OTHER = (
    "Compares what a network sees, so plausible texture is forgiven and blur is not. Its values "
    "are not those of LPIPS on AlexNet, which most papers mean: say which you quote. "
)
_LPIPS_VGG_GUIDANCE = _LPIPS_OTHER + (
    "The variant that serves as a training loss, so it favours networks that were trained with it."
)
_LPIPS_SQUEEZE_GUIDANCE = _LPIPS_OTHER + "Small and quick, and little used in papers."
_ST_LPIPS_PAPER = "Ghildyal, Liu, Shift-tolerant perceptual similarity metric, ECCV 2022"
_ST_LPIPS_GUIDANCE = (
    "LPIPS with filters instead of strides, so that a shift of a pixel or two, which nobody sees, "
    "costs little. Use it beside `shift`, which says that there is one."
)
_DISTS_PAPER = (
    "Ding, Ma, Wang, Simoncelli, Image quality assessment: unifying structure and texture "
    "similarity, IEEE TPAMI 44(5), 2022"
)
_DISTS_SETTINGS = "VGG16 with L2 pooling (Hann 3x3), alpha and beta, c1 = c2 = 1e-6, "
_SURVEY = (
    "Wang, Chen, Hoi, Deep learning for image super-resolution: a survey, IEEE TPAMI 43(10), 2021"
)
_JOHNSON = (
    "Johnson, Alahi, Fei-Fei, Perceptual losses for real-time style transfer and super-resolution, "
    "ECCV 2016; "
)
_CONTENT_GUIDANCE = (
    "The perceptual loss that many SR networks were trained with, so it favours those: deep layers "
    "ask for the same objects, shallow ones nearly for the same pixels. Not fitted to people."
)
_TEXTURE_GUIDANCE = (
    "Whether the same textures occur, wherever they lie: it misses displaced detail and sees too "
    "smooth or too busy surfaces. Not fitted to people."
)


def _lpips(
    name: str, on: str, paper: str, guidance: str, weights: tuple[str, ...] = ()
) -> MetricSpec:
    network = lpips.NETWORKS[name]
    return MetricSpec(
        name=name,
        function=lpips.metric(name),
        summary=f"learned perceptual image patch similarity on {on}",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, INF),
        min_side=network.min_side(),
        features=network.features(),
        weights=weights or (network.weights,),
        settings=f"v0.1, {on}, {_IMAGENET}",
        paper=paper,
        guidance=guidance,
        agreement=agreement.of(name),
    )


def _layer(kind: str, layer: str) -> MetricSpec:
    """`kind` "content" or "texture" on a VGG16 map; the name has hyphens only."""
    content = kind == "content"
    depth = networks.VGG16.maps[layer]
    return MetricSpec(
        name=f"{kind}-vgg16-{layer.replace('_', '-')}",
        function=distances.content(layer) if content else distances.texture(layer),
        summary=f"{kind} distance: VGG16 maps {layer}" + ("" if content else ", Gram matrices"),
        crop="none",
        higher_is_better=False,
        bounds=(0.0, INF),
        min_side=networks.VGG16.min_side(depth),
        features=networks.VGG16.features((layer,)),
        weights=(networks.VGG16.weights,),
        settings=(
            ("root mean square" if content else "Gram matrix per place, norm over C^2")
            + f", torchvision's VGG16, {layer} {'after' if 'relu' in layer else 'before'} ReLU, "
            + _IMAGENET
        ),
        paper=(_JOHNSON if content else "Gatys, Ecker, Bethge, CVPR 2016; ") + _SURVEY,
        guidance=_CONTENT_GUIDANCE if content else _TEXTURE_GUIDANCE,
    )


METRICS: tuple[MetricSpec, ...] = (
    _lpips("lpips", "AlexNet", _LPIPS_PAPER, _LPIPS_GUIDANCE),
    _lpips("lpips-vgg", "VGG16", _LPIPS_PAPER, _LPIPS_VGG_GUIDANCE),
    _lpips(
        "lpips-squeeze",
        "SqueezeNet 1.1",
        _LPIPS_PAPER,
        _LPIPS_SQUEEZE_GUIDANCE,
        networks.SQUEEZENET_FILES,
    ),
    _lpips("st-lpips", "shift-tolerant AlexNet", _ST_LPIPS_PAPER, _ST_LPIPS_GUIDANCE),
    _lpips("st-lpips-vgg", "shift-tolerant VGG16", _ST_LPIPS_PAPER, _ST_LPIPS_GUIDANCE),
    MetricSpec(
        name="dists",
        function=dists.dists,
        summary="deep image structure and texture similarity, at the picture's own size",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, 1.0),
        min_side=dists.MIN_SIDE,
        features=networks.VGG16_L2.features(),
        weights=dists.WEIGHTS,
        settings=_DISTS_SETTINGS + "own size (NTIRE, pyiqa, torchmetrics), " + _IMAGENET,
        paper=_DISTS_PAPER,
        guidance=(
            "Forgives texture that is different but alike, such as grass or gravel, which other "
            "metrics punish; it says little about small wrong details. Fitted to pictures of 256 "
            "pixels: on larger ones with classical damage `dists-256` is nearer to people."
        ),
        agreement=agreement.of("dists"),
    ),
    MetricSpec(
        name="dists-256",
        function=dists.dists_256,
        summary="deep image structure and texture similarity, shorter side shrunk to 256 pixels",
        crop="none",
        higher_is_better=False,
        bounds=(0.0, 1.0),
        min_side=dists.MIN_SIDE,
        features=networks.VGG16_L2.features(),
        weights=dists.WEIGHTS,
        settings=(
            _DISTS_SETTINGS + "shorter side shrunk to 256 (Pillow bilinear, 8 bits) if it is "
            "longer, " + _IMAGENET
        ),
        paper=_DISTS_PAPER,
        guidance=(
            "DISTS as its authors' code prints it. Shrinking hides the detail in which SR methods "
            "differ: for SR use `dists`, unless you compare with numbers made this way."
        ),
        agreement=agreement.of("dists-256"),
    ),
    _layer("content", "relu2_2"),
    _layer("content", "relu4_3"),
    _layer("content", "conv5_3"),
    _layer("texture", "relu2_2"),
    _layer("texture", "relu4_3"),
)
