"""What is published of how well the metrics agree with people, and how it is put in words.

Only figures that were read where they were measured, or in two places; where a paper's figure was
read in another's table, the source says so. Those on super-resolution (BAPPS, PIPAL) come first;
classical distortions (TID2013) show how much easier these are. A figure belongs to the metric as
its source computed it: colour and rounding may differ.
"""

from __future__ import annotations

from srqa.metrics.spec import Agreement

BOUNDS = {"2AFC": (0.0, 1.0), "SROCC": (0.0, 1.0), "PLCC": (0.0, 1.0)}
"""Lowest and highest value of each measure; correlations are absolute values."""
MEANINGS = {
    "2AFC": "share of people's choices between two pictures that the metric predicts",
    "SROCC": "Spearman's rank correlation with mean opinions, absolute value",
    "PLCC": "Pearson's correlation with mean opinions after a fitted curve, absolute value",
}

_PIQ = "piq, benchmark in its README"
_ZHANG = "Zhang et al., CVPR 2018, table 5"
_QUOTED = ", quoted in piq's benchmark"
_GU = "Gu et al., arXiv 2011.15002, 2020" + _QUOTED
_PONOMARENKO = "Ponomarenko et al., 2015" + _QUOTED
_SURVEY = "Athar, Wang, IEEE Access 7, 2019" + _QUOTED
_MS_GMSD = "Zhang, Sander, Bermak, ICASSP 2017" + _QUOTED
_DING = "Ding et al., IEEE TPAMI 44(5), 2022" + _QUOTED
_OWN = "measured by srqa's authors"


def _bapps(value: float, source: str = _ZHANG) -> Agreement:
    data = "BAPPS, super-resolution part: which of two patches is nearer to the reference"
    return Agreement("2AFC", value, data, source, ceiling=0.734)


def _pipal(value: float, source: str = _PIQ) -> Agreement:
    data = "PIPAL: outputs of restoration, GANs among them, and classical distortions"
    return Agreement("SROCC", value, data, source)


def _tid(value: float, source: str) -> Agreement:
    return Agreement("SROCC", value, "TID2013: 24 classical distortions", source)


_PIXELS = (
    _bapps(0.647, _ZHANG + " (as L2)"),
    _pipal(0.407, _GU),
    _tid(0.687, _PONOMARENKO),
)
_COIN = Agreement(
    "2AFC",
    0.47,
    "choices between outputs of modern generative SR networks, two public sets (46 to 48 %, "
    "ceiling 64 to 65 %)",
    _OWN,
    ceiling=0.645,
)

PUBLISHED: dict[str, tuple[Agreement, ...]] = {
    "psnr": _PIXELS,
    "mse": _PIXELS,
    "rmse": _PIXELS,
    "ssim": (_bapps(0.651),),
    "ssim-y": (_tid(0.637, _PONOMARENKO),),
    "ms-ssim": (_tid(0.798, _PIQ),),
    "ms-ssim-y": (_tid(0.787, _PONOMARENKO),),
    "iw-ssim": (_pipal(0.60), _tid(0.778, _SURVEY)),
    "vif": (_pipal(0.497), _tid(0.610, _PONOMARENKO)),
    "fsim": (_pipal(0.588), _tid(0.801, _PONOMARENKO)),
    "fsimc": (_bapps(0.681), _pipal(0.590), _tid(0.851, _PONOMARENKO)),
    "vsi": (_pipal(0.539), _tid(0.897, _SURVEY)),
    "sr-sim": (_pipal(0.565), _tid(0.808, _SURVEY)),
    "gmsd": (_pipal(0.584), _tid(0.803, _MS_GMSD)),
    "ms-gmsd": (_pipal(0.585), _tid(0.814, _MS_GMSD)),
    "mdsi": (_pipal(0.585), _tid(0.890, "Nafchi et al., IEEE Access 4, 2016" + _QUOTED)),
    "haarpsi": (_pipal(0.589), _tid(0.873, "Reisenhofer et al., 2018" + _QUOTED)),
    "dss": (_pipal(0.632), _tid(0.792, _SURVEY)),
    "lpips": (
        Agreement(
            "2AFC", 0.76, "choices between outputs of modern generative SR networks", _OWN, 0.80
        ),
        _bapps(0.715),
    ),
    "lpips-vgg": (
        _bapps(0.705),
        _pipal(0.577, _GU),
        _tid(0.670, _DING),
    ),
    "lpips-squeeze": (_bapps(0.711),),
    "st-lpips": (_bapps(0.712, "Ghildyal, Liu, evaluation in their repository, 2022"),),
    "st-lpips-vgg": (_bapps(0.709, "Ghildyal, Liu, evaluation in their repository, 2022"),),
    "dists": (_tid(0.708, "pyiqa and an earlier piq, benchmarks in their repositories"),),
    "dists-256": (
        _pipal(0.617),
        _tid(0.830, _DING),
    ),
    "niqe": (_COIN,),
    "niqe-gray": (_COIN,),
    "brisque": (
        _COIN,
        _pipal(0.21, _PIQ + " (with LIVE's MATLAB model)"),
        Agreement(
            "SROCC",
            0.31,
            "LIVE in the Wild: photographs as people take them",
            "piq and pyiqa, benchmarks in their repositories (with LIVE's MATLAB model)",
        ),
    ),
    "clip-iqa": (
        _pipal(0.26),
        Agreement(
            "SROCC",
            0.68,
            "KonIQ-10k: photographs as people take them",
            "authors' code, quoted in piq's benchmark",
        ),
    ),
}
"""By metric; a metric that is not here has no figure that is known for certain."""


def of(name: str) -> tuple[Agreement, ...]:
    """What is published of a metric of srqa's own; nothing for most."""
    return PUBLISHED.get(name, ())


def figure(value: float, measure: str) -> str:
    """A value as people write it: a share in per cent, a correlation as a number.

    Example:
        >>> figure(0.715, "2AFC"), figure(0.6, "SROCC")
        ('71.5 %', '0.60')
    """
    if measure == "2AFC":
        return f"{100 * value:.3g} %"
    text = f"{value:.3f}"
    return text[:-1] if text.endswith("0") else text


def sentence(published: Agreement) -> str:
    """One figure in a line, without its source.

    Example:
        >>> sentence(Agreement("2AFC", 0.715, "BAPPS", "Zhang et al.", 0.734))
        '2AFC 71.5 % (people 73.4 %) on BAPPS'
    """
    value = f"{published.measure} {figure(published.value, published.measure)}"
    if published.ceiling is not None:
        value += f" (people {figure(published.ceiling, published.measure)})"
    return f"{value} on {published.data}"
