"""`srqa metrics`."""

from __future__ import annotations

import math
from typing import Any

import click

from srqa.cli.console import out, print_json

_KINDS = {"fr": "full reference", "nr": "no reference", "lr": "against the low-resolution input"}


@click.group("metrics", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """What can be computed.

    \b
    srqa metrics list --kind fr
    srqa metrics show ssim-y
    """


@command.command("list")
@click.option("--kind", type=click.Choice(["fr", "nr", "lr"]), help="Only of this kind.")
@click.option("--licence", type=click.Choice(["permissive"]), help="Only what may be used freely.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_metrics(kind: Any, licence: str | None, as_json: bool) -> None:
    """All metrics, a line each."""
    from srqa.metrics.api import select

    specs = select(kind, licence)
    if as_json:
        print_json([_facts(spec) for spec in specs])
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("name", "kind", "better", "input", "licence", "what it is"):
        table.add_column(name, no_wrap=name != "what it is")
    for spec in specs:
        better = "higher" if spec.higher_is_better else "lower"
        table.add_row(spec.name, spec.kind, better, spec.input, spec.code_licence, spec.summary)
    out().print(table)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, as_json: bool) -> None:
    """One metric: how it is defined, what it is good for, where it misleads."""
    from srqa.metrics import registry

    spec = registry.get(name)
    if as_json:
        print_json(_facts(spec))
        return
    low, high = (f"{end:g}" if math.isfinite(end) else "unbounded" for end in spec.bounds)
    lines = {
        "what": spec.summary,
        "kind": _KINDS[spec.kind],
        "input": spec.input,
        "settings": spec.settings,
        "better": "higher" if spec.higher_is_better else "lower",
        "range": f"{low} to {high}" + (f" {spec.unit}" if spec.unit else ""),
        "smallest": f"{spec.min_side} pixels a side",
        "border": "cut as the protocol says" if spec.crop == "protocol" else "never cut",
        "gradients": "yes" if spec.differentiable else "no",
        "computed by": spec.provider or "srqa",
        "licence": spec.code_licence,
        "paper": spec.paper,
        "guidance": spec.guidance,
    }
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column()
    for label, text in lines.items():
        if text:
            table.add_row(label, Text(text))
    out().print(Text(spec.name, style="bold"), table, sep="\n")


def _facts(spec: Any) -> dict[str, Any]:
    names = (
        "name version summary kind input level crop rounding higher_is_better unit min_side "
        "additive batchable differentiable code_licence weights provider settings paper guidance"
    )
    facts = {name: getattr(spec, name) for name in names.split()}
    return facts | {"bounds": [end if math.isfinite(end) else None for end in spec.bounds]}
