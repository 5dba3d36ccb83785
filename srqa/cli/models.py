"""`srqa models`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from srqa.cli.console import out, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from srqa.models.cards import Figure, ModelCard

_COLUMNS = {"licence": 98, "parameters": 120, "Set14": 120, "what it is": 170, "paper": 170}
"""Columns of the terminal from which `list` shows more."""


@click.group("models", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Models for super-resolution: what there is, what it reaches, whose licence.

    \b
    srqa models list --scale 4
    srqa models show dat-light
    srqa models architectures       # which checkpoints --weights FILE recognises
    """


@command.command("list")
@click.option("--scale", type=float, help="Only those that can it, with the figures at it.")
@click.option("--ready", is_flag=True, help="Only those that run by their name alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_models(scale: float | None, ready: bool, as_json: bool) -> None:
    """All models, a line each.

    \b
    srqa models list
    srqa models list --scale 4 --ready

    "here": whether the weights are on this machine; "fetched" are got at the first use; "file": you
    bring them, with --weights FILE. Figures are PSNR on Y as published, in dB, at
    x2 / x3 / x4. A wide terminal shows more.
    """
    from srqa.models import cards

    found = [
        card
        for card in cards()
        if (not ready or card.runnable) and (scale is None or _can(card, scale))
    ]
    if as_json:
        print_json([_facts(card) for card in found])
        return
    if not found:
        click.echo(f"No model can scale {scale:g}.")
        return
    out().print(_overview(found, scale, out().width))


def _can(card: ModelCard, scale: float) -> bool:
    return card.scales is None or scale in card.scales


def _overview(found: list[ModelCard], scale: float | None, width: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    cells: dict[str, Callable[[ModelCard], str]] = {
        "name": lambda card: card.name,
        "scale": _scales,
        "parameters": _parameters,
        "size": _size,
        "licence": lambda card: card.weights_licence or "-",
        "here": _here,
        "Set5": lambda card: _published(card, "Set5", scale),
        "Set14": lambda card: _published(card, "Set14", scale),
        "what it is": lambda card: card.summary,
        "paper": lambda card: card.paper,
    }
    shown = [name for name in cells if width >= _COLUMNS.get(name, 0)]
    table = Table(box=None, pad_edge=False)
    for name in shown:
        at = f" x{scale:g}" if scale and name.startswith("Set") else ""
        right = name in ("parameters", "size")
        long = name in ("what it is", "paper")
        table.add_column(name + at, no_wrap=not long, justify="right" if right else "left")
    for card in found:
        table.add_row(*(Text(cells[name](card)) for name in shown))
    return table


def _scales(card: ModelCard) -> str:
    if card.scales is not None:
        return ", ".join(map(str, card.scales))
    return "any" if card.kind == "classical" or not card.by_checkpoint else "as the file"


def _parameters(card: ModelCard) -> str:
    if not card.parameters:
        return "-"
    count = max(card.parameters.values())
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def _size(card: ModelCard) -> str:
    from srqa import weights
    from srqa.weights.sources import megabytes

    files = [weights.get(name) for name in card.files]
    return megabytes(max(file.bytes for file in files)) if files else "-"


def _here(card: ModelCard) -> str:
    from srqa import weights

    if card.kind == "classical":
        return "built in"
    if not card.weights:
        return "file"
    here = [weights.available(name) for name in card.files]
    if all(here):
        return "yes"
    return f"{sum(here)} of {len(here)}" if any(here) else "fetched"


def _published(card: ModelCard, data: str, scale: float | None) -> str:
    """PSNR as published: at the scale, or at x2, x3 and x4."""
    found = {float(f.scale): f"{f.psnr:.2f}" for f in card.published if f.data == data}
    if not found:
        return "-"
    asked = (2.0, 3.0, 4.0) if scale is None else (scale,)
    return " / ".join(found.get(s, "-") for s in asked)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, as_json: bool) -> None:
    """One model: what it is, where its weights come from, what it reaches.

    \b
    srqa models show dat-light
    srqa models show real-esrgan-x4plus --json
    """
    from rich.table import Table
    from rich.text import Text

    from srqa.models import card as find

    card = find(name)
    if as_json:
        print_json(_facts(card))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, text in [*_description(card), *_weights(card)]:
        if text:
            table.add_row(label, Text(text))
    out().print(Text(card.name, style="bold"), table, sep="\n")
    for title, figures in (("published", card.published), ("measured here", card.measured)):
        if figures:
            head = Text.assemble((title, "bold"), (f"  {figures[0].source}", "dim"))
            out().print("", head, _figures(figures), sep="\n")


def _description(card: ModelCard) -> list[tuple[str, str]]:
    from srqa.models.recognition import provider

    where = f" ({provider(card.architecture)})" if card.architecture else ""
    tiles = "" if card.halo is None else f"with {card.halo} pixels around each"
    counts = [f"{n:,}" + (f" (x{scale})" if scale else "") for scale, n in card.parameters.items()]
    return [
        ("what", card.summary),
        ("architecture", card.architecture + where),
        ("scale", _scales(card)),
        ("input", f"{card.input}, values from 0 to 1"),
        ("parameters", ", ".join(counts)),
        ("tiles", tiles + (f"; not exact: {card.inexact}" if card.inexact else "")),
        ("trained on", card.training),
        ("paper", card.paper),
        ("note", card.note),
        ("code", card.code_licence),
    ]


def _weights(card: ModelCard) -> list[tuple[str, str]]:
    from srqa import weights
    from srqa.weights.sources import megabytes

    lines = []
    for name in card.files:
        file = weights.get(name)
        here = "here" if weights.available(name) else f"get it: srqa weights pull {name}"
        size = f"{file.licence}, {megabytes(file.bytes)}, sha256 {file.sha256}"
        lines.append(("weights", f"{name}, {here} ({size})"))
    if card.kind == "network" and not card.weights:
        licence = card.weights_licence
        known = f"licence {licence}" if licence != "NOASSERTION" else "licence not stated"
        lines.append(("weights", f"you bring them: {card.where} ({known})"))
        lines.append(("run it", f"srqa upscale lr/ --model {card.name} --weights FILE"))
    elif card.kind == "network":
        lines.append(("run it", f"srqa upscale lr/ --model {card.name} --scale {card.default}"))
    return lines


def _figures(figures: tuple[Figure, ...]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("data", "scale", "PSNR-Y", "SSIM-Y"):
        table.add_column(name, no_wrap=True, justify="left" if name == "data" else "right")
    for figure in figures:
        ssim = "" if figure.ssim is None else f"{figure.ssim:.4f}"
        table.add_row(figure.data, f"x{figure.scale}", f"{figure.psnr:.2f}", ssim)
    return table


@command.command("architectures")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def architectures(as_json: bool) -> None:
    """The architectures that `--weights FILE` recognises, by whose code they run.

    \b
    srqa models architectures
    """
    from srqa.models.recognition import architectures, provider

    owners: dict[str, list[str]] = {}
    for name in architectures():
        owners.setdefault(provider(name), []).append(name)
    if as_json:
        print_json(owners)
        return
    for owner, names in sorted(owners.items(), reverse=True):
        click.echo(f"{owner}: {len(names)}")
        click.echo(click.wrap_text(", ".join(names), 100, "  ", "  "))


def _facts(card: ModelCard) -> dict[str, Any]:
    """A card for JSON, with what is here of it."""
    from srqa import weights

    files = [weights.get(name) for name in card.files]
    return asdict(card) | {
        "here": _here(card),
        "files": [
            {
                "name": file.name,
                "bytes": file.bytes,
                "sha256": file.sha256,
                "licence": file.licence,
                "here": weights.available(file.name),
            }
            for file in files
        ],
    }
