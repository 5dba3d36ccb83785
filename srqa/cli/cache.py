"""`srqa cache`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from srqa.engine.cache import Cache


@click.group("cache", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Scores that are kept by the content of the pictures, so that nothing is computed twice."""


@command.command("info")
def info() -> None:
    """Where the cache lies and what it holds."""
    cache = _cache()
    facts = cache.info()
    cache.close()
    click.echo(f"{facts['path']}")
    size = facts["bytes"] / 2**20
    click.echo(f"{facts['scores']} scores of {facts['pictures']} pictures, {size:.1f} MiB")


@command.command("clear")
def clear() -> None:
    """Forget all cached scores."""
    cache = _cache()
    n = cache.clear()
    cache.close()
    click.echo(f"{n} scores forgotten.")


def _cache() -> Cache:
    from srqa.engine.cache import Cache
    from srqa.errors import OutputError

    cache = Cache()
    if cache.problem:
        raise OutputError(cache.problem, hint="Set SRQA_CACHE to a folder that can be written.")
    return cache
