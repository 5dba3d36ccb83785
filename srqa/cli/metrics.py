"""`srqa metrics`."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import click

from srqa.cli.console import out, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from srqa.metrics.spec import MetricSpec

_KINDS = {"fr": "full reference", "nr": "no reference", "lr": "against the low-resolution input"}
_LEVELS = {"image": "a value per image", "set": "one value for the whole set"}
_WIDE = 130
"""Columns of the terminal from which `list` shows licences in full."""


@click.group("metrics", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """What can be computed, how it is defined, and how far to trust it.

    \b
    srqa metrics list --kind nr --licence permissive
    srqa metrics show lpips
    """


@command.command("list")
@click.option("--kind", type=click.Choice(["fr", "nr", "lr"]), help="Only of this kind.")
@click.option(
    "--level", type=click.Choice(["image", "set"]), help="Only with a value per image, or per set."
)
@click.option(
    "--licence",
    type=click.Choice(["permissive"]),
    help="Only those whose code and trained numbers may be used for any purpose.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_metrics(kind: Any, level: Any, licence: Any, as_json: bool) -> None:
    """All metrics, a line each.

    \b
    srqa metrics list
    srqa metrics list --kind nr --licence permissive
    srqa metrics list --level set

    "free": code and trained numbers may be used for any purpose, commercial ones too. The
    licences themselves: `srqa metrics show NAME`.
    """
    from srqa.metrics.api import select

    specs = select(kind, licence, level)
    if as_json:
        print_json([_facts(spec) for spec in specs])
        return
    if not specs:
        click.echo("No metric is of this kind.")
        return
    out().print(_overview(specs, wide=out().width >= _WIDE))


def _overview(specs: Any, wide: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    from srqa.metrics.licences import permissive, weights_licences

    table = Table(box=None, pad_edge=False)
    more = ["level", "input", "code", "weights"] if wide else []
    for name in ("name", "kind", "better", "free", *more, "what it is"):
        table.add_column(name, no_wrap=name != "what it is")
    for spec in specs:
        row = [
            spec.name,
            spec.kind,
            "higher" if spec.higher_is_better else "lower",
            "yes" if permissive(spec) else "no",
        ]
        if wide:
            weights = " AND ".join(weights_licences(spec))
            row += [spec.level, spec.input, spec.code_licence, weights or "-"]
        table.add_row(*row, Text(spec.summary))
    return table


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, as_json: bool) -> None:
    """One metric: how it is defined, what it is good for, where it misleads.

    \b
    srqa metrics show niqe
    srqa metrics show lpips --json
    """
    from rich.table import Table
    from rich.text import Text

    from srqa.metrics import registry

    spec = registry.get(name)
    if as_json:
        print_json(_facts(spec))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, text in [*_definition(spec), *_means(spec)]:
        if text:
            table.add_row(label, Text(text))
    out().print(Text(spec.name, style="bold"), table, sep="\n")
    if spec.agreement:
        out().print("", Text("agreement with people", style="bold"), _agreement(spec), sep="\n")


def _definition(spec: MetricSpec) -> list[tuple[str, str]]:
    return [
        ("what", spec.summary),
        ("kind", f"{_KINDS[spec.kind]}, {_LEVELS[spec.level]}"),
        ("input", spec.input),
        ("settings", spec.settings),
        ("better", "higher" if spec.higher_is_better else "lower"),
        ("range", _range(spec)),
        ("smallest", f"{spec.min_side} pixels a side"),
        ("border", "cut as the protocol says" if spec.crop == "protocol" else "never cut"),
        ("tiles", _tiles(spec)),
        ("gradients", "yes" if spec.differentiable else "no"),
        ("paper", spec.paper),
        ("guidance", spec.guidance),
    ]


def _range(spec: MetricSpec) -> str:
    low, high = spec.bounds
    unit = f" {spec.unit}" if spec.unit else ""
    if math.isfinite(low) and math.isfinite(high):
        return f"{low:g} to {high:g}{unit}"
    if math.isfinite(low):
        return f"{low:g}{unit} and above"
    return f"{high:g}{unit} and below" if math.isfinite(high) else "unbounded"


def _tiles(spec: MetricSpec) -> str:
    if spec.level == "set":
        return ""
    return f"no: {spec.whole}" if spec.whole else "large pictures in parts, with the same value"


def _means(spec: MetricSpec) -> list[tuple[str, str]]:
    """What is needed to compute it, and under which licences."""
    from srqa import weights
    from srqa.metrics import licences
    from srqa.weights.sources import megabytes

    lines = [("computed by", _provider(spec)), ("code", spec.code_licence)]
    for name in spec.weights:
        file = weights.get(name)
        here = "here" if weights.available(name) else f"get it: srqa weights pull {name}"
        lines.append(("weights", f"{name} ({file.licence}, {megabytes(file.bytes)}), {here}"))
    if spec.weights_licence:
        owner = f"got by {spec.provider}" if spec.provider else "inside srqa, see NOTICE"
        lines.append(("weights", f"{spec.weights_licence}, {owner}"))
    if licences.needs_acceptance(spec):
        why = f"no commercial purposes: {licences.restrictions(spec)}"
        lines.append(("needs", f"--accept-licence, for it may serve {why}"))
    if spec.given:
        lines.append(("needs", f"a number that you supply for each output: --{spec.given} FILE"))
    return lines


def _provider(spec: MetricSpec) -> str:
    from importlib.metadata import PackageNotFoundError, version

    if not spec.provider:
        return "srqa"
    try:
        return f"{spec.provider} {version(spec.provider)}"
    except PackageNotFoundError:
        wanted = f"srqa[{spec.extra}]" if spec.extra else spec.provider
        return f"{spec.provider}, which is not installed: pip install '{wanted}'"


def _agreement(spec: MetricSpec) -> Table:
    from rich.table import Table
    from rich.text import Text

    from srqa.metrics.agreement import figure

    table = Table(box=None, pad_edge=False)
    for name in ("measure", "value", "people"):
        table.add_column(name, no_wrap=True, justify="left" if name == "measure" else "right")
    table.add_column("on")
    table.add_column("source", style="dim")
    for entry in spec.agreement:
        people = "" if entry.ceiling is None else figure(entry.ceiling, entry.measure)
        value = figure(entry.value, entry.measure)
        table.add_row(entry.measure, value, people, Text(entry.data), Text(entry.source))
    return table


def _facts(spec: MetricSpec) -> dict[str, Any]:
    """All of a spec that is no function, for JSON."""
    from srqa import weights
    from srqa.metrics.licences import permissive

    left_out = {"function", "finish", "gather"}
    facts = {f.name: getattr(spec, f.name) for f in fields(spec) if f.name not in left_out}
    files = [weights.get(name) for name in spec.weights]
    return facts | {
        "bounds": [end if math.isfinite(end) else None for end in spec.bounds],
        "alert": spec.alert and {"beyond": spec.alert[0], "meaning": spec.alert[1]},
        "agreement": [asdict(entry) for entry in spec.agreement],
        "weights": [
            {
                "name": file.name,
                "licence": file.licence,
                "bytes": file.bytes,
                "here": weights.available(file.name),
            }
            for file in files
        ],
        "permissive": permissive(spec),
    }
