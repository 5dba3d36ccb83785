"""What every page of srqa has: its own style and script inside, and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files

import srqa

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_PART = re.compile(r"\{\{>(\w+)\}\}\n")
"""Of several pages: ``{{>head}}`` stands for the file ``head.part.html``."""


def asset(package: str, name: str) -> str:
    """The text of a file inside a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def joined(names: Iterable[tuple[str, str]], first: str = "") -> str:
    """Several (package, file) one after the other."""
    return "\n".join(filter(None, [first, *(asset(*name) for name in names)]))


def filled(template: str, slots: Mapping[str, str], style: str, script: str) -> str:
    """A page of `srqa.report` with its slots filled, among them policy, version, style and script.

    Args:
        template: the file's name in the package.
        slots: HTML by the name of its slot.
        style: of the page.
        script: of the page.
    """
    own = {
        "policy": _content_policy(style, script),
        "version": escape(srqa.__version__),
        "style": style,
        "script": script,
    }
    every = own | dict(slots)
    whole = _PART.sub(
        lambda found: asset("srqa.report", f"assets/{found[1]}.part.html"),
        asset("srqa.report", template),
    )
    return _SLOT.sub(lambda found: every[found[1]], whole)


def _content_policy(style: str, script: str) -> str:
    """A policy under which the page runs its own script and style and loads nothing at all."""

    def allowed(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; script-src 'sha256-{allowed(script)}'; "
        f"style-src 'sha256-{allowed(style)}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
