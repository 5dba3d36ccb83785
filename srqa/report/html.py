"""One self-contained HTML file that shows a Run, and opens anywhere without a network."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path

from srqa.engine.results import Run
from srqa.files import replacing
from srqa.report import costs, provenance, sections
from srqa.report.choice import choose
from srqa.report.facts import Facts
from srqa.report.page import filled, joined
from srqa.report.payload import payload, safe_json
from srqa.report.pictures import Gallery, make_gallery
from srqa.report.words import Scrubber, caution, counted, findings

_STYLES = (("srqa.report", "assets/report.css"), ("srqa.viewer", "viewer.css"))
_SCRIPTS = (
    ("srqa.viewer", "pixels.js"),
    ("srqa.viewer", "surface.js"),
    ("srqa.viewer", "viewer.js"),
    *(
        ("srqa.report", f"assets/{name}.js")
        for name in ("theme", "base", "plots", "tables", "gallery")
    ),
    ("srqa.report", "assets/main.js"),
)


def write_report(
    run: Run,
    out: Path,
    *,
    pictures: int = 6,
    title: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a Run as one HTML file: tables, distributions, pictures, and how it was made.

    Pictures are read again from where the Run found them; one that is missing or has changed is
    left out, and the report says so. No absolute path gets into the file.

    Args:
        run: the Run.
        out: the file to write; it takes the place of an older one when all is written.
        pictures: how many contents are shown with their pictures, 0 for none.
        title: the heading; said from the Run when empty.
        progress: called with the number of contents whose pictures are done, and of all.

    Returns:
        `out`.

    Raises:
        OutputError: the file cannot be written.

    Example:
        >>> from srqa.engine.results import Run
        >>> write_report(Run.load("run"), Path("report.html"))  # doctest: +SKIP
    """
    page = render(run, pictures=pictures, title=title, progress=progress)
    with replacing(Path(out)) as temporary:
        temporary.write_bytes(page.encode("utf-8", "replace"))
    return Path(out)


def render(
    run: Run,
    *,
    pictures: int = 6,
    title: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """The report as text; see `write_report`."""
    facts, scrub = Facts(run), Scrubber(run)
    gallery = make_gallery(facts, choose(facts, pictures), progress)
    style, script = joined(_STYLES), joined(_SCRIPTS, '"use strict";')
    slots = {
        "title": escape(title or _title(facts)),
        "keys": provenance.key_facts(facts),
        "findings": _findings(facts),
        "warnings": provenance.warning_box(run, scrub),
        "summary": sections.summary_tables(facts),
        "costs": costs.section(facts),
        "gallery": sections.gallery_section(facts, gallery, scrub),
        "gallery_note": _gallery_note(gallery, pictures),
        "problems": provenance.problem_tables(run, scrub),
        "provenance": provenance.provenance(facts, scrub),
        "guidance": provenance.guidance(facts),
        "data": safe_json(payload(facts, gallery, scrub) | costs.plotted(facts)),
    }
    return filled("assets/report.html", slots, style, script)


def _title(facts: Facts) -> str:
    methods = facts.methods
    who = methods[0] if len(methods) == 1 else f"{len(methods)} methods compared"
    titles = [group.title for group in facts.groups if group.title]
    if not titles:
        return who
    where = titles[0] if len(titles) == 1 else counted(len(titles), "set")
    return f"{who} on {where}" if any(g.dataset for g in facts.groups) else f"{who} at {where}"


def _findings(facts: Facts) -> str:
    first, *rest = findings(facts)
    note = caution(facts)
    more = "".join(f"<p>{sentence}</p>" for sentence in rest)
    rough = f'<p class="soft">{note}</p>' if note else ""
    return f'<p class="lede">{first}</p>{more}{rough}'


def _gallery_note(gallery: Gallery, asked: int) -> str:
    if gallery.note:
        return f'<p class="soft">{escape(gallery.note)}</p>'
    if not gallery.exhibits:
        why = "none were asked for" if asked < 1 else "no image has a value to choose by"
        return f'<p class="soft">No pictures are shown: {why}.</p>'
    return ""
