"""Patterns that say where method, dataset, content and scale stand in a path."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from srqa.errors import UsageError
from srqa.images.names import nfc

_FIELDS = {
    "method": "[^/]+?",
    "dataset": "[^/]+?",
    "content": "[^/]+",
    "scale": r"\d+(?:\.\d+)?",
    "ext": "[A-Za-z0-9]+",
}
_HINT = "For instance '{method}/{dataset}/{content}_x{scale}.png'."


def picture_suffixes() -> frozenset[str]:
    """The suffixes by which pictures are found; imported late, for it costs numpy."""
    from srqa.images.read import SUFFIXES

    return SUFFIXES


def parse_layout(pattern: str) -> re.Pattern[str]:
    """Turn a layout such as `{method}/{dataset}/{content}_x{scale}.png` into an expression.

    Args:
        pattern: a path relative to the given folder, of literal text, the fields `{method}`,
            `{dataset}`, `{content}` (required), `{scale}` and `{ext}`, and `*`, which stands for
            any text. Neither fields nor `*` reach over a `/`. A field that comes twice must read
            the same. Without a picture's suffix at its end it fits any.

    Returns:
        An expression for `fullmatch` on a relative path with `/`, in NFC.

    Raises:
        UsageError: the layout cannot be read; the message says why.

    Example:
        >>> parse_layout("{method}/{content}_x{scale}").fullmatch("hat/img_1_x4.png")["content"]
        'img_1'
    """
    text = nfc(pattern)
    suffix = PurePosixPath(text).suffix
    if suffix.lower() not in picture_suffixes():
        suffix = ""
        text = text if text.endswith(".{ext}") else text + ".{ext}"
    expression, known, gap = "", set[str](), True
    for piece in filter(None, re.split(r"(\{[^{}]*\}|\*)", text.removesuffix(suffix))):
        is_open = piece == "*" or piece.startswith("{")
        if is_open and not gap:
            raise UsageError(
                f"Nothing sets '{piece}' apart from the field before it in the layout '{pattern}'.",
                _HINT,
            )
        expression += _piece(piece, pattern, known)
        gap = not is_open
    if "content" not in known or text.startswith("/"):
        problem = "starts with '/'" if text.startswith("/") else "has no {content}"
        raise UsageError(f"The layout '{pattern}' {problem}.", _HINT)
    return re.compile(expression + f"(?i:{re.escape(suffix)})")


def _piece(piece: str, pattern: str, known: set[str]) -> str:
    if piece == "*":
        return "[^/]+?"
    name = piece[1:-1]
    if piece == f"{{{name}}}":
        if name not in _FIELDS:
            fields = ", ".join(f"{{{one}}}" for one in _FIELDS)
            raise UsageError(
                f"The layout '{pattern}' has an unknown field {piece}.",
                f"The fields are {fields}, and * for any text.",
            )
        if name in known:
            return f"(?P={name})"
        known.add(name)
        return f"(?P<{name}>{_FIELDS[name]})"
    if "{" in piece or "}" in piece:
        raise UsageError(f"A brace stands alone in the layout '{pattern}'.", _HINT)
    return re.escape(piece)
