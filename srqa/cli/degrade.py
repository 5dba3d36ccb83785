"""`srqa degrade`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from srqa.cli import complain

if TYPE_CHECKING:
    from srqa.degradation.folders import Degraded

F = TypeVar("F", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)
_OWN = (
    *("sigma", "sigma_y", "angle", "length", "radius", "size"),
    *("down", "border", "photons", "noise"),
)
EXAMPLES = """\b
Presets:
  bi            MATLAB's bicubic, bit for bit; what you get without a preset
  bd            Gaussian blur of sigma 1.6, then one pixel of each s x s; x3 unless said
  dn            bicubic, then Gaussian noise of 30; x3 unless said
  jpeg          bicubic, then JPEG of quality 40
  real-esrgan   two rounds of blur, resizing, noise and JPEG, with sinc filters; x4 unless said
\b
Examples:
  srqa degrade hr/ --scale 4 --out lr/
  srqa degrade hr/ --preset bd --out lr/bd --name '{content}x{scale}.png'
  srqa degrade hr/ --scale 4 --kernel aniso --noise 5 --jpeg 40 --seed 1 --out lr/
  srqa degrade hr/ --scale 2 --kernel my_kernel.npy --noise 0:25 --out lr/
  srqa degrade hr/ --preset real-esrgan --seed 7 --pairs --crop 480 --step 240 --out pairs/
  srqa degrade hr/ --from lr/degradation.json --out again/     # the same files once more
"""


def _range(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    """A number, or two with a colon between."""
    if value is None:
        return None
    try:
        numbers = [float(part) for part in value.split(":")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise click.BadParameter(f"{value!r} is neither a number nor a range such as 0:25.")
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


def _ranged(*names: str, about: str) -> Callable[[F], F]:
    return click.option(*names, callback=_range, metavar="X|LOW:HIGH", help=about)


@click.command("degrade", epilog=EXAMPLES)
@click.argument("hr", type=_PATH)
@click.option("--scale", type=float, help="High over low resolution, any number from 1.")
@click.option("--out", type=_PATH, required=True, help="Folder for the low-resolution pictures.")
@click.option(
    "--preset",
    type=click.Choice(["bi", "bd", "dn", "jpeg", "real-esrgan"]),
    default="bi",
    show_default=True,
    help="A degradation of the literature; further options change it.",
)
@click.option(
    "--kernel",
    metavar="NAME|FILE[#N]",
    help="none, gaussian, aniso, motion, disk, or a .npy, .mat, .txt or picture of weights. Of "
    "several in a file each picture draws one, or all take the N-th.",
)
@_ranged("--sigma", about="Of gaussian and aniso, in HR pixels.  [1.6; 0.6:5]")
@_ranged("--sigma-y", about="Of aniso, the other axis.  [0.6:5]")
@_ranged("--angle", about="Of aniso and motion, in degrees.  [0:180]")
@_ranged("--length", about="Of motion, in HR pixels.  [5:25]")
@_ranged("--radius", about="Of disk, in HR pixels.  [2]")
@click.option("--kernel-size", "size", type=int, help="Taps a side of a Gaussian.")
@click.option("--normalise-kernel", is_flag=True, help="Divide a file's weights by their sum.")
@click.option(
    "--down",
    type=click.Choice(["bicubic", "bilinear", "lanczos", "area", "nearest"]),
    help="How pixels of the low resolution come about.  [bicubic]",
)
@click.option(
    "--border",
    type=click.Choice(["mirror", "clamp"]),
    help="What lies outside the picture: newer or older MATLAB.  [mirror]",
)
@_ranged("--photons", about="Poisson noise, with so many photons at white.")
@_ranged("--noise", about="Gaussian noise, in levels of 8 bits.")
@click.option("--grey-noise", "grey", is_flag=True, help="The same noise in R, G and B.")
@_ranged("--jpeg", about="Quality of JPEG, 1 to 100, the last step.")
@_ranged("--webp", about="Quality of WebP, 1 to 100, the last step.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of all chance."
)
@click.option(
    "--name",
    "pattern",
    default="{content}.png",
    show_default=True,
    metavar="PATTERN",
    help="Names of files, with {content}, {scale} and {ext}.",
)
@click.option("--pairs", is_flag=True, help="Write lr/ and hr/, cut to fit each other.")
@click.option("--crop", type=click.IntRange(min=1), help="With --pairs: HR parts of this side.")
@click.option("--step", type=click.IntRange(min=1), help="From part to part.  [the side]")
@click.option(
    "--alpha",
    type=click.Choice(["refuse", "white", "black", "drop"]),
    default="refuse",
    show_default=True,
    help="What to do with an alpha channel that is not opaque.",
)
@click.option(
    "--icc",
    type=click.Choice(["ignore", "convert"]),
    default="ignore",
    show_default=True,
    help="Colour profiles: take what is stored, or convert to sRGB.",
)
@click.option(
    "--from", "manifest", type=_PATH, help="Do again what a degradation.json describes, and check."
)
@click.option("--resume", is_flag=True, help="Make only what is missing or has changed.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads.  [all cores]")
@click.option("--dry-run", is_flag=True, help="Say what would be done to each picture.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(hr: Path, out: Path, **given: Any) -> int:
    """Make low-resolution pictures from high-resolution ones: Y = (X * H) down s + noise.

    What the scale does not divide is cut at the bottom and right. Chance hangs on the seed and on
    each picture's name alone. degradation.json in the folder says how each file was made.
    """
    running = {name: given.pop(name) for name in ("workers", "resume", "overwrite")}
    quiet = given.pop("quiet")
    if given["manifest"]:
        return _again(hr, out, given["manifest"], running, quiet)
    chosen, shared = _settings(given)
    if given["dry_run"]:
        return _show_plan(hr, chosen, shared)
    from srqa.degradation.folders import degrade_folder

    with _progress(out, quiet) as progress:
        made = degrade_folder(
            hr,
            out,
            shared,
            lambda one: one.steps(chosen, shared.seed),
            progress=progress,
            command=_command_line(),
            **running,
        )
    return _tell(made, quiet)


def _settings(given: dict[str, Any]) -> tuple[Any, Any]:
    """The degradation and the settings that options describe."""
    from srqa.degradation.api import choose, shared_settings
    from srqa.degradation.kernel_files import read_kernels
    from srqa.degradation.model import KERNELS
    from srqa.degradation.naming import Naming
    from srqa.images.read import DecodePolicy

    settings = {name: given[name] for name in _OWN if given[name] is not None}
    if given["grey"]:
        settings["grey"] = True
    if given["jpeg"] is not None and given["webp"] is not None:
        raise click.UsageError("--jpeg and --webp contradict each other.")
    for codec in ("jpeg", "webp"):
        if given[codec] is not None:
            settings |= {"codec": codec, "quality": given[codec]}
    kernel = given["kernel"]
    if kernel in KERNELS:
        settings["kernel"] = kernel
    elif kernel is not None:
        if not Path(kernel.rpartition("#")[0] or kernel).suffix:
            raise click.UsageError(
                f"There is no kernel {kernel!r}; there are {', '.join(KERNELS)}, and files."
            )
        settings["kernel"] = read_kernels(kernel, normalise=given["normalise_kernel"])
    chosen = choose(given["preset"], given["scale"], settings)
    naming = Naming(given["pattern"], given["pairs"], given["crop"] or 0, given["step"] or 0)
    policy = DecodePolicy(alpha=given["alpha"], icc=given["icc"])
    return chosen, shared_settings(chosen, given["seed"], naming, policy)


def _again(hr: Path, out: Path, manifest: Path, running: Any, quiet: bool) -> int:
    """Make again what a manifest describes, and say what came out otherwise."""
    from click.core import ParameterSource

    from srqa.degradation.api import replay

    context = click.get_current_context()
    allowed = {"hr", "out", "manifest", "resume", "overwrite", "workers", "quiet"}
    for parameter in context.command.params:
        name = str(parameter.name)
        if name not in allowed and (
            context.get_parameter_source(name) == ParameterSource.COMMANDLINE
        ):
            raise click.UsageError(
                f"{parameter.opts[-1]} cannot be given with --from: the manifest says it."
            )
    with _progress(out, quiet) as progress:
        made, differences = replay(
            manifest, hr, out, progress=progress, command=_command_line(), **running
        )
    code = _tell(made, quiet)
    for sentence in differences[:10]:
        click.echo(click.style("differs: ", fg="red") + sentence + ".", err=True)
    if differences:
        complain(
            f"{len(differences)} pictures are not those of {manifest}.",
            "Other versions of libraries may round otherwise; the manifest says which it was made "
            "with.",
        )
        return 5
    if not quiet and not code:
        click.echo(f"All are those of {manifest}, pixel for pixel.", err=True)
    return code


def _show_plan(hr: Path, chosen: Any, shared: Any) -> int:
    from srqa.degradation.api import planned
    from srqa.files import printable

    for source, steps in planned(hr, chosen, shared):
        click.echo(f"{printable(source.name)} -> {printable(source.target)}")
        for step in steps:
            click.echo(f"  {step}")
    return 0


def _progress(out: Path, quiet: bool) -> Any:
    from srqa.cli.progress import pictures

    again = f"The same command with --resume makes the rest of {out}"
    return pictures("degrading", quiet=quiet, on_interrupt=again)


def _command_line() -> str:
    import shlex

    return shlex.join(["srqa", *sys.argv[1:]])


def _tell(made: Degraded, quiet: bool) -> int:
    """What was made, on standard error; the exit code."""
    from srqa.degradation.folders import told

    failed = made.failed
    for record in failed[:10]:
        click.echo(click.style("failed: ", fg="red") + told(record), err=True)
    if len(failed) > 10:
        click.echo(f"... and {len(failed) - 10} more (failed)", err=True)
    if not quiet:
        for note in made.notes:
            click.echo(click.style("note: ", fg="yellow") + note, err=True)
        there = len(made.records) - made.made - len(failed)
        kept = f", {there} were there" if there else ""
        noun = "picture" if made.made == 1 else "pictures"
        click.echo(f"{made.made} {noun} degraded into {made.folder}{kept}.", err=True)
    if not failed:
        return 0
    rest = "; the others are made" if len(failed) < len(made.records) else ""
    complain(f"{len(failed)} of {len(made.records)} pictures failed{rest}.")
    return 5
