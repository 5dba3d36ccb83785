"""Groups of commands whose modules are imported when one of their commands is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click


def group_of(names: Sequence[str], load: Callable[[str], click.Command]) -> type[click.Group]:
    """A class of groups, for ``click.group(cls=...)``.

    Args:
        names: of the commands, in the order in which help lists them.
        load: imports one of them.
    """

    class Group(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return list(names)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return load(cmd_name) if cmd_name in names else None

        def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
            if args and not args[0].startswith("-") and args[0] not in names:
                import difflib

                near = difflib.get_close_matches(args[0], names, n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                said = f"There is no command {args[0]!r} of {self.name}.{hint}"
                raise click.UsageError(said, ctx)
            return super().resolve_command(ctx, args)

    return Group
