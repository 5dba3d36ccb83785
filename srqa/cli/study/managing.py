"""`srqa study status` and `srqa study forget`."""

from __future__ import annotations

import math

import click

from srqa.cli.console import out, print_json
from srqa.cli.study.options import opened, which


@click.command("status")
@which
@click.option("--people", is_flag=True, help="List the participants.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def status(study: str, home: str | None, database: str | None, people: bool, as_json: bool) -> None:
    """How a study stands: people, answers, intervals against the stop rule."""
    from dataclasses import asdict

    from srqa.ratings.analysis.document import without_nan
    from srqa.report.ratings import terminal
    from srqa.study import admin

    opening = opened(study, home, database)
    found = admin.progress(opening)
    if as_json:
        record = asdict(found)
        record["latest"] = found.latest.isoformat() if found.latest else None
        record["funnel"] = admin.funnel(opening)
        if people:
            record["people"] = _records(admin.participants(opening))
        print_json(without_nan(record))
        return
    states = ", ".join(f"{number} {state}" for state, number in found.participants.items())
    stop = found.stop
    wide = f"±{stop.half_width:.2f}" if math.isfinite(stop.half_width) else "no intervals yet"
    of = f" of {found.expected:,}" if found.expected else ""
    lines = [
        ("study", f"{opening.name}, {found.state}"),
        ("participants", states or "nobody yet"),
        ("answers", f"{found.answers:,}{of}, and {found.controls:,} to other trials"),
        ("votes", f"{stop.votes} or more a stimulus, {stop.min_votes} wanted"),
        ("intervals", f"{wide} for {stop.quantile:.0%} of the stimuli, "
                      f"±{stop.target:g} wanted"),
        ("stop rule", "met: there are answers enough" if stop.met else "not met"),
    ]  # fmt: skip
    out().print(terminal.key_table(lines))
    if people:
        frame = admin.participants(opening)
        out().print()
        out().print(frame.drop(columns=["synthetic"]).to_string(index=False))


@click.command("forget")
@which
@click.argument("participant", required=False)
@click.option("--external", metavar="ID", help="By the id on the crowd platform.")
@click.option("--expired", is_flag=True, help="All whose time (privacy.retain_days) is over.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(study: str, home: str | None, database: str | None, participant: str | None,
           external: str | None, expired: bool, yes: bool) -> None:  # fmt: skip
    """Erase a participant: from the database, and from results, exports and bundles of the study.

    What was made of the answers (data/results, data/exports, data/bundles) is removed and can be
    made anew. Copies elsewhere are not reached.

    \b
    srqa study forget my-study 3f9c2a1b7d4e
    srqa study forget my-study --external 5f2b6c...
    """
    from srqa.errors import InputError
    from srqa.study import privacy, tokens

    if sum((participant is not None, external is not None, expired)) != 1:
        raise click.UsageError("Name one: a participant, --external ID, or --expired.")
    opening = opened(study, home, database, prepare=False)
    if expired:
        click.echo(f"{privacy.expire(opening)} participants were erased.", err=True)
        return
    if external is not None:
        row = opening.store.participant(
            external_hash=tokens.keyed(opening.key, "external", external)
        )
        if row is None:
            raise InputError(f"Nobody with this id took part in the study {opening.name}.")
        participant = str(row["id"])
    if not yes:
        click.confirm(f"Erase {participant} for ever?", abort=True, err=True)
    removed = privacy.forget(opening, str(participant))
    click.echo(f"{participant} was erased.", err=True)
    for folder in removed:
        click.echo(f"{folder} was removed; make it anew where you need it.", err=True)


def _records(frame: object) -> list[dict[str, object]]:
    import json

    text: str = frame.to_json(orient="records", date_format="iso")  # type: ignore[attr-defined]
    found: list[dict[str, object]] = json.loads(text)
    return found


COMMANDS = {"status": status, "forget": forget}
