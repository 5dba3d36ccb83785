"""Metrics by name: srqa's own catalog, and users' own through the entry point ``srqa.metrics``."""

from __future__ import annotations

import difflib
from functools import lru_cache

from srqa.errors import UsageError
from srqa.metrics.catalog import CATALOG
from srqa.metrics.spec import MetricSpec

PREFIX = "pyiqa:"
"""Stands before the names of pyiqa's metrics."""
FUSED = "fused:"
"""Stands before the file of a metric that was learned from human scores."""
NR_HEAD = "srqa-nr:"
"""Stands before the file of a head that `srqa train nr` made."""
ENTRY_POINT = "srqa.metrics"
# Names of the most used toolbox for the same numbers.
ALIASES = {"psnry": "psnr-y", "ssimc": "ssim", "ms_ssim": "ms-ssim", "haar-psi": "haarpsi"}

_OWN = {spec.name: spec for spec in CATALOG}


@lru_cache(maxsize=1)
def _registry() -> dict[str, MetricSpec]:
    """All metrics; looking for those of other packages takes time, so only when it is needed."""
    from importlib.metadata import entry_points

    found = dict(_OWN)
    for point in entry_points(group=ENTRY_POINT):
        try:
            loaded = point.load()
        except Exception as error:  # whatever another package does while it is imported
            reason = f"{type(error).__name__}: {error}"
            raise UsageError(
                f"The metrics of {point.value!r} cannot be loaded: {reason}.",
                hint=f"Repair or uninstall {point.dist.name if point.dist else point.name}.",
            ) from error
        for spec in loaded if isinstance(loaded, list | tuple) else (loaded,):
            if not isinstance(spec, MetricSpec):
                raise UsageError(
                    f"The entry point {point.name!r} of group {ENTRY_POINT!r} gives a "
                    f"{type(spec).__name__}, not a MetricSpec.",
                    hint=f"Point {point.value!r} at a MetricSpec, or at a list of them.",
                )
            if spec.name in found:
                raise UsageError(
                    f"The metric {spec.name!r} of {point.value!r} has a name that is taken.",
                    hint="Give it another name.",
                )
            found[spec.name] = spec
    return found


def specs() -> tuple[MetricSpec, ...]:
    """All metrics, srqa's first."""
    return tuple(_registry().values())


def names() -> list[str]:
    """The names of all metrics."""
    return list(_registry())


def get(name: str) -> MetricSpec:
    """Find a metric by its name or by the other toolbox's name for it.

    pyiqa's are "pyiqa:NAME", those learned by `srqa correlate --fuse` "fused:FILE.json", and
    srqa-nr with a head of one's own (`srqa train nr`) is "srqa-nr:FILE.safetensors".

    Raises:
        UsageError: there is no such metric; the message names the nearest.
        InputError: the file of a fused metric, or of a head, is damaged.
        MissingPackageError: a metric of pyiqa, which is not installed.

    Example:
        >>> get("psnry").name
        'psnr-y'
    """
    key = name.strip().lower()
    if key.startswith(PREFIX):
        from srqa.metrics import pyiqa

        return pyiqa.spec(key.removeprefix(PREFIX))
    if key.startswith(FUSED):
        from srqa.metrics import fused

        return fused.spec(name.strip()[len(FUSED) :])
    if key.startswith(NR_HEAD):
        from srqa.metrics import srqa_nr

        return srqa_nr.spec(name.strip()[len(NR_HEAD) :])
    candidates = (ALIASES.get(key, key), key.replace("_", "-"))
    for candidate in candidates:
        if candidate in _OWN:
            return _OWN[candidate]
    registry = _registry()
    spec = next((registry[c] for c in candidates if c in registry), None)
    if spec is None:
        near = difflib.get_close_matches(key, registry, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(
            f"There is no metric {name!r}.", hint=hint + "`srqa metrics list` shows them all."
        )
    return spec
