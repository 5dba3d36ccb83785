"""Which network a checkpoint is: spandrel's architectures and our own, in one registry."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from srqa.errors import UsageError, WeightsError
from srqa.models.checkpoint import variants
from srqa.models.reach import reach
from srqa.models.upscaler import Upscaler

if TYPE_CHECKING:
    from spandrel import ArchRegistry, ImageModelDescriptor
    from torch import Tensor

    from srqa.models.networks.base import State


@lru_cache(maxsize=1)
def registry() -> ArchRegistry:
    """A copy of spandrel's registry with our own architectures, which are asked first.

    Ours look at more than a few names, so none of them takes another's checkpoint for its own.
    """
    from spandrel import MAIN_REGISTRY, ArchSupport

    from srqa.models.networks import DESIGNS, Own

    # Several of spandrel's transformers make torch say this, which no user can do anything about.
    warnings.filterwarnings("ignore", message=r"torch\.meshgrid", category=UserWarning)
    known = MAIN_REGISTRY.copy()
    others = tuple(support.architecture.id for support in known)
    known.add(*(ArchSupport.from_architecture(Own(design), before=others) for design in DESIGNS))
    return known


def architectures() -> tuple[str, ...]:
    """Names of all architectures that are recognised, sorted.

    >>> {"EDSR", "SwinIR", "LIIF"} <= set(architectures())
    True
    """
    return tuple(sorted((support.architecture.id for support in registry()), key=str.lower))


def provider(architecture: str) -> str:
    """Whose code runs an architecture: "srqa", or spandrel with its version."""
    from importlib.metadata import version

    from srqa.models.networks import DESIGNS

    ours = architecture in {design.name for design in DESIGNS}
    return "srqa" if ours else f"spandrel {version('spandrel')}"


def recognise(state: State, what: str) -> ImageModelDescriptor[Any]:
    """The network that a checkpoint belongs to, with its numbers.

    Args:
        state: tensors by name; prefixes that training puts before names do not matter.
        what: the checkpoint's name, for messages.

    Raises:
        WeightsError: no architecture fits, or the fitting one has other layers.
        UsageError: it is a network for something else than single pictures.
    """
    from spandrel import ImageModelDescriptor

    for numbers in map(dict, variants(state)):
        support = next(
            (s for s in registry().architectures("detection") if s.detect(numbers)), None
        )
        if support is None:
            continue
        name = support.architecture.name
        try:
            found = support.architecture.load(numbers)
        except Exception as error:  # whatever hyperparameters that are none make of a constructor
            raise WeightsError(
                f"{what} looks like {name}, but does not fit it: {_brief(error)}.",
                hint="It may be a variant of that architecture, or parts of it may be missing.",
            ) from error
        if not isinstance(found, ImageModelDescriptor):
            raise UsageError(
                f"{what} is {name}, a network for {found.purpose.lower()}, not for SR."
            )
        return found
    first = ", ".join(f"{name} {tuple(state[name].shape)}" for name in list(state)[:3])
    raise WeightsError(
        f"{what} belongs to none of the {len(registry())} architectures that srqa knows.",
        hint=f"`srqa models architectures` names them. The first tensors of the file: {first}.",
    )


def _brief(error: Exception) -> str:
    """The first thing that is wrong, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, KeyError):
        return f"it lacks {error.args[0]}"
    told = lines[1] if len(lines) > 1 and lines[0].startswith("Error(s) in loading") else ""
    text = told or (lines[0] if lines else type(error).__name__)
    return (text if len(text) <= 160 else f"{text[:157]}...").rstrip(".")


def upscaler(found: ImageModelDescriptor[Any], name: str) -> Upscaler:
    """A recognised network that is ready to run.

    Raises:
        UsageError: it takes other pictures than RGB or grey.
    """
    from srqa.models.networks import Network

    if found.input_channels not in (1, 3) or found.output_channels != found.input_channels:
        raise UsageError(
            f"{name} turns pictures of {found.input_channels} channels into pictures of "
            f"{found.output_channels}; srqa runs networks for RGB (3) or one plane (1)."
        )
    module = found.model.eval().requires_grad_(False)
    if isinstance(module, Network):
        halo, inexact, scales, run = module.halo, module.inexact, module.scales, module.enlarge
    else:
        halo, inexact = reach(found)
        scales = (found.scale,)

        def run(pictures: Tensor, scale: float) -> Tensor:
            result: Tensor = found(pictures)
            return result

    return Upscaler(
        name,
        run,
        scales=scales,
        channels=found.input_channels,
        halo=halo,
        inexact=inexact,
        multiple=found.size_requirements.multiple_of,
        min_side=max(found.size_requirements.minimum, 1),
        half=found.supports_half,
        module=module,
    )
