"""`srqa study init`, `lint`, `plan` and `schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from srqa.cli.console import out, print_json
from srqa.cli.study.options import opened, which

_PATH = click.Path(path_type=Path)
_METHODS = ("acr", "acr_hr", "dcr", "ccr", "slider", "pair", "pair_tie")


@click.command("init")
@click.argument("name")
@click.option("--images", type=_PATH, required=True, multiple=True, help="Folder of outputs.")
@click.option("--ref", type=_PATH, help="Folder of references (HR).")
@click.option("--method", type=click.Choice(_METHODS), default="acr", show_default=True,
              help="How people are asked.")  # fmt: skip
@click.option(
    "--layout", metavar="PATTERN", help="Where things stand in paths: '{method}/{content}.png'."
)
@click.option("--home", metavar="FOLDER", help="Folder of studies; ./studies without.")
def init(name: str, images: tuple[Path, ...], ref: Path | None, method: Any, layout: str | None,
         home: str | None) -> None:  # fmt: skip
    """Write a commented study.yaml for folders of pictures.

    \b
    srqa study init my-study --images outputs/ --ref hr/
    srqa study init which-one --images outputs/ --method pair
    """
    from srqa.study.starting import init_study

    file = init_study(name, images, ref, method, home, layout)
    click.echo(f"{file} was written. Read it, then: srqa study lint {name}", err=True)


@click.command("lint")
@which
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def lint(study: str, home: str | None, database: str | None, as_json: bool) -> int:
    """What is wrong with a study, or will be regretted.

    Unreadable pictures, sizes that differ, pictures that are the same, colour profiles, secrets
    that are not set, minutes a session, votes a stimulus and the intervals to be expected.
    """
    from srqa.cli.progress import pictures
    from srqa.study.lint import lint as look

    opening = opened(study, home, database, prepare=False)
    with pictures("looking at pictures") as progress:
        found = look(opening, progress)
    if as_json:
        print_json([{"level": one.level, "message": one.message} for one in found])
    else:
        colours = {"error": "red", "warning": "yellow", "fact": "green"}
        for one in found:
            click.echo(click.style(f"{one.level}: ", fg=colours[one.level]) + one.message)
        if not any(one.level == "error" for one in found):
            click.echo(
                f"Nothing keeps it from starting. Try it: srqa study simulate {study}", err=True
            )
    return 3 if any(one.level == "error" for one in found) else 0


@click.command("plan")
@which
@click.option("--participants", type=click.IntRange(1), help="Instead of participants.max.")
@click.option("--effect", type=float, help="A difference to be found: points of the scale, or JOD.")
@click.option("--power", type=float, default=0.8, show_default=True, help="The chance to find it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def plan(study: str, home: str | None, database: str | None, participants: int | None,
         effect: float | None, power: float, as_json: bool) -> None:  # fmt: skip
    """Minutes, votes and intervals to be expected of a study.

    \b
    srqa study plan my-study --participants 40
    srqa study plan my-study --effect 0.3
    """
    from dataclasses import asdict

    from srqa.report.ratings import terminal
    from srqa.study.outlook import outlook

    opening = opened(study, home, database)
    found = outlook(opening, participants)
    votes = None
    if effect is not None:
        from srqa.ratings.designs import design_study

        method: Any = opening.method.analysis
        methods = len({r["method"] for r in opening.stimuli.values() if r["role"] == "test"})
        sized = design_study(method, found.stimuli, effect, power, methods=methods)
        votes = sized.votes
    if as_json:
        print_json({**asdict(found), "votes_for_effect": votes})
        return
    lines = [
        ("stimuli", f"{found.stimuli}, {found.questions} questions about them"),
        ("a session", f"{found.trials_each} trials ({found.tests_each} count), "
                      f"{found.minutes:.0f} minutes"),
        ("gap of contents", f"{found.gap} trials"),
    ]  # fmt: skip
    if found.participants is not None:
        wide = f", intervals of about ±{found.half_width:.2f}" if found.half_width else ""
        lines.append(("participants", f"{found.participants}: {found.votes:.1f} votes a question"
                                      f"{wide}"))  # fmt: skip
    if found.needed is not None:
        half = opening.definition.stop.ci_half_width
        lines.append(
            ("for ±" + f"{half:g}", f"{found.needed_votes} votes, {found.needed} participants")
        )
    if votes is not None:
        lines.append((f"for an effect of {effect:g}", f"{votes} votes a question"))
    if found.hours is not None:
        lines.append(("all together", f"{found.hours:.1f} hours"))
    out().print(terminal.key_table(lines))


@click.command("schema")
def schema() -> None:
    """Print the JSON Schema of study.yaml, by which editors check and complete it."""
    from srqa.study.loading import schema_text

    click.echo(schema_text(), nl=False)


COMMANDS = {"init": init, "lint": lint, "plan": plan, "schema": schema}
