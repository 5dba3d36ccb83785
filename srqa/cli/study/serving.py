"""`srqa study serve` and `srqa study admin`."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

import click

from srqa.cli.study.options import opened, which

EVERYWHERE = ("0.0.0.0", "::")
_PORT = click.IntRange(1, 65535)


@click.command("serve")
@which
@click.option("--port", type=_PORT, default=8501, show_default=True)
@click.option("--address", default="0.0.0.0", show_default=True,
              help="Where to listen; 127.0.0.1 for this machine only.")  # fmt: skip
@click.option("--base-path", default="", metavar="PATH", help="Behind a proxy: /PATH.")
def serve(
    study: str, home: str | None, database: str | None, port: int, address: str, base_path: str
) -> None:
    """Serve the participants' pages until Ctrl-C; every answer acknowledged is kept.

    \b
    srqa study serve my-study --port 8501
    srqa study serve my-study --address 127.0.0.1 --base-path /study   # behind a proxy with TLS
    """
    from srqa.study.loading import secret
    from srqa.study.privacy import expire
    from srqa.study.serving import serve_participants

    _refuse_taken(address, port)
    opening = opened(study, home, database)
    platform = opening.definition.participants.platform
    if platform is not None:
        secret(platform.completion_code)
    expire(opening)
    click.echo(f"Participants of {opening.title('en')!r}: {_link(address, port, base_path)}")
    if platform is not None and platform.parameters:
        known = "&".join(f"{name}=..." for name in platform.parameters)
        click.echo(f"For {platform.name}: {_link(address, port, base_path)}?{known}")
    click.echo("Ctrl-C stops it.", err=True)
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        serve_participants(opening, address, port, base_path)
    opening.store.database.close()
    click.echo("Stopped; every answer is kept.", err=True)


@click.command("admin")
@which
@click.option("--port", type=_PORT, default=8502, show_default=True)
@click.option("--address", default="127.0.0.1", show_default=True,
              help="Where to listen; anything else lets other machines in.")  # fmt: skip
@click.option("--new-passphrase", is_flag=True, help="Set another passphrase.")
def admin(study: str, home: str | None, database: str | None, port: int, address: str,
          new_passphrase: bool) -> None:  # fmt: skip
    """Serve the researcher's pages: progress, people, flags, scores so far.

    They ask for a passphrase, which is asked for here the first time (or taken from
    SRQA_ADMIN_PASSPHRASE).
    """
    from srqa.study.passphrase import is_set
    from srqa.study.serving import serve_admin

    _refuse_taken(address, port)
    opening = opened(study, home, database)
    if new_passphrase or not is_set(opening):
        _set_passphrase(opening)
    click.echo(f"Admin of {opening.title('en')!r}: {_link(address, port, '')}")
    if address not in ("127.0.0.1", "localhost", "::1"):
        click.echo("It can be reached from other machines: put TLS in front of it.", err=True)
    click.echo("Ctrl-C stops it.", err=True)
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        serve_admin(opening, address, port)
    opening.store.database.close()
    click.echo("Stopped.", err=True)


def _set_passphrase(study: object) -> None:
    from srqa.study.passphrase import LEAST, set_

    given = os.environ.get("SRQA_ADMIN_PASSPHRASE")
    if given is None:
        if not sys.stdin.isatty():
            raise click.UsageError(
                "The admin pages need a passphrase: set SRQA_ADMIN_PASSPHRASE, or start them once "
                "in a terminal."
            )
        given = click.prompt(
            f"A passphrase for the admin pages ({LEAST} characters or more)",
            hide_input=True,
            confirmation_prompt=True,
            err=True,
        )
    set_(study, given)  # type: ignore[arg-type]


def _refuse_taken(address: str, port: int) -> None:
    from srqa.errors import UsageError

    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as trial:
        if os.name != "nt":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError as error:
            raise UsageError(
                f"Port {port} of {address} cannot be listened on: {error.strerror}.",
                hint="Name another one with --port.",
            ) from error


def _link(address: str, port: int, base: str) -> str:
    host = _own_address() if address in EVERYWHERE else address
    host = f"[{host}]" if ":" in host else host
    path = f"/{base.strip('/')}" if base.strip("/") else ""
    return f"http://{host}:{port}{path}"


def _own_address() -> str:
    """This machine's address in its network; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


COMMANDS = {"serve": serve, "admin": admin}
