"""`srqa maps`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import complain, options

if TYPE_CHECKING:
    from srqa.engine.mapping import MapFile
    from srqa.engine.maps import MapSet

EXAMPLES = """\b
Maps (-m):
  error                mean of |dR|, |dG| and |dB| in levels of 8 bits
  ssim, ssim-y         1 - SSIM
  lpips, lpips-vgg, lpips-squeeze, st-lpips, st-lpips-vgg
                       differences of network features, enlarged to the picture
  mse, delta-e, flip   what these metrics average
\b
Examples:
  srqa maps outputs/ --ref hr/ --scale 4 --out maps/
  srqa maps swinir/ hat/ --ref hr/ -m lpips,ssim-y,error --peak error=32
  srqa maps outputs/ --ref hr/ -m lpips --format float      # TIFF files of the values
"""


@click.command("maps", epilog=EXAMPLES)
@click.argument("outputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.pairing
@click.option(
    "-m",
    "--metrics",
    metavar="LIST",
    help="Maps, with commas between.  [error,ssim-y,lpips]",
)
@options.reading
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("maps"),
    show_default=True,
    help="Folder for METHOD/CONTENT_MAP.png and index.html.",
)
@click.option("--resume", is_flag=True, help="Make only what is missing or has changed.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option(
    "--peak",
    "peaks",
    multiple=True,
    metavar="MAP=X",
    help="The value at the end of a map's scale, the same for all pictures. Repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["colour", "gray", "float"]),
    default="colour",
    show_default=True,
    help="PNG in colour, 16-bit PNG (65535 is the peak), or TIFF of the values.",
)
@click.option(
    "--colours",
    type=click.Choice(["inferno", "viridis", "cividis"]),
    default="inferno",
    show_default=True,
    help="From no difference to the peak.",
)
@click.option(
    "--pictures",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    help="How many contents the page shows; 0 makes no page.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [all cores]")
@click.option(
    "--memory", metavar="SIZE", help="For the maps of networks, as 8GB.  [half of what is free]"
)
@click.option("--offline", is_flag=True, help="Fetch no weights.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(outputs: tuple[Path, ...], **given: Any) -> int:
    """Where do outputs differ from their references? Answers as pictures.

    All maps of a metric have one scale, so that methods can be compared. Pictures are paired, read
    and cut as by `srqa evaluate`.
    """
    from srqa.cli.progress import pictures
    from srqa.cli.weights import fetching
    from srqa.engine.mapping import Style
    from srqa.engine.maps import make_maps
    from srqa.report.maps import check_page

    if given["ref"] is None:
        raise click.UsageError("Maps show differences from references: give --ref FOLDER.")
    peaks = _peaks(given["peaks"])
    quiet, out = given["quiet"], given["out"]
    if given["pictures"] and not given["overwrite"]:
        check_page(out)
    again = f"--resume makes the other maps of {out}"
    fetched = nullcontext() if quiet else fetching()
    with fetched as fetch, pictures("drawing", quiet=quiet, on_interrupt=again) as progress:
        made = make_maps(
            list(outputs),
            **options.collecting(given),
            out=out,
            names=given["metrics"],
            style=Style(given["form"], given["colours"], peaks),
            **options.pixels(given),
            workers=given["workers"],
            memory=given["memory"],
            offline=given["offline"],
            resume=given["resume"],
            overwrite=given["overwrite"],
            progress=progress,
            fetching=fetch,
        )
    page = _page(made, given["pictures"], quiet)
    if not quiet:
        _tell(made, page)
    return _some_failed(made)


def _peaks(given: tuple[str, ...]) -> dict[str, float]:
    """``error=32`` as a map's name and a number."""
    from srqa.metrics import maps

    peaks = {}
    for text in given:
        name, _, number = text.partition("=")
        try:
            peaks[maps.get(name).name] = float(number)
        except ValueError as error:
            raise click.UsageError(f"--peak {text!r} is not of the form MAP=NUMBER.") from error
    return peaks


def _page(made: MapSet, pictures: int, quiet: bool) -> Path | None:
    """The page that shows the maps, unless none is wanted or there is nothing to show."""
    from srqa.cli import progress
    from srqa.report.maps import write_page

    if not pictures or not any(file.facts for file in made.files):
        return None
    with progress.pictures("making the page", quiet=quiet) as done:
        return write_page(made, pictures=pictures, progress=done)


def _tell(made: MapSet, page: Path | None) -> None:
    """Remarks, maps that do not apply, and where all is, on standard error."""
    from srqa.cli.evaluate import list_absent
    from srqa.engine.results import NOT_APPLICABLE

    for note in made.notes:
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
    list_absent(_problems(f for f in made.files if f.problem.startswith(NOT_APPLICABLE)))
    new = sum(file.made for file in made.files)
    old = sum(bool(file.facts) for file in made.files) - new
    kept = f", {old} were there" if old else ""
    shown = f"; open {page} in a browser" if page else ""
    noun = "map" if new == 1 else "maps"
    click.echo(f"{new} {noun} written to {made.folder}{kept}{shown}.", err=True)


def _problems(files: Iterable[MapFile]) -> list[dict[str, str]]:
    """An entry for each picture and reason, with the names of its maps."""
    names: dict[tuple[str, str], list[str]] = {}
    for file in files:
        names.setdefault((file.item.name, file.problem), []).append(file.map.name)
    return [
        {"image": image, "metrics": ",".join(maps), "problem": problem}
        for (image, problem), maps in names.items()
    ]


def _some_failed(made: MapSet) -> int:
    from srqa.cli.evaluate import list_pictures

    list_pictures("failed", "red", _problems(made.failed))
    failed = {file.item for file in made.failed}
    if not failed:
        return 0
    items = {file.item for file in made.files}
    rest = "; the others are drawn" if len(failed) < len(items) else ""
    complain(f"{len(failed)} of {len(items)} pictures failed{rest}.")
    return 5
