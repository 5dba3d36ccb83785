"""Contenders side by side: agreement first, then samples in turns, then ratios."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.contender import Absent, Contender, Process, Sample, Values

OWN = "srqa"
"""Whose values the others must equal: the first contender with this beginning of its name."""


@dataclass(frozen=True)
class Target:
    """What is wanted: the time of `slow` over that of `fast` within [`least`, `most`]."""

    slow: str
    fast: str
    least: float = 0.0
    most: float = math.inf

    @property
    def wanted(self) -> str:
        """In words."""
        return f"at least {self.least:g}" if self.least else f"at most {self.most:g}"


@dataclass(frozen=True)
class Limit:
    """What is wanted: a number of one contender, in its own unit, at most `most`."""

    name: str
    most: float
    quantity: str = "seconds"


@dataclass(frozen=True)
class Slope:
    """A row that is the difference of two contenders, over the difference of their units.

    Start-up, which both have, drops out.
    """

    name: str
    long: str
    short: str


@dataclass(frozen=True)
class Comparison:
    """Contenders that do the same.

    Attributes:
        title: of the table.
        contenders: in the order of the table.
        base: the one whose time is 1 in the table.
        unit: what a contender's `units` count.
        tolerance: how far values may be from srqa's, absolute or relative, whichever is larger.
        slopes: further rows.
        targets: what is wanted, shown under the table.
        threads: that each may use.
        note: one sentence under the table.
        patience: seconds for all samples of a slow contender, where more are worth it than usual.
    """

    title: str
    contenders: tuple[Contender, ...]
    base: str = OWN
    unit: str = "pair"
    tolerance: float = 1e-5
    slopes: tuple[Slope, ...] = ()
    targets: tuple[Target | Limit, ...] = ()
    threads: int = 2
    note: str = ""
    patience: float = 0


@dataclass
class Row:
    """What was found of one contender, for one unit; one number a round."""

    name: str
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peak: int = 0
    values: Values = field(default_factory=dict)
    apart: float | None = None
    differs: str = ""
    absent: str = ""
    whole: bool = False

    @property
    def wrong(self) -> bool:
        """It should have srqa's values and has not, so its time means nothing."""
        return bool(self.absent) and self.absent.startswith(_DISAGREES)


_DISAGREES = "disagrees"


@dataclass(frozen=True)
class Ratio:
    """Median, least and largest of the rounds' ratios."""

    median: float
    low: float
    high: float


def ratio(of: Sequence[float], to: Sequence[float]) -> Ratio | None:
    """Ratios of samples that were taken in the same rounds."""
    found = [a / b for a, b in zip(of, to, strict=False) if b > 0]
    return Ratio(statistics.median(found), min(found), max(found)) if found else None


def compare(comparison: Comparison, rounds: int, patience: float) -> list[Row]:
    """Measure.

    Args:
        comparison: what.
        rounds: samples of each contender.
        patience: seconds after which a slow contender takes part in no further rounds, though in
            two at least, unless the first call alone took twice as long.
    """
    patience = max(patience, comparison.patience)
    rows = {c.name: Row(c.name, differs=c.differs, whole=c.whole) for c in comparison.contenders}
    spent = dict.fromkeys(rows, 0.0)
    with ExitStack() as stack:
        running = {
            contender.name: stack.enter_context(Process(contender, comparison.threads))
            for contender in comparison.contenders
        }
        for name, process in running.items():  # they prepare side by side, nothing is timed yet
            try:
                process.ready()
            except Absent as reason:
                rows[name].absent = str(reason)
        for contender in comparison.contenders:
            row = rows[contender.name]
            if row.absent:
                continue
            _say(f"  {contender.name}")
            try:
                first = running[contender.name].sample()
            except Absent as reason:
                row.absent = str(reason)
                continue
            row.peak, row.values = first.peak, first.values
            spent[contender.name] = first.seconds
            if first.seconds > 2 * patience:  # so slow that the first call must do
                _add(row, first, contender.units)
        _check_agreement(rows, comparison)
        for _ in range(rounds):
            for contender in comparison.contenders:
                row = rows[contender.name]
                enough = len(row.seconds) >= (2 if spent[contender.name] < 2 * patience else 1)
                if row.absent or (enough and spent[contender.name] > patience):
                    continue
                start = time.perf_counter()
                _add(row, running[contender.name].sample(), contender.units)
                spent[contender.name] += time.perf_counter() - start
    return [*rows.values(), *(_slope(s, rows, comparison) for s in comparison.slopes)]


def _add(row: Row, sample: Sample, units: float) -> None:
    row.seconds.append(sample.seconds / units)
    row.processor.append(sample.processor / units)


def _check_agreement(rows: Mapping[str, Row], comparison: Comparison) -> None:
    """Of each rival with srqa on as many units (pictures of its size, pairs), else with any."""
    units = {c.name: c.units for c in comparison.contenders}
    ours = [n for n, row in rows.items() if n.startswith(OWN) and not row.absent]
    for name, row in rows.items():
        alike = sorted(ours, key=lambda our: units[our] != units[name])
        own = rows[alike[0]].values if alike else {}
        both = [key for key in own if key in row.values]
        if name.startswith(OWN) or not both:
            continue
        away = [
            abs(row.values[key] - own[key]) / max(1.0, abs(own[key]))
            if math.isfinite(row.values[key])
            else math.inf
            for key in both
        ]
        row.apart = max(away)
        if row.apart > comparison.tolerance and not row.differs:
            worst = both[away.index(row.apart)]
            row.absent = (
                f"{_DISAGREES}: {worst} is {row.values[worst]:.6g}, not {own[worst]:.6g}, "
                "so it is not timed"
            )


def _slope(slope: Slope, rows: Mapping[str, Row], comparison: Comparison) -> Row:
    units = {c.name: c.units for c in comparison.contenders}
    long, short = rows[slope.long], rows[slope.short]
    more = units[slope.long] - units[slope.short]

    def differences(of: list[float], less: list[float]) -> list[float]:
        pairs = zip(of, less, strict=False)
        return [(a * units[slope.long] - b * units[slope.short]) / more for a, b in pairs]

    return Row(
        slope.name,
        differences(long.seconds, short.seconds),
        differences(long.processor, short.processor),
        absent=long.absent or short.absent,
    )


def reached(target: Target | Limit, rows: Sequence[Row]) -> tuple[str, bool | None]:
    """A target in words with what was found, and whether it is reached; None if not measured."""
    found = {row.name: row for row in rows}
    if isinstance(target, Limit):
        row = found.get(target.name)
        if row is None or row.absent or not row.seconds:
            return f"{target.name}: not measured", None
        if target.quantity == "peak":
            text = f"{target.name}: at most {target.most / 1e9:g} GB of memory"
            return f"{text}; {row.peak / 1e9:.2f} GB", row.peak <= target.most
        seconds = statistics.median(row.seconds)
        text = f"{target.name}: at most {target.most:g} s"
        return f"{text}; {seconds:.2f} s", seconds <= target.most
    slow, fast = (found.get(name) for name in (target.slow, target.fast))
    text = f"{target.slow} / {target.fast}: {target.wanted}"
    measured = slow and fast and not (slow.absent or fast.absent)
    found_ratio = ratio(slow.seconds, fast.seconds) if slow and fast and measured else None
    if found_ratio is None:
        return f"{text}; not measured", None
    shown = f"{found_ratio.median:.3g} ({found_ratio.low:.3g} to {found_ratio.high:.3g})"
    # A slope may come out below 0 where a further pair costs next to nothing.
    enough = not target.least or target.least <= found_ratio.median
    return f"{text}; {shown}", enough and found_ratio.median <= target.most


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
