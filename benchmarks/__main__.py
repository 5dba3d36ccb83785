"""srqa and its rivals side by side, on the same pictures, in turns: ratios with their spread.

Each contender works in a process of its own; values are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine, tables
from benchmarks.comparison import Comparison, Row, compare
from benchmarks.sections import Setting, fastest_decoder, sections

ON_GPU = ("folders", "classical", "lpips", "methods", "batches", "naturalness")
ONLY_ON_GPU = ("batches",)
DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = """examples:
  make bench                                     all sections, some 25 minutes
  make bench ARGS='--only folders,classical --rounds 5'
  make bench ARGS='--quick'                      small pictures, to see that all runs
  make bench ARGS='--write'                      puts the tables into docs/performance.md
  make bench ARGS='--write --only memory'        one of them, and leaves the others as they are
  make bench DEVICE=cuda                         the sections that a GPU can do
"""


def main() -> int:
    """Parse, measure, print; 1 if somebody's values were wrong."""
    options = _options()
    setting = Setting(
        folder=options.pictures or Path(tempfile.mkdtemp(prefix="srqa-bench-")),
        decoder="",
        threads=options.threads,
        device=options.device,
        quick=options.quick,
    )
    if problem := _no_device(options.device):
        print(f"Skipped: {problem}", file=sys.stderr)
        return 0
    setting = fastest_decoder(setting)
    about = {"machine": machine.describe(options.device), "libraries": machine.libraries()}
    if float(about["machine"]["load"]) > 0.5:
        print(
            f"The machine is busy (load {about['machine']['load']}): ratios will spread.",
            file=sys.stderr,
        )
    measured: dict[str, list[tuple[Comparison, Sequence[Row]]]] = {}
    summary = _about(about, options.rounds)
    for name in options.only:
        measured[name], start, others = [], time.perf_counter(), machine.Others()
        for comparison in sections()[name](setting):
            print(comparison.title, file=sys.stderr)
            rows = compare(comparison, options.rounds, options.patience)
            measured[name].append((comparison, rows))
            print(tables.table(comparison, rows), flush=True)
        taken = [tables.table(*found) for found in measured[name]]
        part = "\n".join([_when(about["machine"], others.share()), *taken])
        print(f"{name}: {time.perf_counter() - start:.0f} s\n", file=sys.stderr)
        if options.json:
            text = json.dumps(tables.document(measured, about), indent=1)
            options.json.write_text(text + "\n", encoding="utf-8")
        if options.write:
            page = page_of(options.device)
            for lacking in tables.rewrite(page, {name: part, "machine": summary}):
                print(f"{page.name} has no place for {lacking}.", file=sys.stderr)
    print(summary)
    rows = [row for found in measured.values() for _, rows in found for row in rows]
    return 1 if any(row.wrong for row in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=...",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = list(sections())
    parser.add_argument("--only", type=_names, help="sections, with commas: " + ", ".join(names))
    parser.add_argument("--rounds", type=int, default=5, help="samples of each  [5]")
    parser.add_argument(
        "--patience", type=float, default=5, help="seconds for all samples of a slow one  [5]"
    )
    parser.add_argument("--threads", type=int, default=2, help="that each may use  [2]")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--quick", action="store_true", help="small pictures, few of them")
    parser.add_argument("--pictures", type=Path, help="make the pictures here, and keep them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was found")
    parser.add_argument("--write", action="store_true", help="rewrite the tables in docs/")
    options = parser.parse_args()
    options.only = options.only or sections_of(options.device)
    return options


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in sections()]:
        raise argparse.ArgumentTypeError(f"there is no section {unknown[0]!r}")
    return names


def sections_of(device: str) -> list[str]:
    """Those that are measured on a device where none is named."""
    if device == "cpu":
        return [name for name in sections() if name not in ONLY_ON_GPU]
    return [name for name in sections() if name in ON_GPU]


def page_of(device: str) -> Path:
    """Where ``--write`` puts the tables."""
    return DOCS / ("performance.md" if device == "cpu" else "performance-gpu.md")


def _no_device(device: str) -> str:
    if device == "cpu":
        return ""
    import torch

    return "" if torch.cuda.is_available() else f"torch finds no GPU for --device {device}."


def _when(facts: dict[str, str], others: float | None) -> str:
    """A section says for itself when and where, since it may have been measured alone."""
    beside = "" if others is None else f"; other programs took {others:.0%} of the cores meanwhile"
    where = facts.get("gpu") or facts["processor"]
    return f"*{facts['date']}, {where}{beside}.*\n"


def _about(about: dict[str, dict[str, str]], rounds: int) -> str:
    facts = about["machine"]
    used = ", ".join(f"{name} {v}" for name, v in about["libraries"].items() if v)
    where = ", ".join(filter(None, (facts["processor"], facts.get("gpu"), facts["system"])))
    return (
        f"Last measured on {facts['date']} on {where}; medians of up to {rounds} rounds. Each "
        f"section says when it was measured. {used}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
