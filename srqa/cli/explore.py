"""`srqa explore`."""

from __future__ import annotations

import socket
from pathlib import Path

import click

_PATH = click.Path(path_type=Path)

EXAMPLES = """\b
Examples:
  srqa explore runs/x4
  srqa explore runs/x4 --ratings results/
  srqa explore runs/old runs/new --port 8600
  srqa explore runs/fsrcnn runs/espcn                  # trainings: their curves, while they grow
"""


@click.command("explore", epilog=EXAMPLES)
@click.argument("runs", nargs=-1, required=True, type=_PATH)
@click.option("--ratings", type=_PATH, help="Human scores, for the page that compares with them.")
@click.option("--study", help="A study whose answers are the human scores: its name or folder.")
@click.option("--port", type=click.IntRange(1, 65535), default=8510, show_default=True)
@click.option(
    "--address",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; 0.0.0.0 shows the pictures to everybody in the network.",
)
def command(
    runs: tuple[Path, ...], ratings: Path | None, study: str | None, port: int, address: str
) -> None:
    """Browse a Run: leaderboard, pictures with a zoom that follows, maps, distributions.

    One Run, or two to be compared, and any number of trainings. Every view has an address that can
    be passed on. Stays until Ctrl-C.
    """
    from srqa.errors import InputError, UsageError
    from srqa.report.explorer.serving import Explored, serve
    from srqa.report.explorer.table import Table
    from srqa.report.explorer.trainings import is_training

    trainings = tuple(folder for folder in runs if is_training(folder))
    runs = tuple(folder for folder in runs if folder not in trainings)
    if len(runs) > 2:
        raise UsageError(f"One Run is explored, or two are compared, not {len(runs)}.")
    if ratings is not None and study is not None:
        raise UsageError("--ratings and --study contradict each other.")
    if ratings is not None and not ratings.exists():
        raise InputError(f"There is no file or folder {ratings}.")
    tables = tuple(Table.load(run) for run in runs)
    source = _answers(study) if study is not None else ratings
    _refuse_taken(address, port)
    host = "localhost" if address in ("0.0.0.0", "::", "127.0.0.1") else address
    click.echo(f"Open http://{host}:{port} in a browser. Ctrl-C ends it.")
    serve(Explored(tables, source, trainings), address, port)


def _answers(study: str) -> Path:
    """A table with the answers of a study, in a temporary folder."""
    import tempfile

    from srqa.ratings.tables import save
    from srqa.study.answers import collect
    from srqa.study.study import open_study

    opened = open_study(study)
    path = Path(tempfile.mkdtemp(prefix="srqa-explore-")) / "answers.csv"
    return save(collect(opened).answers, path)


def _refuse_taken(address: str, port: int) -> None:
    from srqa.errors import UsageError

    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} of {address} cannot be used: {error.strerror}.",
                hint="Choose another --port.",
            ) from error
