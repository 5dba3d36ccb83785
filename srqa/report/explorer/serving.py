"""Starting the explorer, and the pictures that it hands out: those of its Runs and no others."""

from __future__ import annotations

import hashlib
import io
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from srqa import assets
from srqa.correlation.analysis import Correlation, correlate
from srqa.errors import InputError, NotApplicableError, SrqaError
from srqa.images.read import DecodePolicy, decode, read_bytes
from srqa.report.explorer.table import Table

PICTURE_PATH = "/explore/picture"
MAP_PATH = "/explore/map"
MAPS = ("ssim-y", "lpips", "delta-e")
"""Maps that can be asked for besides the viewer's own error map."""
_CURRENT: list[Explored] = []


@dataclass(frozen=True, eq=False)
class Explored:
    """What one explorer shows.

    Attributes:
        runs: one, or two to be compared, or none beside trainings.
        ratings: where human scores are, if there are any.
        trainings: folders of trainings.
    """

    runs: tuple[Table, ...]
    ratings: Path | None = None
    trainings: tuple[Path, ...] = ()

    @lru_cache(maxsize=2)  # noqa: B019
    def correlation(self, run: int) -> Correlation:
        """A Run against the human scores."""
        if self.ratings is None:
            raise InputError("No human scores were given.", hint="srqa explore RUN --ratings R")
        return correlate(self.ratings, self.runs[run].folder, resamples=400)


def current() -> Explored:
    """What `srqa explore` opened in this process.

    Raises:
        InputError: nothing.
    """
    if not _CURRENT:
        raise InputError(
            "No Run is open in this process.", hint="Start it with `srqa explore RUN`."
        )
    return _CURRENT[0]


def url(run: int, role: str, name: str) -> str:
    """The address of a picture."""
    from urllib.parse import urlencode

    return f"{PICTURE_PATH}?{urlencode({'run': run, 'role': role, 'name': name})}"


def map_url(run: int, metric: str, name: str, reference: str) -> str:
    """The address of a map."""
    from urllib.parse import urlencode

    wanted = {"run": run, "metric": metric, "name": name, "reference": reference}
    return f"{MAP_PATH}?{urlencode(wanted)}"


def pixels(table: Table, role: str, name: str) -> Any:
    """A picture of the Run, (H, W, 3) of 8 bits, if its file is still what was scored.

    Raises:
        InputError: it is none of the Run's pictures, or has changed.
    """
    from srqa.engine.protocol import quantise

    path, sha256 = table.files.get((role, name), ("", ""))
    if not path:
        raise InputError(f"{name} is not among the pictures of this Run.")
    data = read_bytes(Path(path))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise InputError(f"{name} has changed since it was scored.")
    made = quantise(decode(data, name, DecodePolicy(alpha="drop")).pixels, 8)
    return made if made.ndim == 3 else np.repeat(made[..., None], 3, axis=2)


def png(values: Any) -> bytes:
    """(H, W, 3) of 8 bits as PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(values)).save(out, "PNG", compress_level=1)
    return out.getvalue()


@lru_cache(maxsize=64)
def picture_png(run: int, role: str, name: str) -> bytes:
    """A picture of a Run as PNG."""
    return png(pixels(current().runs[run], role, name))


@lru_cache(maxsize=64)
def map_png(run: int, metric: str, name: str, reference: str) -> bytes:
    """Where an output differs from its reference by a metric, in colours: dark is equal."""
    from srqa.engine.mapfiles import levels, palette
    from srqa.metrics.api import difference_map

    if metric not in MAPS:
        raise InputError(f"There is no map {metric!r}.")
    table = current().runs[run]
    output, truth = pixels(table, "output", name), pixels(table, "reference", reference)
    height, width = (min(output.shape[i], truth.shape[i]) for i in (0, 1))
    made = np.asarray(difference_map(metric, output[:height, :width], truth[:height, :width]))
    peak = float(np.nanquantile(made, 0.999)) or 1.0
    colours = palette("inferno")[levels(np.nan_to_num(made), peak)]
    return png(colours)


def routes() -> list[Any]:
    """Starlette's routes of pictures and maps."""
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    async def answer(request: Request, make: Any, *names: str) -> Response:
        asked = request.query_params
        try:
            run = int(asked.get("run", ""))
            if not 0 <= run < len(current().runs):
                raise InputError("There is no such Run.")
            data = await run_in_threadpool(make, run, *(asked.get(n, "") for n in names))
        except (ValueError, NotApplicableError, InputError) as error:
            return PlainTextResponse(str(error), 404)
        except SrqaError as error:
            return PlainTextResponse(str(error), 503)
        kept = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}
        return Response(data, media_type="image/png", headers=kept)

    async def picture(request: Request) -> Response:
        return await answer(request, picture_png, "role", "name")

    async def map_(request: Request) -> Response:
        return await answer(request, map_png, "metric", "name", "reference")

    return [Route(PICTURE_PATH, picture), Route(MAP_PATH, map_)]


def serve(explored: Explored, address: str, port: int) -> None:
    """Serve the explorer until interrupted."""
    import streamlit

    from srqa.study.serving import settings

    _CURRENT[:] = [explored]
    script = assets.path("dashboards/explorer.py").absolute()
    # Streamlit puts the folder of argv[0] first on sys.path.
    sys.argv[:] = [str(script)]
    streamlit.App(script, routes=routes()).run(config=settings(address, port))
