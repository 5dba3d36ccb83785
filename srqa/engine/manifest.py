"""From results to a Run: its rows, its warnings, and the manifest that says how it was made."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from srqa.devices import available_cores
from srqa.engine import sets
from srqa.engine.compute import ItemResult
from srqa.engine.plan import Plan
from srqa.engine.results import SCHEMA, FileRow, Run, Score, summarise
from srqa.images.layout import Collection, Item
from srqa.metrics import licences
from srqa.statistics.intervals import RESAMPLES

INTERVAL = (
    f"95 % expanded percentile bootstrap of the mean over images, {RESAMPLES} resamples, seed 0"
)


def assemble(
    items: Sequence[Item],
    results: dict[Item, ItemResult],
    whole: Iterable[sets.SetResult],
    plan: Plan,
    collection: Collection,
    notes: list[str],
) -> Run:
    """The Run of all results: of single images, and of `whole` sets."""
    scores: list[Score] = []
    files: dict[tuple[str, str], FileRow] = {}
    for item in items:
        result = results[item]
        for spec in plan.per_image:
            score = result.scores[spec.name]
            scores.append(
                Score(
                    dataset=item.dataset,
                    content=item.content,
                    scale=item.scale,
                    method=item.method,
                    image=item.name,
                    reference=item.reference_name,
                    metric=spec.name,
                    level=spec.level,
                    value=score.value,
                    unit=spec.unit,
                    seconds=score.seconds,
                    problem=score.problem,
                )
            )
        for row in result.files:
            files[row.role, row.path] = row
    by_metric = {spec.name: spec for spec in plan.metrics}
    pairs = dict.fromkeys((row.metric, row.scale) for row in scores)
    signatures = {(m, s): plan.signature(by_metric[m], s) for m, s in pairs}
    rows = sorted(files.values(), key=lambda row: (row.role, row.path))
    warnings = [*_warnings(items, scores, rows, plan, collection)]
    warnings += [*sets.warnings(items, results, plan), *notes]
    set_scores, set_summary, set_signatures = sets.rows(whole, plan)
    manifest = _manifest(plan, collection, signatures, warnings)
    manifest["signatures"] += set_signatures
    summary = [*summarise(scores, signatures), *set_summary]
    return Run(manifest, [*scores, *set_scores], summary, rows)


def _warnings(
    items: Sequence[Item],
    scores: list[Score],
    files: list[FileRow],
    plan: Plan,
    collection: Collection,
) -> list[str]:
    found = list(collection.notes)
    unknown = any(item.scale is None for item in items)
    if unknown and plan.protocol.crop == "scale" and any(s.kind == "fr" for s in plan.per_image):
        found.append("The scale is not known, so no border was cut, as papers do; give --scale N.")
    deep = sum(row.depth > 8 for row in files)
    if deep and plan.protocol.depth == 8:
        found.append(
            f"{deep} of {len(files)} files hold more than 8 bits a sample and were rounded to 8; "
            "--depth 16 compares what is stored."
        )
    references = {row.name for row in files if row.role == "reference" and row.channels == 1}
    if references and any(r.role == "output" and r.channels == 3 for r in files):
        found.append(f"{len(references)} references are greyscale; they count as R = G = B.")
    lossy = [row for row in files if row.lossy]
    if lossy:
        formats = ", ".join(sorted({row.format for row in lossy}))
        found.append(
            f"{len(lossy)} of {len(files)} files are stored with loss ({formats}); "
            "their compression is part of the scores."
        )
    restricted = [spec for spec in plan.metrics if licences.needs_acceptance(spec)]
    found += [
        f"{s.name} serves no commercial purpose: {licences.restrictions(s)}." for s in restricted
    ]
    return found + _alerts(scores, plan)


def _alerts(scores: list[Score], plan: Plan) -> list[str]:
    """Values beyond the limit that a metric itself names as a sign of something else gone wrong."""
    found = []
    for spec in plan.metrics:
        if spec.alert is None:
            continue
        limit, sentence = spec.alert
        beyond = [r for r in scores if r.metric == spec.name and r.value > limit]
        if beyond:
            worst = max(beyond, key=lambda row: row.value)
            found.append(
                f"{spec.name} is over {limit:g} {spec.unit} for {len(beyond)} pictures, up to "
                f"{worst.value:.2f} {spec.unit} for {worst.image}: {sentence}"
            )
    return found


def _manifest(
    plan: Plan,
    collection: Collection,
    signatures: dict[tuple[str, float | None], str],
    warnings: list[str],
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "srqa": plan.version,
        "metrics": [spec.name for spec in plan.metrics],
        "settings": plan.settings(),
        "protocol": plan.protocol.describe(),
        "decode_policy": plan.policy.describe(),
        "signatures": [
            {"metric": metric, "scale": scale, "signature": text}
            for (metric, scale), text in signatures.items()
        ],
        "pairing": [
            {"method": r.method, "dataset": r.dataset, "rule": r.rule, "n": r.pairs}
            for r in collection.rules
        ],
        "skipped": [
            {"side": m.side, "dataset": m.dataset, "method": m.method, "name": m.name}
            for m in collection.missing
        ],
        "ignored": len(collection.ignored),
        "warnings": warnings,
        "interval": INTERVAL,
        "device": plan.device,
        "batch_size": plan.batch_size,
        "workers": plan.workers,
        "machine": {
            "system": platform.system(),
            "release": platform.release(),
            "processor": platform.machine(),
            "cores": available_cores(),
        },
        "versions": {"python": sys.version.split()[0]} | _versions(plan),
    }


def _versions(plan: Plan) -> dict[str, str]:
    wanted = ["numpy", "opencv-python-headless", "imagecodecs", "pillow", "tifffile"]
    wanted += sorted({spec.provider for spec in plan.metrics if spec.provider})
    if plan.on_tensors or any(spec.provider for spec in plan.metrics):
        wanted.append("torch")
    found = {}
    for name in wanted:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
