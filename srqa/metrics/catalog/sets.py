"""One value for all outputs of a method, against the references' set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from srqa.metrics import inception, sets
from srqa.metrics.networks import VGG16
from srqa.metrics.spec import INF, MetricSpec, SetValue

_PATCHES = (
    "patches of 256x256 in two grids, the second moved by 128 both ways, as HiFiC's FID/256; "
    "pictures below 256 a side give none"
)
_FRECHET = "float64, covariances with n - 1, root by symmetric eigenvalues"
_MMD = (
    "kernel (x.y/d + 1)^3, float64, unbiased over pairs of different pictures; 95 % jackknife "
    "interval over pictures with Student's t"
)
_HIFIC = (
    "Mentzer, Toderici, Tschannen, Agustsson, High-fidelity generative image compression, NeurIPS "
    "2020 (the patches)"
)
_HEUSEL = (
    "Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, GANs trained by a two time-scale update "
    "rule converge to a local Nash equilibrium, NeurIPS 2017"
)
_KID = "Bińkowski, Sutherland, Arbel, Gretton, Demystifying MMD GANs, ICLR 2018"
_BLIND = (
    "It asks whether the outputs as a set look like the references as a set, not whether a picture "
    "looks like its own: a method that puts wrong sharp detail everywhere may win. "
)
_BIAS = (
    "Its expectation lies above the true distance, the more the fewer patches there are: compare "
    "values of sets of one size only. It has no interval."
)
_UNBIASED = "Unbiased for any number of patches, and with an interval; values below 0 are chance."
_OTHER = "Not {}, and not to be called so: another network, other features, other values. "


@dataclass(frozen=True, slots=True)
class _Network:
    """What the samples are made by."""

    gather: Callable[[Any], Any]
    width: int
    weights: str
    settings: str
    features: tuple[str, ...] = ()
    provider: str = ""
    extra: str = ""


_INCEPTION = _Network(
    gather=inception.samples,
    width=inception.WIDTH,
    weights=inception.WEIGHTS,
    settings="TensorFlow's Inception of 2015, 2048 pooled features, 8 bits, its bilinear to 299",
    provider=inception.PROVIDER,
    extra=inception.EXTRA,
)
_VGG16 = _Network(
    gather=sets.vgg16,
    width=VGG16.steps[-1].channels,
    weights=VGG16.weights,
    settings="torchvision's VGG16, 512 means of relu5_3 over places, at the patch's own size",
    features=VGG16.features((sets.VGG16_MAP,)),
)


def _spec(
    name: str,
    network: _Network,
    summary: str,
    function: Callable[[sets.Samples, sets.Samples], SetValue],
    settings: str,
    paper: str,
    guidance: str,
    lowest: float,
) -> MetricSpec:
    return MetricSpec(
        name=name,
        function=function,
        gather=network.gather,
        summary=summary,
        level="set",
        crop="none",
        higher_is_better=False,
        bounds=(lowest, INF),
        min_side=sets.SIDE,
        differentiable=False,
        features=network.features,
        weights=(network.weights,),
        provider=network.provider,
        extra=network.extra,
        settings=f"{_PATCHES}; {network.settings}; {settings}",
        paper=f"{paper}; {_HIFIC}",
        guidance=guidance,
    )


def _frechet(name: str, instead: str, network: _Network, summary: str, first: str) -> MetricSpec:
    return _spec(
        name,
        network,
        summary,
        sets.frechet(name, instead),
        f"{_FRECHET}; refused for {network.width} patches or fewer",
        _HEUSEL,
        first + _BLIND + _BIAS,
        0.0,
    )


def _mmd(name: str, network: _Network, summary: str, first: str) -> MetricSpec:
    return _spec(
        name, network, summary, sets.mmd(name), _MMD, _KID, first + _BLIND + _UNBIASED, -INF
    )


METRICS: tuple[MetricSpec, ...] = (
    _frechet(
        "fid-patch",
        "kid-patch",
        _INCEPTION,
        "Fréchet inception distance of patches (FID/256)",
        "",
    ),
    _mmd("kid-patch", _INCEPTION, "kernel inception distance of patches (KID/256)", ""),
    _frechet(
        "vgg16-frechet-patch",
        "vgg16-mmd-patch",
        _VGG16,
        "Fréchet distance of patches on VGG16 features, which is not FID",
        _OTHER.format("FID"),
    ),
    _mmd(
        "vgg16-mmd-patch",
        _VGG16,
        "kernel distance (MMD) of patches on VGG16 features, which is not KID",
        _OTHER.format("KID"),
    ),
)
