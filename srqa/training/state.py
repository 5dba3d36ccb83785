"""All that changes while a network is trained, and its checkpoint."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.errors import InputError, OutputError, RunError
from srqa.files import replacing
from srqa.training.networks import build
from srqa.training.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import nn

    from srqa.losses import Objective
    from srqa.models.networks import Network

NAME = "checkpoint.pt"
_FORMAT = 1


class State:
    """The network, the mean of its weights, the optimisers, and how far they have come.

    Attributes:
        network: that is trained.
        mean: the same with the moving mean of its weights; the network itself without one.
        objective: what is minimised, perhaps with a discriminator.
        optimisers: of the network and of the discriminator, each with its scaler of gradients.
        steps: that are done.
        seconds: that they took.
        sums: of each term over `summed` steps, since the last record.
        notes: what users should know of how it began.
    """

    def __init__(self, settings: Settings, device: str, *, mixed: bool) -> None:
        import torch

        from srqa.losses import parse

        torch.manual_seed(number(settings.seed, "network"))
        self.settings = settings
        self.notes: list[str] = []
        self.network: Network = build(settings.model, settings.scale, settings.options)
        if settings.start:
            self._begin_with(Path(settings.start))
        self.objective: Objective = parse(settings.loss, settings.scale)
        self.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.objective.to(device)
        self.mean = copy.deepcopy(self.network) if settings.ema else self.network
        trained = [self.network, self.objective.adversarial]
        self.optimisers: dict[nn.Module, tuple[torch.optim.Adam, torch.amp.GradScaler]] = {
            one: (_adam(one, settings.rate_at(0)), torch.amp.GradScaler("cuda", enabled=mixed))
            for one in trained
            if one is not None
        }
        self.steps = self.summed = 0
        self.seconds = 0.0
        self.sums: dict[str, float] = {}

    def _begin_with(self, path: Path) -> None:
        """Take the weights of a checkpoint, as far as they fit."""
        from srqa.models import checkpoint
        from srqa.models.recognition import recognise

        given = recognise(checkpoint.read(path), str(path)).model.state_dict()
        own = self.network.state_dict()
        fitting = {k: v for k, v in given.items() if k in own and v.shape == own[k].shape}
        if not fitting:
            raise InputError(f"No weights of {path} fit {self.settings.model}.")
        self.network.load_state_dict(own | fitting)
        if lacking := [name for name in own if name not in fitting]:
            self.notes.append(
                f"{len(fitting)} of {len(own)} tensors are those of {path}; new are "
                f"{', '.join(lacking[:4])}{' ...' if len(lacking) > 4 else ''}."
            )

    def follow(self) -> None:
        """Take the network's weights into the mean, faster at first."""
        import torch

        if self.mean is self.network:
            return
        decay = min(self.settings.ema, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            own = self.network.state_dict()
            for name, kept in self.mean.state_dict().items():
                if kept.is_floating_point():
                    kept.lerp_(own[name], 1 - decay)
                else:
                    kept.copy_(own[name])

    def is_finite(self) -> bool:
        """Whether no weight is NaN or infinite."""
        return all(bool(p.isfinite().all()) for p in self.network.parameters())

    def _parts(self) -> dict[str, Any]:
        """Members with a state of their own, by their names in the checkpoint."""
        parts: dict[str, Any] = {"network": self.network, "mean": self.mean}
        if self.objective.adversarial is not None:
            parts["adversarial"] = self.objective.adversarial
        for at, (optimiser, scaler) in enumerate(self.optimisers.values()):
            parts |= {f"optimiser{at}": optimiser, f"scaler{at}": scaler}
        return parts

    def save(self, folder: Path, data: str) -> None:
        """Write the checkpoint.

        Args:
            folder: of the training.
            data: sha256 of the pictures.

        Raises:
            OutputError: it cannot be written; the one before is kept.
        """
        import torch

        facts = {
            "format": _FORMAT,
            "settings": self.settings.text,
            "data": data,
            "steps": self.steps,
            "seconds": self.seconds,
            "sums": self.sums,
            "summed": self.summed,
        }
        whole = facts | {name: part.state_dict() for name, part in self._parts().items()}
        with replacing(folder / NAME) as temporary:
            guarded(lambda: torch.save(whole, temporary), folder / NAME)

    def load(self, folder: Path, data: str) -> None:
        """Take up a checkpoint.

        Raises:
            RunError: it cannot be read, or belongs to another training.
        """
        path = folder / NAME
        found = read(path)
        if differing := _differences(found["settings"], self.settings):
            raise RunError(
                f"{folder} was begun otherwise: {'; '.join(differing)}.",
                "Give the settings that it was begun with, or another --out.",
            )
        if found["data"] != data:
            raise RunError(
                f"{folder} was begun with other pictures than those that --hr has now.",
                "Bring them back, or begin anew with another --out.",
            )
        try:
            for name, part in self._parts().items():
                part.load_state_dict(found[name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise RunError(f"{path} does not fit this version of srqa: {error}.") from error
        self.steps, self.seconds = found["steps"], found["seconds"]
        self.sums, self.summed = found["sums"], found["summed"]


def read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint.

    Raises:
        RunError: it cannot be read.
    """
    import torch

    try:
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if found["format"] != _FORMAT:
            raise ValueError("it is of another version of srqa")
    except FileNotFoundError as error:
        raise RunError(
            f"There is no checkpoint in {path.parent}.", "Leave --resume out to begin."
        ) from error
    except Exception as error:  # torch.load raises whatever damaged bytes lead to
        said = " ".join(str(error).split())[:160]
        raise RunError(f"The checkpoint {path} cannot be read: {said}.") from error
    return found


def guarded(write: Callable[[], object], path: Path) -> None:
    """Torch and safetensors say "no space" in errors of their own.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        write()
    except OSError:
        raise
    except Exception as error:
        raise OutputError(
            f"{path} cannot be written: {' '.join(str(error).split())[:160]}.",
            "If no space is left, free some and run the same command with --resume.",
        ) from error


def number(seed: int, use: str) -> int:
    """A seed for torch, from that of the user and what it is for."""
    digest = hashlib.sha256(f"{seed}\0{use}".encode()).digest()
    return int.from_bytes(digest[:7], "little")


def _differences(text: str, settings: Settings) -> list[str]:
    import json

    before, now = json.loads(text), settings.describe()
    if settings.text == text:
        return []
    return [
        f"{key} was {before.get(key)!r} and is {value!r}"
        for key, value in json.loads(json.dumps(now)).items()
        if before.get(key) != value
    ]


def _adam(module: nn.Module, rate: float) -> torch.optim.Adam:
    import torch

    trained = [p for p in module.parameters() if p.requires_grad]
    return torch.optim.Adam(trained, rate, betas=(0.9, 0.999), fused=True)
