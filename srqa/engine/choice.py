"""Which metrics are computed: those asked for, or as many of the defaults as can be had."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeAlias

from srqa import weights
from srqa.errors import MissingPackageError, UsageError, WeightsError
from srqa.metrics import registry
from srqa.metrics.spec import MetricSpec

DEFAULT_METRICS = ("psnr-y", "ssim-y", "lpips", "dists", "niqe", "brisque")
"""Those that lack references, or whose weights cannot be had, are left out."""

Fetching: TypeAlias = Callable[[str, int, int | None], None]
"""Called with (what is fetched, bytes done, bytes in all or None)."""


def named(metrics: Sequence[str] | str | None) -> tuple[MetricSpec, ...]:
    """The metrics that are meant by names, with commas between or in a list; else the defaults.

    Raises:
        UsageError: a name is empty or unknown.
    """
    wanted = metrics.split(",") if isinstance(metrics, str) else list(metrics or DEFAULT_METRICS)
    if not all(name.strip() for name in wanted):
        raise UsageError(
            "The list of metrics has an empty name.", hint="Write it as -m psnr-y,ssim-y."
        )
    return tuple({spec.name: spec for spec in map(registry.get, wanted)}.values())


def choose_metrics(
    metrics: Sequence[str] | str | None,
    *,
    reference: bool,
    lr: bool,
    given: Collection[str] = (),
) -> tuple[MetricSpec, ...]:
    """The metrics that can run on what was given.

    Args:
        metrics: names, or None for the defaults.
        reference, lr: whether there are references and low-resolution inputs.
        given: names of the numbers that the user supplies.

    Raises:
        UsageError: a name is empty or unknown, a metric that was asked for by name lacks its
            reference or its numbers, or none is left.
    """
    specs = named(metrics)
    needed = [*specs, *(registry.get(part) for spec in specs for part in spec.parts)]
    alone = next((spec for spec in needed if spec.given and spec.given not in given), None)
    if alone:
        raise UsageError(
            f"The metric {alone.name} needs --{alone.given}.",
            hint=f"Give --{alone.given} FILE.csv, a table with the columns image and "
            f"{alone.given}.",
        )
    have = {"fr": reference, "nr": True, "lr": lr}
    lacking = [spec for spec in needed if not have[spec.kind]]
    if lacking and (metrics or len(lacking) == len(specs)):
        option = {"fr": "--ref", "lr": "--lr"}[lacking[0].kind]
        raise UsageError(
            f"The metric {lacking[0].name} needs {option}.",
            hint=f"Give {option} FOLDER, or choose metrics without reference: "
            "`srqa metrics list --kind nr`.",
        )
    return tuple(spec for spec in specs if have[spec.kind])


def check_installed(specs: Iterable[MetricSpec]) -> None:
    """Refuse metrics whose packages are not here, before hours are spent on the others.

    Raises:
        MissingPackageError: an extra of srqa is not installed.
    """
    from importlib.metadata import PackageNotFoundError, version

    for spec in specs:
        if not spec.extra:
            continue
        try:
            version(spec.provider)
        except PackageNotFoundError as error:
            raise MissingPackageError(
                f"The metric {spec.name} needs the package {spec.provider}.",
                hint=f"pip install 'srqa[{spec.extra}]'",
            ) from error


def with_weights(
    specs: Sequence[MetricSpec], *, asked_for: bool, progress: Fetching | None
) -> tuple[tuple[MetricSpec, ...], list[str]]:
    """Fetch what the metrics need; without it, defaults are left out, each with a sentence.

    Raises:
        WeightsError: the weights of a metric that was asked for by name cannot be had.
    """
    needed = dict.fromkeys(name for spec in specs for name in spec.weights)
    absent = [name for name in needed if not weights.available(name)]
    if not absent:
        return tuple(specs), []
    try:
        weights.pull(absent, progress)
    except WeightsError as error:
        if asked_for:
            raise
        reason = error
    else:
        return tuple(specs), []
    kept = tuple(s for s in specs if all(weights.available(name) for name in s.weights))
    gone = [spec.name for spec in specs if spec not in kept]
    return kept, [f"{' and '.join(gone)} left out: {reason} {reason.hint}".strip()]
