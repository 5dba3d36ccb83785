"""Progress of one stage among several."""

from __future__ import annotations

from collections.abc import Callable

from srqa.engine.leaderboard import Progress


def stage(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    """What a stage calls with (done, of how many), or None where nobody listens."""
    return (lambda done, total: progress(what, done, total)) if progress else None
