"""Write docs/metrics.md from the catalog: ``python docs/generate.py``."""

from __future__ import annotations

from pathlib import Path

from srqa.metrics.catalog import CATALOG
from srqa.metrics.spec import MetricSpec

PAGE = Path(__file__).parent / "metrics.md"

HEAD = """# Metrics

*Made from the catalog by `python docs/generate.py`; `srqa metrics show NAME` prints the same.*

Kinds: `fr` compares with the reference, `nr` needs none, `lr` compares with the low-resolution
input. A metric "with border cut" belongs to the fidelity family, whose border is cut as the
[protocol](protocols.md) says. Names of other toolboxes are understood: `psnry` is `psnr-y`, `ssimc`
is `ssim`.

| name | kind | better | what it is |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [
        f"| [`{s.name}`](#{s.name}) | {s.kind} | {'higher' if s.higher_is_better else 'lower'} "
        f"| {s.summary} |"
        for s in CATALOG
    ]
    return HEAD + "\n".join(rows) + "\n\n" + "\n".join(_section(spec) for spec in CATALOG)


def _section(spec: MetricSpec) -> str:
    facts = [
        f"input {spec.input}",
        "border cut" if spec.crop == "protocol" else "whole picture",
        f"from {spec.min_side} pixels a side",
        "differentiable" if spec.differentiable else "no gradients",
        f"computed by {spec.provider or 'srqa'}",
    ]
    lines = [f"## {spec.name}", "", f"{_sentence(spec.summary)} *{', '.join(facts)}.*", ""]
    for label, text in (("Settings", spec.settings), ("Source", spec.paper)):
        if text:
            lines.append(f"- {label}: {text}")
    if spec.guidance:
        lines += ["", spec.guidance]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
