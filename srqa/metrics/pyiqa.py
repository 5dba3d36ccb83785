"""The metrics of the package pyiqa, under the names ``pyiqa:NAME``.

pyiqa stands under the PolyForm Noncommercial licence, so it is never part of srqa: users install
it, and accept its licence each time. What its metrics are is read from its table of settings
without importing the package; the package itself is imported when a number is computed.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.errors import MissingPackageError, NotApplicableError, UsageError, WeightsError
from srqa.images.arrays import Planes, Value, as_batch, is_tensor, unbatch
from srqa.metrics.registry import PREFIX
from srqa.metrics.spec import MetricSpec

if TYPE_CHECKING:
    import torch

PACKAGE = "pyiqa"
LICENCE = "PolyForm-Noncommercial-1.0.0"
"""Of pyiqa since 0.1.16; its metadata say it, too."""

_UNFIT = {
    "fid": "compares two sets; srqa's own are fid-patch and kid-patch",
    "sfid": "compares two sets; srqa's own are fid-patch and kid-patch",
    "fid_dinov2": "compares two sets; srqa's own are fid-patch and kid-patch",
    "inception_score": "is of a whole set; srqa's own are fid-patch and kid-patch",
    "clipscore": "needs a caption for each picture",
    "fgresq_pair": "gives several numbers that rank two pictures",
}
_lock = threading.RLock()
_models: dict[tuple[str, str], Any] = {}


def names() -> list[str]:
    """The names ``pyiqa:NAME`` of all metrics of the installed pyiqa; none without it."""
    try:
        return [PREFIX + name for name in _settings() if name not in _UNFIT]
    except MissingPackageError:
        return []


@lru_cache(maxsize=256)
def spec(name: str) -> MetricSpec:
    """What pyiqa says of one of its metrics, whose name may be in lower case.

    Raises:
        MissingPackageError: pyiqa is not installed.
        UsageError: it has no such metric, or it has none of the kind that judges one picture.

    Example:
        >>> spec("musiq").higher_is_better  # doctest: +SKIP
        True
    """
    settings = _settings()
    known = {other.lower(): other for other in settings}
    if name.lower() not in known:
        import difflib

        near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(PREFIX + known[n] for n in near)}? " if near else ""
        raise UsageError(
            f"There is no metric {PREFIX + name!r}: pyiqa {_version()} has none of that name.",
            hint=hint + "pyiqa.list_models() names them all.",
        )
    name = known[name.lower()]
    if name in _UNFIT:
        raise UsageError(f"{PREFIX}{name} cannot be computed here: it {_UNFIT[name]}.")
    chosen = settings[name]
    options = chosen.get("metric_opts", {})
    said = ", ".join(f"{key} {value}" for key, value in options.items() if key != "type")
    network = str(options.get("type", name))
    return MetricSpec(
        name=PREFIX + name,
        function=_function(name),
        summary=f"{network} of pyiqa",
        kind="nr" if chosen.get("metric_mode") == "NR" else "fr",
        crop="none",
        higher_is_better=not chosen.get("lower_better", False),
        whole="pyiqa is given whole pictures",
        batchable=False,
        differentiable=False,
        code_licence=_licence(),
        weights_licence="NOASSERTION",
        provider=PACKAGE,
        extra=PACKAGE,
        settings=(
            f"as pyiqa computes it by default: {network}"
            + (f", {said}" if said else "")
            + f"; values about {chosen.get('score_range', 'unknown')}; whole picture, 8 bits as "
            "float32 in 0..1"
        ),
        paper="Chen, Mo, IQA-PyTorch, 2022, https://github.com/chaofengc/IQA-PyTorch; see its list",
        guidance=(
            "pyiqa's own number, in its own way of computing it: quote its version. srqa has not "
            "checked it against people; its code is for non-commercial use only, and its trained "
            "weights, if it has any, stand under licences of their own."
        ),
    )


def _missing() -> MissingPackageError:
    return MissingPackageError(
        "Metrics named pyiqa:NAME need the package pyiqa, which is not installed.",
        hint="pip install 'srqa[pyiqa]'; its licence is for non-commercial use only.",
    )


@lru_cache(maxsize=1)
def _settings() -> Mapping[str, Mapping[str, Any]]:
    """pyiqa's table of metrics, by name; the file is run alone, without the package."""
    package = find_spec(PACKAGE)
    folders = package.submodule_search_locations if package else None
    path = Path(folders[0], "default_model_configs.py") if folders else None
    if path is None or not path.is_file():
        raise _missing()
    found = spec_from_file_location("_srqa_pyiqa_settings", path)
    if found is None or found.loader is None:
        raise _missing()
    module = module_from_spec(found)
    found.loader.exec_module(module)
    table: Mapping[str, Mapping[str, Any]] = module.DEFAULT_CONFIGS
    return table


def _version() -> str:
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "?"


def _licence() -> str:
    """What the installed version says of itself, if it says it as SPDX."""
    try:
        return str(metadata.metadata(PACKAGE).json.get("license_expression") or LICENCE)
    except metadata.PackageNotFoundError:
        return LICENCE


def _function(name: str) -> Callable[..., Value]:
    def compute(distorted: Planes, reference: Planes | None = None) -> Value:
        return _compute(name, distorted, reference)

    return compute


def _compute(name: str, distorted: Planes, reference: Planes | None) -> Value:
    """pyiqa's number for each picture, one after the other: some of its metrics mix a batch."""
    import torch

    pictures = [_prepared(distorted)] + ([] if reference is None else [_prepared(reference)])
    with _lock, torch.no_grad():
        model = _model(name, pictures[0].device)
        values = [
            _number(name, model(*(picture[i : i + 1] for picture in pictures)))
            for i in range(len(pictures[0]))
        ]
    made = torch.tensor(values, dtype=torch.float64)
    return unbatch(made.to(distorted.device) if is_tensor(distorted) else made, distorted)


def _prepared(planes: Planes) -> torch.Tensor:
    x = as_batch(planes).detach().float().clamp(0.0, 1.0)
    return x if x.shape[1] == 3 else x.repeat(1, 3, 1, 1)


def _number(name: str, made: Any) -> float:
    import torch

    if not isinstance(made, torch.Tensor) or made.numel() != 1:
        raise NotApplicableError(f"pyiqa's {name} does not give one number for a picture")
    return float(made.item())


def _model(name: str, device: torch.device) -> Any:
    """The network that pyiqa makes, once a device; it fetches its own weights."""
    key = (name, str(device))
    if key not in _models:
        from srqa.weights.sources import offline

        try:
            import pyiqa
        except ImportError as error:
            raise MissingPackageError(
                f"pyiqa is installed but not whole: {error}.",
                hint="pip install 'srqa[pyiqa]' brings all that it needs.",
            ) from error
        logging.getLogger(PACKAGE).setLevel(logging.WARNING)
        try:
            with _network_closed(offline()):
                _models[key] = pyiqa.create_metric(name, device=device)
        except (OSError, RuntimeError) as error:
            raise _cannot_load(name, error, offline()) from error
        except ImportError as error:
            raise MissingPackageError(
                f"{PREFIX}{name} needs a package that is not installed: {error}.",
                hint="pip install 'srqa[pyiqa]' brings all that pyiqa needs.",
            ) from error
    return _models[key]


def _cannot_load(name: str, error: Exception, offline: bool) -> WeightsError:
    import torch

    lines = str(error).strip().splitlines()
    reason = lines[0].rstrip(".") if lines else type(error).__name__
    forbidden = " (fetching is switched off)" if offline else ""
    return WeightsError(
        f"pyiqa cannot load {name}{forbidden}: {reason}.",
        hint=f"pyiqa fetches its own weights and keeps them in {Path(torch.hub.get_dir(), 'pyiqa')}"
        ": let it do so once with a network, or copy that folder here.",
    )


_closed = 0
_watching = False


@contextmanager
def _network_closed(closed: bool) -> Iterator[None]:
    """No connection is opened inside, whichever library asks for it."""
    global _closed, _watching  # noqa: PLW0603
    if closed and not _watching:
        sys.addaudithook(_watch)
        _watching = True
    _closed += closed
    try:
        yield
    finally:
        _closed -= closed


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _closed or event not in ("socket.getaddrinfo", "socket.connect"):
        return
    if event == "socket.connect" and isinstance(arguments[1], str | bytes):
        return  # a socket in the file system
    raise OSError("no connection is allowed")


def unload() -> None:
    """Drop the networks from memory."""
    with _lock:
        _models.clear()
