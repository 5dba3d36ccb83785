"""A progress bar on standard error, silent when that is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from srqa.cli import complain


@contextmanager
def pictures(
    doing: str, *, quiet: bool = False, on_interrupt: str = "", unit: str = "pictures"
) -> Iterator[Callable[[int, int], None] | None]:
    """Give a callback for (done, all) that draws a bar with rate and time left.

    Args:
        doing: what is being done, in front of the bar.
        quiet: draw nothing.
        on_interrupt: what to do when the work is broken off, said together with how far it got.
        unit: what is counted.
    """
    from srqa.cli.console import err

    state = [0, 0]
    try:
        if quiet or not err().is_terminal:
            yield lambda done, total: state.__setitem__(slice(None), [done, total])
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Left

        bar = Progress(
            TextColumn(doing),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            Left(),
            console=err(),
            transient=True,
        )
        with bar:
            task = bar.add_task("", total=None, rate="")

            def update(done: int, total: int) -> None:
                state[:] = [done, total]
                speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
                rate = f"{speed:.1f} {unit}/s" if speed else ""
                bar.update(task, completed=done, total=total, rate=rate)

            yield update
    except KeyboardInterrupt:
        done, total = state
        what = f"after {done} of {total} {unit}" if total else f"before the first of the {unit}"
        complain(f"Interrupted {what}." + (f" {on_interrupt}." if on_interrupt else ""))
        raise SystemExit(130) from None


@contextmanager
def steps(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None] | None]:
    """Give a callback for (what is being done, how much of it, of how much) that draws a bar.

    Args:
        quiet: draw nothing.
    """
    from srqa.cli.console import err

    if quiet or not err().is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err(),
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=None)

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield update


@contextmanager
def stages(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None] | None]:
    """The same for work that the same command takes up again; a line a stage without a terminal.

    Args:
        quiet: say nothing.
    """
    from srqa.cli.console import err

    try:
        if quiet or err().is_terminal:
            with steps(quiet=quiet) as update:
                yield update
            return
        said: set[str] = set()

        def tell(what: str, done: int, total: int) -> None:
            if what not in said:
                said.add(what)
                err().print(f"{what} ...")

        yield tell
    except KeyboardInterrupt:
        complain("Interrupted.", "The same command goes on from where it was.")
        raise SystemExit(130) from None
