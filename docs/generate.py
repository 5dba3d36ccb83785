"""Write docs/metrics.md and the tables in weights, choosing, models, findings and srqa-nr.md.

Run ``python docs/generate.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

from srqa import models, weights
from srqa.metrics import agreement, licences
from srqa.metrics.catalog import CATALOG
from srqa.metrics.spec import Agreement, MetricSpec

PAGE = Path(__file__).parent / "metrics.md"
WEIGHTS_PAGE = Path(__file__).parent / "weights.md"
CHOOSING_PAGE = Path(__file__).parent / "choosing.md"
MODELS_PAGE = Path(__file__).parent / "models.md"
FINDINGS_PAGE = Path(__file__).parent / "findings.md"
NR_PAGE = Path(__file__).parent / "srqa-nr.md"
START, END = "<!-- made by docs/generate.py -->\n", "<!-- end -->\n"

HEAD = """# Metrics

*Made from the catalog by `python docs/generate.py`; `srqa metrics show NAME` prints the same.*

**Which one should I trust? See [choosing.md](choosing.md).**

Kinds: `fr` compares with the reference, `nr` needs none, `lr` compares with the low-resolution
input. A metric "with border cut" belongs to the fidelity family, whose border is cut as the
[protocol](protocols.md) says. Names of other toolboxes are understood: `psnry` is `psnr-y`, `ssimc`
is `ssim`. Licences of trained numbers: [weights.md](weights.md).

Agreement with people. 2AFC: {0}. SROCC: {1}. Only
figures that were read where they were measured, or in two places; none means that none is certain.

| name | kind | better | what it is |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [
        f"| [`{s.name}`](#{s.name}) | {s.kind} | {'higher' if s.higher_is_better else 'lower'} "
        f"| {s.summary}{' (one value for the set)' if s.level == 'set' else ''} |"
        for s in CATALOG
    ]
    head = HEAD.format(agreement.MEANINGS["2AFC"], agreement.MEANINGS["SROCC"])
    return head + "\n".join(rows) + "\n\n" + "\n".join(_section(spec) for spec in CATALOG)


def _section(spec: MetricSpec) -> str:
    facts = [
        f"input {spec.input}",
        "border cut" if spec.crop == "protocol" else "whole picture",
        f"from {spec.min_side} pixels a side",
        "differentiable" if spec.differentiable else "no gradients",
        f"computed by {_provider(spec)}",
    ]
    if spec.level == "set":
        facts.insert(0, "one value for the set")
    lines = [f"## {spec.name}", "", f"{_sentence(spec.summary)} *{', '.join(facts)}.*", ""]
    for label, text in (
        ("Settings", spec.settings),
        ("Source", spec.paper),
        ("Licence", _licence(spec)),
        ("Tiles", f"none, {spec.whole}" if spec.whole else ""),
    ):
        if text:
            lines.append(f"- {label}: {text}")
    lines += [f"- Agreement with people: {_agreement(entry)}" for entry in spec.agreement]
    if spec.guidance:
        lines += ["", spec.guidance]
    return "\n".join(lines) + "\n"


def _provider(spec: MetricSpec) -> str:
    extra = f" (`pip install srqa[{spec.extra}]`)" if spec.extra else ""
    return (spec.provider or "srqa") + extra


def _licence(spec: MetricSpec) -> str:
    """Of code and trained numbers, where there is more to say than the licence of srqa."""
    trained = " AND ".join(licences.weights_licences(spec))
    if not trained and spec.code_licence == "Apache-2.0":
        return ""
    accept = "; needs `--accept-licence`" if licences.needs_acceptance(spec) else ""
    return (
        f"code {spec.code_licence}" + (f", trained numbers {trained}" if trained else "") + accept
    )


def _agreement(entry: Agreement) -> str:
    return f"{agreement.sentence(entry)} ({entry.source})"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def weights_page() -> str:
    """docs/weights.md with its table as the manifest has it."""
    rows = [
        f"| `{file.name}` | {file.summary} | {_size(file.bytes)} | {file.licence} |"
        for file in weights.files()
    ]
    return _with_table(WEIGHTS_PAGE, "| name | what | size | licence |\n|---|---|---|---|\n", rows)


def choosing_page() -> str:
    """docs/choosing.md with its table as the catalog has it."""
    columns = ("BAPPS", "PIPAL", "TID2013")
    rows = []
    for spec in CATALOG:
        cells = [_figure_on(spec, data) for data in columns]
        if any(cells[:2]):
            rows.append(f"| `{spec.name}` | {' | '.join(cells)} |")
    head = "| metric | BAPPS, choices | PIPAL, rank correlation | TID2013, rank correlation |\n"
    return _with_table(CHOOSING_PAGE, head + "|---|---|---|---|\n", rows)


def models_page() -> str:
    """docs/models.md with its table as the zoo has it."""
    head = "| model | what | scale | weights, licence | Set5 published | measured |\n"
    rows = [
        f"| `{card.name}` | {card.summary} | {_scales(card)} | {_source(card)} "
        f"| {_psnr(card.published)} | {_psnr(card.measured)} |"
        for card in models.cards()
    ]
    return _with_table(MODELS_PAGE, head + "|---|---|---|---|---|---|\n", rows)


def findings_page() -> str:
    """docs/findings.md with the tables of our own runs."""
    from srqa import assets
    from studies import tables
    from studies.batchnorm import telling as of_batchnorm
    from studies.losses import telling as of_losses
    from studies.synthetic.conditions import CONDITIONS
    from studies.synthetic.falls import Fall, of, table

    rows = tables.read(assets.path("studies/synthetic/falls.csv"), Fall)
    words = {condition.name: condition.words for condition in CONDITIONS}
    falls = "\n".join(table(of(rows, metric), words) for metric in ("psnr-y", "lpips"))
    losses = of_losses.table(assets.path("studies/losses"))
    folder = assets.path("studies/batchnorm")
    blocks = of_batchnorm.scores(folder) + "\n" + of_batchnorm.measured(folder)
    return _with_tables(FINDINGS_PAGE, falls, losses, blocks)


_GUARDS = {
    "noise": "noise of 10 levels lowers the score",
    "sharpening": "an unsharp mask, four times the detail of sigma 1.2, lowers it",
    "checkerboard": "a checkerboard of 2 pixels, 8 levels up and down, lowers it",
    "nearest x2": "nearest-neighbour enlargement x2 lowers it",
    "nearest x3": "x3",
    "nearest x4": "x4",
    "jpeg": "JPEG of quality 50, 20 and 8: it falls step by step",
    "blur": "blur of sigma 1.5, 3 and 6: it falls step by step",
}
"""What each of `srqa.training.nr.guards` is, in words."""


def nr_page() -> str:
    """docs/srqa-nr.md with the figures of the card of the head that travels."""
    from srqa import assets

    found = json.loads(assets.path("metrics/data/srqa-nr.json").read_text(encoding="utf-8"))
    low, high = found["srocc interval"]
    text = (
        f"Rank correlation with the labels, mean over places: {found['srocc']:.3f} (95 % {low:.3f} "
        f"to {high:.3f}).\nPairs of outputs of one input that are ordered as the labels have them: "
        f"{found['one input']:.1%}.\nSamples that score below their pristine crop: "
        f"{found['pristine']:.1%}.\n\n| guard | crops that pass | 95 % interval |\n|---|---|---|\n"
    )
    rows = [
        f"| {words} | {found['guards'][name]:.1%} | {_range(found['guards interval'][name])} |"
        for name, words in _GUARDS.items()
    ]
    kinds = sorted(found["series"].items(), key=lambda each: each[1])
    steps = ", ".join(f"{kind} {share:.0%}" for kind, share in kinds)
    more = f"\n\nSteps of artefacts that score below the step before: {steps}."
    return _with_tables(NR_PAGE, text + "\n".join(rows) + more)


def _range(interval: list[float]) -> str:
    low, high = interval
    return f"{low:.1%} to {high:.1%}" if low < high else ""


def _with_table(path: Path, head: str, rows: list[str]) -> str:
    """The page with the table between its two marks."""
    return _with_tables(path, head + "\n".join(rows))


def _with_tables(path: Path, *tables: str) -> str:
    """The page with each table between its two marks."""
    page, *rest = path.read_text(encoding="utf-8").split(START)
    for table, part in zip(tables, rest, strict=True):
        page += START + table + "\n" + END + part.split(END)[1]
    return page


def _scales(card: models.ModelCard) -> str:
    if card.scales is None:
        return "the checkpoint's" if card.by_checkpoint else "any"
    return ", ".join(f"x{scale}" for scale in card.scales)


def _source(card: models.ModelCard) -> str:
    if card.kind == "classical":
        return f"built in, {card.weights_licence}" if card.weights_licence else "none"
    files = [weights.get(name) for name in card.files]
    packaged = all(file.members for file in files)
    where = "file" if not files else "package index" if packaged else "address"
    if files and all(file.included for file in files):
        where = "inside srqa"
    return f"{where}, {card.weights_licence}"


def _psnr(figures: tuple[models.Figure, ...]) -> str:
    found = {figure.scale: f"{figure.psnr:.2f}" for figure in figures if figure.data == "Set5"}
    return " / ".join(found.get(scale, "–") for scale in (2, 3, 4)) if found else ""


def _figure_on(spec: MetricSpec, data: str) -> str:
    found = [entry for entry in spec.agreement if entry.data.startswith(data)]
    return agreement.figure(found[0].value, found[0].measure) if found else ""


def _size(size: int) -> str:
    return f"{size / 1e6:.3g} MB" if size >= 1e5 else f"{size / 1e3:.3g} kB"


PAGES = {
    PAGE: page,
    WEIGHTS_PAGE: weights_page,
    CHOOSING_PAGE: choosing_page,
    MODELS_PAGE: models_page,
    FINDINGS_PAGE: findings_page,
    NR_PAGE: nr_page,
}
"""Every page that is made here, wholly or in part."""

if __name__ == "__main__":
    for path, made in PAGES.items():
        path.write_text(made(), encoding="utf-8")
