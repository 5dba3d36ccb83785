"""Starting the apps: participants' pages and the researcher's, each in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from srqa import assets
from srqa.study.study import Study, open_study

_CURRENT: list[Study] = []


def current() -> Study:
    """The study of this process, for the scripts in `dashboards/`.

    Without `srqa study serve` it is the one that SRQA_STUDY names.

    Raises:
        InputError: there is none.
    """
    if not _CURRENT:
        from srqa.errors import InputError

        name = os.environ.get("SRQA_STUDY")
        if not name:
            raise InputError(
                "No study is open in this process.", hint="Start it with `srqa study serve NAME`."
            )
        _CURRENT.append(open_study(name, prepare=True))
    return _CURRENT[0]


def settings(address: str, port: int, base: str = "") -> dict[str, Any]:
    """Streamlit's settings: nothing leaves the machine, no error shows a path of it."""
    return {
        "server.address": address,
        "server.port": port,
        "server.baseUrlPath": base.strip("/"),
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.maxUploadSize": 1,
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "viewer",
        "theme.light.primaryColor": "#0b5f9e",
        "theme.dark.primaryColor": "#74b9ef",
        "global.developmentMode": False,
        "runner.magicEnabled": False,
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,
    }


def app(study: Study, script: Path, base: str = "", takes_answers: bool = True) -> Any:
    """The ASGI application of a study's pages."""
    import streamlit

    from srqa.study import web

    _CURRENT[:] = [study]
    routes = web.routes(study, f"/{base.strip('/')}" if base.strip("/") else "")
    return streamlit.App(
        script, routes=routes if takes_answers else [], middleware=web.middleware()
    )


def serve_participants(study: Study, address: str, port: int, base: str = "") -> None:
    """Serve the participants' pages until interrupted."""
    _run(study, assets.path("dashboards/participant.py").absolute(), address, port, base)


def serve_admin(study: Study, address: str, port: int) -> None:
    """Serve the researcher's pages until interrupted."""
    script = assets.path("dashboards/admin.py").absolute()
    _run(study, script, address, port, takes_answers=False)


def _run(
    study: Study,
    script: Path,
    address: str,
    port: int,
    base: str = "",
    takes_answers: bool = True,
) -> None:
    # Streamlit puts the folder of argv[0] first on sys.path: under `python -m srqa` that is srqa's
    # own, where `statistics` would take the place of Python's.
    sys.argv[:] = [str(script)]
    app(study, script, base, takes_answers).run(config=settings(address, port, base))
