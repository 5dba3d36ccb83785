"""One self-contained HTML file that shows maps beside the pictures that they are of."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from srqa.engine.mapfiles import palette, read_levels, save_levels
from srqa.engine.mapping import MapFile
from srqa.engine.maps import MapSet
from srqa.engine.protocol import quantise
from srqa.errors import OutputError, SrqaError
from srqa.files import explain, replacing
from srqa.images.layout import Item
from srqa.images.read import read
from srqa.metrics.maps import DifferenceMap
from srqa.report.numbers import format_scale, format_value
from srqa.report.page import filled, joined
from srqa.report.payload import safe_json
from srqa.report.pictures import MAX_PIXELS, MIN_PIXELS, Pixels, busiest, encode
from srqa.report.words import counted, listed

PAGE = "index.html"
_MAX_BYTES = 17_500_000
"""Of coded pictures; as base64 they take a third more."""
_BYTES_A_PIXEL = 1.1
_STYLES = (("srqa.report", "assets/report.css"), ("srqa.report", "assets/maps.css"))
_SCRIPTS = (("srqa.report", "assets/theme.js"), ("srqa.report", "assets/maps.js"))
_STOPS = 16
_GENERATOR = b'<meta name="generator" content="srqa '
_HERE = '<output class="here"></output>'

_Key = tuple[str, float | None, str]
"""Dataset, scale and content."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What the page shows of one content: files by method, in the order of the maps."""

    key: _Key
    files: dict[str, list[MapFile]]

    @property
    def drawn(self) -> list[MapFile]:
        return [f for files in self.files.values() for f in files if f.facts]

    @property
    def worst(self) -> float:
        """The largest mean of the first map that is there."""
        means = [f.facts.mean for f in self.drawn if f.facts and f.map is self.drawn[0].map]
        return max(means, default=0.0)


def write_page(
    made: MapSet, *, pictures: int = 6, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Write ``index.html`` into the folder of maps: pictures and maps side by side.

    The contents with the largest mean of the first map are shown. Large pictures are cut to the
    part where the first map is largest.

    Args:
        made: the maps.
        pictures: how many contents are shown.
        progress: called with the number of contents that are done, and of all.

    Returns:
        The page.

    Raises:
        OutputError: it cannot be written.
    """
    contents = _contents(made)
    chosen = sorted(contents, key=lambda one: -one.worst)[:pictures]
    columns = [m for m in made.collection.methods if any(m in one.files for one in chosen)]
    each = (len(columns) * (1 + len(made.maps)) + 1) * max(len(chosen), 1)
    area = min(MAX_PIXELS, max(MIN_PIXELS, int(_MAX_BYTES / each / _BYTES_A_PIXEL)))
    articles = []
    for done, content in enumerate(chosen):
        if progress:
            progress(done, len(chosen))
        articles.append(_article(made, content, columns, area, done))
    if progress:
        progress(len(chosen), len(chosen))
    title = "Where pictures differ"
    slots = {
        "title": title,
        "lede": _lede(made, columns),
        "choice": _choice(made, len(chosen), len(contents)),
        "links": _links(chosen),
        "warnings": _warnings(made),
        "contents": "".join(articles),
        "made": "".join(_block(made, one) for one in made.maps),
        "data": safe_json(_data(made)),
    }
    style = joined(_STYLES) + _own_style(made, len(columns) + 1)
    page = filled("assets/maps.html", slots, style, joined(_SCRIPTS, '"use strict";'))
    with replacing(made.folder / PAGE) as temporary:
        temporary.write_bytes(page.encode("utf-8", "replace"))
    return made.folder / PAGE


def check_page(folder: Path) -> None:
    """Refuse to write over a page that is not srqa's.

    Raises:
        OutputError: one is there.
    """
    page = folder / PAGE
    try:
        mine = not page.exists() or _GENERATOR in page.read_bytes()[:4096]
    except OSError as error:
        raise explain(error, page) from error
    if not mine:
        raise OutputError(
            f"{page} is there already, and not srqa's.",
            hint="Choose another --out, --overwrite to replace it, or --pictures 0 for no page.",
        )


def _contents(made: MapSet) -> list[_Content]:
    """All contents that have a map."""
    found: dict[_Key, _Content] = {}
    for file in made.files:
        key = (file.item.dataset, file.item.scale, file.item.content)
        content = found.setdefault(key, _Content(key, {}))
        content.files.setdefault(file.item.method, []).append(file)
    return [content for content in found.values() if content.drawn]


def _article(
    made: MapSet, content: _Content, columns: Sequence[str], area: int, number: int
) -> str:
    levels = {
        (f.item.method, f.map.name): read_levels(made.folder / f.path, f.facts)
        for f in content.drawn
        if f.facts
    }
    height, width = (min(one.shape[i] for one in levels.values()) for i in (0, 1))
    first = content.drawn[0].map.name
    energy = sum(
        np.where(one == 255, 0, one)[:height, :width].astype(np.float32)
        for (_, name), one in levels.items()
        if name == first
    )
    x, y, w, h = busiest(np.asarray(energy), area)
    part = slice(y, y + h), slice(x, x + w)
    whole = f"{width}x{height}"
    note = f"{whole}, whole picture"
    if (w, h) != (width, height):
        note = (
            f"crop {w}x{h} at ({x}, {y}) of {whole}, where {first} is largest; "
            "numbers are of whole pictures"
        )
    items = {method: files[0].item for method, files in content.files.items()}
    name = content.key[2] or "picture"
    rows = [_pictures_row(made, items, columns, part, (height, width), name)]
    for position, one in enumerate(made.maps):
        cells = []
        for method in columns:
            file = next((f for f in content.files.get(method, []) if f.map is one), None)
            shown = levels.get((method, one.name))
            cells.append(_map_cell(made, file, None if shown is None else shown[part], position))
        rows.append(f"<tr>{_key_cell(made, one)}{''.join(cells)}</tr>")
    heads = "".join(f'<th scope="col">{escape(method)}</th>' for method in columns)
    dataset, scale, _ = content.key
    group = " ".join(filter(None, [escape(dataset), format_scale(scale)]))
    return (
        f'<article class="content" id="content-{number}"><header>'
        f'<h2>{escape(name)}<span class="soft">{group}</span></h2>'
        f'<p class="note">{note}</p></header>'
        f'<div class="scroll"><table class="atlas"><thead><tr><th scope="col">Reference</th>{heads}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div></article>"
    )


def _pictures_row(
    made: MapSet,
    items: dict[str, Item],
    columns: Sequence[str],
    part: tuple[slice, slice],
    size: tuple[int, int],
    name: str,
) -> str:
    some = next(iter(items.values()))
    cells = [f"<th>{_picture(made, some.reference, part, size, f'{name}, reference')}</th>"]
    for method in columns:
        item = items.get(method)
        alt = f"{name}, output of {method}"
        inside = _picture(made, item.image, part, size, alt) if item else _none("no output")
        cells.append(f"<td>{inside}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _picture(
    made: MapSet, path: Path | None, part: tuple[slice, slice], size: tuple[int, int], alt: str
) -> str:
    if path is None:
        return _none("no reference")
    try:
        pixels: Pixels = quantise(read(path, made.plan.policy).pixels, 8)
    except SrqaError as error:
        return _none(str(error))
    kind, coded = encode(pixels[: size[0], : size[1]][part])
    return _shot(kind, coded, part, alt)


def _map_cell(made: MapSet, file: MapFile | None, levels: Pixels | None, position: int) -> str:
    if file is None or file.facts is None or levels is None:
        why = file.problem.removeprefix("n/a: ") if file else "no output"
        return f"<td>{_none(why)}</td>"
    png = io.BytesIO()
    save_levels(png, levels, made.style.colours)
    shape = slice(0, levels.shape[0]), slice(0, levels.shape[1])
    alt = f"{file.item.content}, {file.map.name} of {file.item.method}"
    link = quote(file.path.as_posix())
    return (
        f'<td data-map="{position}">{_shot("png", png.getvalue(), shape, alt, _HERE)}'
        f'<p class="under"><span>{_mean(file)}</span>'
        f'<a href="{link}">{file.path.suffix[1:].upper()}</a></p></td>'
    )


def _mean(file: MapFile) -> str:
    """The metric's value where the map's mean tells it, else the mean."""
    one, mean = file.map, file.facts.mean if file.facts else 0.0
    if one.score and one.name != "error":
        return f"{escape(one.name)} {format_value(one.name, one.score(mean))}"
    return f"mean {format_value(one.name, mean)}"


def _key_cell(made: MapSet, one: DifferenceMap) -> str:
    unit = f" {escape(one.unit)}" if one.unit else ""
    return (
        f'<th scope="row" class="key"><h3>{escape(one.name)}</h3><p>{_shows(one)}</p>'
        f'<div class="ramp"></div><div class="ends"><span>0</span>'
        f"<span>{made.style.peak(one):g}{unit}</span></div></th>"
    )


def _shot(kind: str, coded: bytes, part: tuple[slice, slice], alt: str, over: str = "") -> str:
    rows, columns = part
    uri = f"data:image/{kind};base64,{base64.b64encode(coded).decode()}"
    return (
        f'<div class="shot"><img src="{uri}" width="{columns.stop - columns.start}" '
        f'height="{rows.stop - rows.start}" alt="{escape(alt)}" draggable="false">{over}</div>'
    )


def _none(why: str) -> str:
    return f'<p class="none">{escape(why[:1].upper() + why[1:])}</p>'


def _lede(made: MapSet, columns: Sequence[str]) -> str:
    names = [escape(name) for name in columns]
    who = listed(names) if len(names) <= 6 else counted(len(names), "method")
    rows = "Each row is a map: the" if len(made.maps) > 1 else "The"
    return f"{who} against the reference. {rows} brighter, the larger the difference."


def _choice(made: MapSet, shown: int, contents: int) -> str:
    if shown == contents:
        return ""
    return (
        f'<p class="soft">{shown} of {counted(contents, "content")} are shown, those with the '
        f"largest mean {escape(made.maps[0].name)}; the files beside this page hold all.</p>"
    )


def _links(chosen: Iterable[_Content]) -> str:
    links = [f'<a href="#content-{i}">{escape(c.key[2] or "picture")}</a>' for i, c in
             enumerate(chosen)]  # fmt: skip
    return "".join([*links[:8], '<a href="#made">What they show</a>'])


def _warnings(made: MapSet) -> str:
    failed = len({file.item for file in made.failed})
    notes = [escape(note) for note in made.notes]
    if failed:
        notes.append(f"{counted(failed, 'picture')} could not be drawn.")
    if not notes:
        return ""
    rows = "".join(f"<li>{note}</li>" for note in notes)
    return f'<div class="warnings"><h2>To know</h2><ul>{rows}</ul></div>'


def _block(made: MapSet, one: DifferenceMap) -> str:
    signatures = {f.facts.signature for f in made.files if f.map is one and f.facts}
    codes = "".join(f"<p><code>{escape(text)}</code></p>" for text in sorted(signatures))
    summary = one.spec.summary[:1].upper() + one.spec.summary[1:]
    known = f"{escape(summary)}. The map shows {_shows(one)}"
    if not one.score:
        known += "; its mean is near the metric's value, not equal to it"
    guidance = f"<p>{escape(one.spec.guidance)}</p>" if one.spec.guidance else ""
    return (
        f'<section class="block"><h3>{escape(one.name)}</h3><p>{known}.</p>{guidance}{codes}'
        "</section>"
    )


def _shows(one: DifferenceMap) -> str:
    return escape(one.shows).replace("|Δ", "|\u2060Δ")


def _data(made: MapSet) -> dict[str, Any]:
    return {
        "palette": palette(made.style.colours)[:255].ravel().tolist(),
        "maps": [{"peak": made.style.peak(one), "name": one.name} for one in made.maps],
    }


def _own_style(made: MapSet, columns: int) -> str:
    """What depends on the maps: the number of columns and the ramp of colours."""
    table = palette(made.style.colours)
    stops = [table[round(254 * i / _STOPS)] for i in range(_STOPS + 1)]
    colours = ", ".join("#" + bytes(stop.tolist()).hex() for stop in stops)
    return f"\n:root {{ --columns: {columns}; --ramp: linear-gradient(to right, {colours}); }}\n"
