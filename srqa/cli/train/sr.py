"""`srqa train sr`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from srqa.training.card import Kept
    from srqa.training.journal import Record
    from srqa.training.loop import Telling

_PATH = click.Path(path_type=Path)
_RUNNING = ("device", "workers", "log_every", "validate_every", "save_every")
EXAMPLES = """\b
Networks, with their options and the values of their papers:
  srcnn      middle=5 first=64 second=32      vdsr       depth=20 features=64
  fsrcnn     d=56 s=12 m=4                    espcn      first=64 second=32
  lapsrn     depth=10 features=64             edsr       blocks=16 features=64 normalised=0
  srresnet   blocks=16 features=64            msrresnet  blocks=16 features=64
  imdn       blocks=6 features=64
\b
Examples:
  srqa train photographs photos/
  srqa train sr --model fsrcnn --scale 4 --hr photos/ --out runs/fsrcnn
  srqa train sr --model edsr --option blocks=8 --option features=32 --scale 2 --hr photos/
  srqa train sr --model srresnet --scale 4 --hr DIV2K/ --loss 'l1 + 0.1*content + 0.005*gan'
  srqa train sr --model edsr --scale 4 --hr photos/ --degradation real-esrgan --workers 4
  srqa train sr --config train.toml --out runs/mine --resume
  torchrun --nproc-per-node 2 -m srqa train sr --config train.toml --out runs/mine
"""


def _option(context: click.Context, parameter: click.Parameter, values: Any) -> dict[str, int]:
    """--option NAME=NUMBER, each a number."""
    found: dict[str, int] = {}
    for value in values:
        name, _, number = value.partition("=")
        if not name or not number.isdigit():
            raise click.BadParameter(f"{value!r} is no NAME=NUMBER.")
        found[name] = int(number)
    return found


@click.command("sr", epilog=EXAMPLES)
@click.option("--config", type=_PATH, help="A .toml of settings; options go before it.")
@click.option("-m", "--model", help="A network, see below.")
@click.option("--option", "options", multiple=True, callback=_option, metavar="NAME=NUMBER",
              help="A size of the network, see below; again for more.")  # fmt: skip
@click.option("--scale", type=int, help="High over low resolution.")
@click.option("--hr", multiple=True, help="Folder of pictures to train on; again for more.")
@click.option("--validation", multiple=True, help="Folder of pictures to validate on.")
@click.option("--hold-out", type=int, help="Of --hr, if there are none.  [a tenth, at most 8]")
@click.option("--degradation", metavar="PRESET", help="As of `srqa degrade`.  [bi]")
@click.option("--loss", help="A sum of terms, as 'l1 + 0.1*content'.  [l1]")
@click.option("--steps", type=int, help="Updates of the network.  [20000]")
@click.option("--batch", type=int, help="Patches a step, over all processes.  [16]")
@click.option("--patch", type=int, help="Their side in LR pixels.  [24]")
@click.option("--rate", type=float, help="Of Adam at the beginning.  [by the network]")
@click.option("--schedule", type=click.Choice(["cosine", "constant", "halving"]), help="[cosine]")
@click.option("--ema", type=float, help="Decay of the mean of weights, 0 for none.  [0.999]")
@click.option("--seed", type=click.IntRange(min=0), help="Of all chance.  [0]")
@click.option("--metrics", metavar="NAMES", help="Of validation, as psnr-y,lpips.  [psnr-y]")
@click.option("--start", metavar="FILE", help="A checkpoint to begin with, as far as it fits.")
@click.option("--out", type=_PATH, help="[runs/MODEL-xSCALE]")
@click.option("--resume", is_flag=True, help="Go on from the folder's checkpoint.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--full-precision", is_flag=True, help="No half precision on a GPU.")
@click.option("--threads", type=click.IntRange(min=1), help="Of the CPU.  [torch's own choice]")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True,
              help="Threads that make batches.")  # fmt: skip
@click.option("--log-every", type=click.IntRange(min=1), default=100, show_default=True)
@click.option("--validate-every", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--save-every", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="No progress bar and no remarks.")
def command(config: Path | None, out: Path | None, resume: bool, quiet: bool, **given: Any) -> None:
    """Train a network for super-resolution on a folder of pictures.

    Low resolution is made on the way, as `srqa degrade` makes it. The folder gets the network,
    which `srqa upscale --weights` runs, its card, a log in lines of JSON and a checkpoint.
    A training that was broken off goes on with --resume; on a CPU the result is the same, bit for
    bit. Under torchrun several processes share each batch.
    """
    from srqa.training import settings
    from srqa.training.loop import train

    running = _running(given)
    chosen = settings.made(_settings(config, given))
    out = out or Path("runs", f"{chosen.model}-x{chosen.scale}")
    with _telling(quiet or os.environ.get("RANK", "0") != "0", out) as telling:
        kept = train(chosen, out, running=running, resume=resume, telling=telling)
    if not quiet and os.environ.get("RANK", "0") == "0":
        _tell(kept)


def _running(given: dict[str, Any]) -> Any:
    """What decides how it is run, taken out of the options."""
    from srqa.devices import choose_device
    from srqa.training.loop import Running

    given["device"] = choose_device(given["device"])
    mixed = not given.pop("full_precision")
    if threads := given.pop("threads"):
        import torch

        torch.set_num_threads(threads)
    return Running(**{name: given.pop(name) for name in _RUNNING}, mixed=mixed)


def _settings(config: Path | None, given: dict[str, Any]) -> dict[str, Any]:
    """The file's settings, with those of the command line before them."""
    from srqa.training import settings

    found = settings.read(config) if config else {}
    if given["metrics"]:
        given["metrics"] = tuple(name.strip() for name in given["metrics"].split(","))
    said = {name: value for name, value in given.items() if value not in (None, (), {})}
    if "options" in said and isinstance(found.get("options"), dict):
        said["options"] = found["options"] | said["options"]
    if "degradation" in said:
        found.pop("degradation_settings", None)
    return found | said


@contextmanager
def _telling(quiet: bool, out: Path) -> Iterator[Telling]:

    from srqa.cli.console import err
    from srqa.cli.progress import pictures
    from srqa.cli.weights import fetching
    from srqa.training.loop import Telling

    if quiet:
        yield Telling()
        return
    hint = "The same command with --resume goes on with it"
    with (
        fetching() as fetched,
        pictures("training", on_interrupt=hint, unit="steps") as step,
    ):
        yield Telling(
            fetching=fetched,
            step=step,
            record=lambda record: _record(record) if "validation" in record else None,
            note=lambda note: err().print(f"[yellow]note:[/] {note}", soft_wrap=True),
        )


def _record(record: Record) -> None:
    """A line on standard error."""
    from srqa.cli.console import err

    scores = "  ".join(f"{name} {value:.4g}" for name, value in record["validation"].items())
    if "method" in record:
        err().print(f"{record['method']:>10}  {scores}")
        return
    loss = record["loss"]["total"]
    err().print(f"{'step':>4} {record['step']:>5}  {scores}  loss {loss:.4g}", soft_wrap=True)


def _tell(kept: Kept) -> None:
    from srqa.cli.console import err

    click.echo(kept.network)
    scores, plain = kept.facts["validation"]["network"], kept.facts["validation"]["bicubic"]
    if scores:
        told = ", ".join(f"{n} {v:.4g} (bicubic {plain[n]:.4g})" for n, v in scores.items())
        err().print(f"validation: {told}; how it was made: {kept.card.name}", soft_wrap=True)
