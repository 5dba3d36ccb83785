"""Rich consoles for standard output and standard error."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


@lru_cache(maxsize=1)
def out() -> Console:
    """Standard output; a pipe or file gets lines as long as they need to be."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to the program, whose exit code still counts, instead of exiting with 1."""
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    return Output(highlight=False, width=None if sys.stdout.isatty() else 10_000)


def print_json(document: Any) -> None:
    """One JSON document on standard output, in ASCII where that is all it takes."""
    import json

    encoding = (sys.stdout.encoding or "ascii").lower()
    click.echo(json.dumps(document, ensure_ascii=not encoding.startswith("utf")))


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Go on when whoever reads standard output has gone: the exit code still counts."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        print_nowhere()


def print_nowhere() -> None:
    """What is still to be printed goes nowhere, so that the interpreter's end does not complain."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


@lru_cache(maxsize=1)
def err() -> Console:
    """Standard error."""
    from rich.console import Console

    return Console(highlight=False, stderr=True)
