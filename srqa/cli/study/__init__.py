"""`srqa study`: one file a group of its commands."""

from __future__ import annotations

from importlib import import_module

import click

from srqa.cli.groups import group_of

_COMMANDS = {
    "init": "making",
    "lint": "making",
    "plan": "making",
    "schema": "making",
    "simulate": "trying",
    "serve": "serving",
    "admin": "serving",
    "status": "managing",
    "forget": "managing",
    "analyze": "results",
    "report": "results",
    "export": "results",
    "import": "results",
    "bundle": "bundles",
    "verify": "bundles",
}


def _load(name: str) -> click.Command:
    found: click.Command = import_module(f"srqa.cli.study.{_COMMANDS[name]}").COMMANDS[name]
    return found


@click.group(
    "study",
    cls=group_of(list(_COMMANDS), _load),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def command() -> None:
    """Ask people: a study of image quality in the browser, from the plan to the results.

    \b
    srqa study init my-study --images outputs/ --ref hr/
    srqa study lint my-study
    srqa study simulate my-study --observers 24
    srqa study serve my-study --port 8501
    srqa study admin my-study --port 8502
    srqa study analyze my-study
    """
