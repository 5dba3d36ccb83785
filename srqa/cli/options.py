"""Options that several subcommands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)


def _positive(
    context: click.Context, parameter: click.Parameter, value: float | None
) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"must be a positive number, not {value:g}.")
    return value


def pairing(function: F) -> F:
    """Options that say which output belongs to which reference."""
    for option in reversed(
        (
            click.option("--ref", type=_PATH, help="References (HR): a folder or a file."),
            click.option(
                "--scale", type=float, callback=_positive, help="Factor of super-resolution."
            ),
            click.option("--lr", type=_PATH, help="Low-resolution inputs, for lr-psnr."),
            click.option(
                "--layout",
                metavar="PATTERN",
                help="Where things stand in outputs' paths: '{method}/{dataset}/{content}.png'.",
            ),
            click.option("--ref-layout", metavar="PATTERN", help="The same for references."),
            click.option(
                "--pair",
                default="auto",
                show_default=True,
                metavar="RULE",
                help="auto, path, stem, strip:PREFIX*SUFFIX, regex:PATTERN or csv:FILE.",
            ),
            click.option(
                "--on-missing",
                type=click.Choice(["error", "skip"]),
                default="error",
                show_default=True,
                help="When a picture has no partner.",
            ),
        )
    ):
        function = option(function)
    return function


def reading(function: F) -> F:
    """Options that say how files become the pixels that are compared."""
    for option in reversed(
        (
            click.option(
                "--protocol",
                default="sr",
                show_default=True,
                metavar="NAME|FILE.toml",
                help="How pixels are compared: sr, matlab, pirm, ntire, real, or your own.",
            ),
            click.option(
                "--on-mismatch",
                type=click.Choice(["error", "modcrop", "crop"]),
                default="error",
                show_default=True,
                help="When sizes differ: cut both to a multiple of the scale, or to the common "
                "top left part.",
            ),
            click.option(
                "--alpha",
                type=click.Choice(["refuse", "white", "black", "drop"]),
                default="refuse",
                show_default=True,
                help="What to do with an alpha channel that is not opaque.",
            ),
            click.option(
                "--icc",
                type=click.Choice(["ignore", "convert"]),
                default="ignore",
                show_default=True,
                help="Colour profiles: compare what is stored, or convert to sRGB.",
            ),
            click.option(
                "--depth",
                type=click.Choice(["8", "16"]),
                help="Bits compared, against the protocol.",
            ),
        )
    ):
        function = option(function)
    return function


def pixels(given: dict[str, Any]) -> dict[str, Any]:
    """The options of `reading`, under the names of `srqa.evaluate`."""
    from srqa.images.read import DecodePolicy

    return {
        "protocol": given["protocol"],
        "on_mismatch": given["on_mismatch"],
        "policy": DecodePolicy(alpha=given["alpha"], icc=given["icc"]),
        "depth": int(given["depth"]) if given["depth"] else None,
    }


def collecting(given: dict[str, Any]) -> dict[str, Any]:
    """The shared options, under the names of `srqa.evaluate`."""
    names = {"ref_layout": "reference_layout"}
    keys = ("ref", "scale", "lr", "layout", "ref_layout", "pair", "on_missing")
    return {names.get(key, key): given[key] for key in keys}
