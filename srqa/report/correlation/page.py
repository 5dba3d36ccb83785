"""One self-contained HTML page that shows a correlation of metrics with human scores."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from srqa.correlation.analysis import Correlation
from srqa.files import replacing
from srqa.report.correlation import sections, words
from srqa.report.correlation.payload import payload
from srqa.report.correlation.thumbnails import Thumbnails, make_thumbnails
from srqa.report.page import filled, joined
from srqa.report.payload import safe_json

_STYLES = (("srqa.report", "assets/report.css"), ("srqa.report", "assets/correlation.css"))
_SCRIPTS = tuple(
    ("srqa.report", f"assets/{name}.js") for name in ("theme", "base", "tables", "correlation")
)


def write_page(
    found: Correlation,
    out: Path,
    *,
    title: str = "",
    command: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write a correlation as one HTML file that opens anywhere and loads nothing.

    Args:
        found: by `srqa.correlate`.
        out: the file; it takes the place of an older one when all is written.
        title: the heading; said from the data when empty.
        command: that made it.
        progress: called with what is done, how much of it, of how much.

    Returns:
        `out`.

    Raises:
        OutputError: the file cannot be written.
    """
    page = render(found, title=title, command=command, progress=progress)
    with replacing(Path(out)) as temporary:
        temporary.write_bytes(page.encode("utf-8", "replace"))
    return Path(out)


def render(
    found: Correlation,
    *,
    title: str = "",
    command: str = "",
    progress: Callable[[str, int, int], None] | None = None,
) -> str:
    """The page as text; see `write_page`."""
    thumbs = make_thumbnails(found, progress)
    heading = title or _title(found)
    slots = {
        "title": escape(heading),
        "findings": _findings(found),
        "keys": sections.key_facts(found),
        "notes": sections.notes(found),
        "table": sections.correlation_table(found),
        "scatters": sections.scatter_stills(found),
        "matrices": sections.matrices(found),
        "parts": sections.parts_tables(found),
        "noticed": sections.noticed(found),
        "residuals": sections.residual_table(found),
        "disagreements": sections.disagreement_gallery(found, thumbs),
        "preferences": sections.preferences(found),
        "methods": sections.methods(found),
        "made": sections.made(found, command),
        "data": safe_json(payload(found, thumbs)),
    }
    style, script = joined(_STYLES), joined(_SCRIPTS, '"use strict";')
    return filled("assets/correlation.html", slots, style, script)


def _title(found: Correlation) -> str:
    count = len(found.data.metrics)
    who = found.data.names[0] if count == 1 else f"{count} metrics"
    return f"{who} against people"


def _findings(found: Correlation) -> str:
    first, *rest = words.findings(found)
    more = "".join(f"<p>{escape(sentence)}</p>" for sentence in rest)
    return f'<p class="lede">{escape(first)}</p>{more}'


__all__ = ["Thumbnails", "render", "write_page"]
