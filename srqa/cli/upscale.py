"""`srqa upscale`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from srqa.cli import complain

if TYPE_CHECKING:
    from srqa.models.folders import Upscaled

EXAMPLES = """\b
Examples:
  srqa upscale lr/ --model dat-light --scale 4 --out outputs/dat-light
  srqa upscale photo.jpg --model real-esrgan-x4plus --ensemble
  srqa upscale lr/ --weights my_swinir.pth             # the architecture is recognised
  srqa upscale photo.png --model bicubic --scale 3.37
  srqa upscale photo.png --model real-esrgan-x4plus --outscale 2.5 --format webp
  srqa upscale large.tif --model dat-light --tile 256 --format tiff --device cuda
  srqa upscale lr/ --model dat-light --out outputs/dat-light --resume
"""


class _Tile(click.ParamType[Any]):
    name = "tile"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return value if value is None or isinstance(value, int) else tile(value)


def tile(text: str) -> Any:
    """What --tile says: "auto", None for "none", or a number of pixels."""
    if text in ("auto", "none"):
        return None if text == "none" else text
    if not text.isdigit():
        raise click.BadParameter(f"{text!r} is neither auto nor none nor a number of pixels.")
    return int(text)


@click.command("upscale", epilog=EXAMPLES)
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-m", "--model", default="", help="A model of `srqa models list`.")
@click.option("--weights", type=click.Path(path_type=Path), help="A checkpoint of your own.")
@click.option("--scale", type=float, help="The factor.  [the model's largest]")
@click.option("--outscale", type=float, help="Of the result: resized from the model's.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A folder, or a file for one picture.  [beside the picture; outputs/MODEL for a folder]",
)
@click.option(
    "--name",
    metavar="PATTERN",
    help="What results are called, of {name} {model} {scale} {suffix}.  ['{name}' in a folder, "
    "else '{name}_{model}']",
)
@click.option("--format", type=click.Choice(["png", "jpg", "webp", "tiff"]), help="[png]")
@click.option(
    "--quality",
    type=click.IntRange(1, 100),
    default=95,
    show_default=True,
    help="Of jpg and webp; 100 makes webp lossless.",
)
@click.option(
    "--tile",
    type=_Tile(),
    default="auto",
    show_default=True,
    metavar="auto|none|N",
    help="Side of the tiles, in pixels of the input; auto: by the memory that is free.",
)
@click.option("--overlap", type=int, help="Pixels around each tile.  [as far as the model looks]")
@click.option("--batch", type=int, help="Tiles computed together.  [1 on a CPU, else 4]")
@click.option("--ensemble", is_flag=True, help="Mean over the 8 turns and mirrorings of the input.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "float16", "bfloat16"]),
    default="auto",
    show_default=True,
    help="In which networks compute; auto: half on a GPU where the model is known to be safe.",
)
@click.option("--threads", type=int, help="Of the CPU.  [all cores]")
@click.option("--memory", metavar="SIZE", help="What may be taken, as 8GB.  [half of what is free]")
@click.option("--resume", is_flag=True, help="Go on: what is done is not done again.")
@click.option("--overwrite", is_flag=True, help="Replace results that are there.")
@click.option("--offline", is_flag=True, help="Fetch no weights.")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(pictures: tuple[Path, ...], as_json: bool, quiet: bool, **given: Any) -> int:
    """Enlarge pictures with a trained network or a classical method.

    PICTURES are files or folders. 16 bits stay 16, grey stays grey, alpha is enlarged by bicubic
    interpolation, EXIF and colour profile are kept. A manifest beside the results says how they
    were made.
    """
    from contextlib import nullcontext

    from srqa.cli.console import print_json, reader_may_leave
    from srqa.cli.weights import fetching
    from srqa.models.upscaling import upscale_files

    several = len(pictures) > 1 or pictures[0].is_dir()
    with nullcontext() if quiet else fetching() as fetched, _bar(several, quiet) as progress:
        made = upscale_files(list(pictures), progress=progress, fetching=fetched, **given)
    with reader_may_leave():
        if as_json:
            print_json(_document(made))
        elif not several:
            for path in made.outputs:
                click.echo(path)
    if not quiet:
        _remarks(made)
    return _failures(made)


def _bar(several: bool, quiet: bool) -> Any:
    from srqa.cli.progress import pictures

    unit = "pictures" if several else "tiles"
    hint = "The same command with --resume goes on with it" if several else ""
    return pictures("enlarging", quiet=quiet, on_interrupt=hint, unit=unit)


def _document(made: Upscaled) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "manifest": str(made.manifest),
        "settings": made.settings,
        "pictures": [asdict(row) for row in made.rows],
        "notes": list(made.notes),
    }


def _remarks(made: Upscaled) -> None:
    for note in made.notes:
        click.echo(click.style("note: ", fg="yellow") + note, err=True)
    done = len(made.outputs)
    pictures = "1 picture" if done == 1 else f"{done} pictures"
    scale = made.settings["outscale"] or made.settings["scale"]
    facts = f"{made.settings['model']} x{scale:g}"
    if done:
        facts += f", {made.seconds_a_megapixel:.2f} s a megapixel"
    if made.kept:
        facts += f", {made.kept} of them from before"
    click.echo(f"{pictures} in {made.folder} ({facts}); how: {made.manifest.name}", err=True)


def _failures(made: Upscaled) -> int:
    for row in made.problems[:10]:
        click.echo(click.style("failed: ", fg="red") + row.problem, err=True)
    failed = len(made.problems)
    if not failed:
        return 0
    if failed > 10:
        click.echo(f"... and {failed - 10} more (failed)", err=True)
    rest = "; the others are written" if failed < len(made.rows) else ""
    complain(f"{failed} of {len(made.rows)} pictures failed{rest}.")
    return 5
