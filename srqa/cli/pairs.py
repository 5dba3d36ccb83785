"""`srqa pairs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from srqa.cli import options
from srqa.cli.console import out, print_json

EXAMPLES = """\b
Rules (--pair):
  auto                  tries the ones below, from the simplest on
  path                  the same relative path
  stem                  the same name, another suffix
  strip:PREFIX*SUFFIX   outputs carry this in front and behind
  regex:PATTERN         the group (?P<content>...) of an output's path is the reference's name
  csv:FILE              columns output,reference
\b
Examples:
  srqa pairs outputs/ --ref hr/
  srqa pairs outputs/ --ref hr/ --pair 'strip:*_x4_SwinIR'
  srqa pairs outputs/ --ref hr/ --pair 'regex:(?P<content>.+?)_x4'
"""


@click.command("pairs", epilog=EXAMPLES)
@click.argument("outputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.pairing
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(outputs: tuple[Path, ...], as_json: bool, **given: Any) -> int:
    """Show which output is compared with which reference; nothing is computed."""
    from srqa.images.layout import collect

    arguments = options.collecting(given)
    strict = arguments.pop("on_missing") == "error"
    collection = collect(list(outputs), arguments.pop("ref"), on_missing="skip", **arguments)
    if as_json:
        print_json(_document(collection))
        return 3 if collection.missing and strict else 0
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("dataset", "scale", "content", "method", "output", "reference"):
        table.add_column(name, overflow="fold")
    for item in collection.items:
        scale = f"x{item.scale:g}" if item.scale else "-"
        cells = (item.dataset or "-", scale, item.content, item.method, item.name)
        table.add_row(*map(Text, cells), Text(item.reference_name or "-"))
    out().print(table)
    for used in collection.rules:
        label = " ".join(filter(None, (used.method, used.dataset)))
        click.echo(f"{label}: {used.rule} ({used.pairs} pairs)", err=True)
    for note in collection.notes:
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
    for lack in collection.missing:
        other = "reference" if lack.side == "output" else "output"
        near = f"; nearest: {', '.join(lack.candidates)}" if lack.candidates else ""
        who = f" of {lack.method}" if lack.method and lack.side == "reference" else ""
        click.echo(
            click.style("missing: ", fg="red")
            + f"the {lack.side} {lack.name} has no {other}{who}{near}",
            err=True,
        )
    if collection.ignored:
        click.echo(f"{len(collection.ignored)} files that are no pictures were ignored.", err=True)
    return 3 if collection.missing and strict else 0


def _document(collection: Any) -> dict[str, Any]:
    return {
        "pairs": [
            {
                "dataset": item.dataset,
                "content": item.content,
                "scale": item.scale,
                "method": item.method,
                "image": item.name,
                "reference": item.reference_name or None,
            }
            for item in collection.items
        ],
        "missing": [
            {"side": m.side, "method": m.method, "name": m.name, "nearest": list(m.candidates)}
            for m in collection.missing
        ],
        "rules": [
            {"method": r.method, "dataset": r.dataset, "rule": r.rule} for r in collection.rules
        ],
    }
