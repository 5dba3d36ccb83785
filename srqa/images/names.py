"""What the name of a picture says: its scale, its stem, and which of its ends may be removed.

A `Reading` is all names of one side as a rule of pairing sees them: a key for each picture and
what was removed to get there. Rules are made by putting such removals together.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

DELIMITERS = "_-. "
_NUMBER = r"\d{1,2}(?:\.\d+)?"
_TOKEN = re.compile(
    rf"(?:^|[_\-. ])(?:[xX×]({_NUMBER})|({_NUMBER})[xX×]|SRF_({_NUMBER}))(?=$|[_\-. ])"
)
_GLUED_TOKEN = re.compile(rf"(?<=[^\W_])[xX×]({_NUMBER})(?=$|[_\-. ])")
_MIN_SCALE, _MAX_SCALE = 1, 64

Key = tuple[str, float | None]
"""A name as it is compared, and the scale that must agree."""
Affix = tuple[str, str]
"""A prefix and a suffix."""
_Cut = tuple[str, float, str]
"""A name without its token of scale, the scale, and the token."""
_SIDES = ("prefix", "suffix")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's file and what folders and names say of it.

    Attributes:
        path: where the file is.
        name: its path as users see it; like the stem and the suffix in NFC.
        stem: the file's name without suffix, or the content that a layout found.
        suffix: with its dot.
        scale: None if nothing tells.
        method: what made it; empty for references.
        dataset: None if folders do not tell, so that the reference will.
    """

    path: str
    name: str
    stem: str
    suffix: str
    scale: float | None = None
    method: str = ""
    dataset: str | None = None


@dataclass(frozen=True)
class Reading:
    """The names of one side; a key of None is a name of which a rule does not speak.

    Attributes:
        pictures: whose names they are.
        keys: what is compared, for each picture.
        contents: the same as shown: neither folded nor with a file's suffix.
        removed: what was cut off each name, in words.
        scale_cut: the token of scale that was cut out of each name, in words, or nothing.
        is_folded: whether upper and lower case were made the same.
    """

    pictures: Sequence[Picture]
    keys: Sequence[Key | None]
    contents: Sequence[str]
    removed: tuple[str, ...] = ()
    scale_cut: str = ""
    is_folded: bool = False

    @cached_property
    def places(self) -> dict[str, list[tuple[int, float | None]]]:
        """Where in the row each name stands, with its scale."""
        found: dict[str, list[tuple[int, float | None]]] = defaultdict(list)
        for place, key in enumerate(self.keys):
            if key is not None:
                found[key[0]].append((place, key[1]))
        return found

    @property
    def stems(self) -> list[str]:
        """The names that are compared."""
        return [key[0] for key in self.keys if key is not None]

    def folded(self) -> Reading:
        """Upper and lower case made the same."""
        keys = [key and (key[0].casefold(), key[1]) for key in self.keys]
        return replace(self, keys=keys, is_folded=True)

    def with_suffixes(self) -> Reading:
        """Names with the suffixes of the files."""
        pairs = zip(self.keys, self.pictures, strict=True)
        keys = [key and (key[0] + picture.suffix, key[1]) for key, picture in pairs]
        return replace(self, keys=keys)

    def stripped(self, affix: Affix) -> Reading:
        """Names without a prefix and suffix; a rule does not speak of names that lack them."""
        prefix, suffix = affix
        if not (prefix or suffix):
            return self
        least, start, end = len(prefix) + len(suffix), len(prefix), -len(suffix) or None
        keys: list[Key | None] = []
        contents = list(self.contents)
        for place, key in enumerate(self.keys):
            name = key[0] if key else ""
            if key and len(name) > least and name.startswith(prefix) and name.endswith(suffix):
                keys.append((name[start:end], key[1]))
                contents[place] = contents[place][start:end]
            else:
                keys.append(None)
        words = [f"{what} '{text}'" for what, text in zip(_SIDES, affix, strict=True) if text]
        return replace(self, keys=keys, contents=contents, removed=(*self.removed, *words))


def nfc(text: str) -> str:
    """Text in Unicode's composed form, in which names are compared."""
    return unicodedata.normalize("NFC", text)


def find_scale(text: str, *, glued: bool = False) -> Key:
    """Cut the last token of scale out of a name.

    Args:
        text: a stem or a folder's name.
        glued: look for a token that nothing separates from what stands before, as in `0801x4`.

    Returns:
        The name without the token (empty if it was nothing else) and the scale, or the name
        itself and None.

    Example:
        >>> find_scale("baby_x4_SwinIR")
        ('baby_SwinIR', 4.0)
        >>> find_scale("matrix2")
        ('matrix2', None)
    """
    cut = _cut_scale(text, glued)
    return cut[:2] if cut else (text, None)


def _cut_scale(text: str, glued: bool) -> _Cut | None:
    last: tuple[re.Match[str], float] | None = None
    for token in (_GLUED_TOKEN if glued else _TOKEN).finditer(text):
        scale = float(token[token.lastindex or 0])
        if _MIN_SCALE <= scale <= _MAX_SCALE:
            last = token, scale
    if last is None:
        return None
    token, scale = last
    rest = text[token.end() :]
    if not token.start():
        rest = rest.lstrip(DELIMITERS)
    return text[: token.start()] + rest, scale, token[0]


def readings(pictures: Sequence[Picture]) -> list[Reading]:
    """The ways to read the names of one folder, the likeliest first.

    A token of scale is taken for one only if every name in the folder carries one. Without
    anything before it that sets it apart (`0801x4`), it rather belongs to the name (`box4`).
    """
    stems = [picture.stem for picture in pictures]
    whole = Reading(pictures, [(picture.stem, picture.scale) for picture in pictures], stems)
    if cut := _without_scale(stems, glued=False):
        return [_cut(pictures, cut), whole]
    glued = _without_scale(stems, glued=True)
    return [whole, _cut(pictures, glued)] if glued else [whole]


def told_scales(stems: Sequence[str]) -> list[float]:
    """The scales that the names of a folder tell; empty unless all of them do."""
    return [scale for _, scale, _ in _without_scale(stems, glued=False)]


def _cut(pictures: Sequence[Picture], names: Sequence[_Cut]) -> Reading:
    tokens = {token for _, _, token in names}
    words = f"the scale '{names[0][2]}'" if len(tokens) == 1 else "the scale"
    keys = [(core, scale) for core, scale, _ in names]
    return Reading(pictures, keys, [core for core, _, _ in names], scale_cut=words)


def _without_scale(stems: Sequence[str], *, glued: bool) -> list[_Cut]:
    """Names without their tokens of scale; empty unless all have one."""
    names: list[_Cut] = []
    for stem in stems:
        cut = _cut_scale(stem, glued)
        if cut is None or not cut[0].strip(DELIMITERS):
            return []
        names.append(cut)
    return names
