"""An HTTP client that behaves as pip would, and downloads that can be taken up again."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srqa.errors import WeightsError
from srqa.files import explain
from srqa.weights.pip_settings import PipSettings

if TYPE_CHECKING:
    from unearth.fetchers.sync import PyPIClient

_CONNECT_SECONDS = 15.0


class Unreachable(Exception):
    """A place on the network does not answer, or refuses; the message is half a sentence."""


def redacted(url: str) -> str:
    """An address without the user's name and password."""
    return re.sub(r"//[^/]*@", "//***@", url.partition("#")[0])


def reason(error: Exception) -> str:
    """Why a connection failed, in few words."""
    import httpx2

    if isinstance(error, httpx2.TimeoutException):
        return "no answer in time"
    text = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else ""
    if text.startswith("[") and "] " in text:  # "[Errno 111] Connection refused"
        text = text.split("] ", 1)[1]
    return text or type(error).__name__


def _context(settings: PipSettings) -> ssl.SSLContext | bool:
    if not settings.cert and not settings.client_cert:
        return True
    cert = settings.cert
    try:
        is_folder = bool(cert) and Path(cert).is_dir()
        context = ssl.create_default_context(
            cafile=None if is_folder else cert or None, capath=cert if is_folder else None
        )
        if settings.client_cert:
            context.load_cert_chain(settings.client_cert)
    except (OSError, ssl.SSLError) as error:
        raise WeightsError(
            f"The certificates {cert or settings.client_cert} cannot be read: {error}.",
            hint="They are named in pip's settings (cert, client-cert) or REQUESTS_CA_BUNDLE.",
        ) from error
    return context


def make_client(
    settings: PipSettings, on_response: Callable[[Any], None] | None = None
) -> PyPIClient:
    """A client with the proxy, certificates, credentials and timeout that pip would use."""
    import httpx2
    from unearth.auth import MultiDomainBasicAuth
    from unearth.fetchers.sync import PyPIClient

    patience = httpx2.Timeout(settings.timeout, connect=min(settings.timeout, _CONNECT_SECONDS))
    client = PyPIClient(
        trusted_hosts=settings.trusted_hosts,
        verify=_context(settings),
        timeout=patience,
        follow_redirects=True,
        proxy=settings.proxy or None,
        event_hooks={"response": [on_response] if on_response else []},
    )
    client.auth = MultiDomainBasicAuth(prompting=False, index_urls=settings.index_urls)
    return client


def download(
    client: PyPIClient, url: str, part: Path, size: int, progress: Callable[[int], None]
) -> None:
    """Fetch an address into `part`, going on from what is there already.

    When the connection breaks it is taken up again, as long as something came.

    Raises:
        Unreachable: the address does not answer, or refuses.
        WeightsError: the file cannot be written.
    """
    import httpx2

    for _ in range(5):
        begun = part.stat().st_size if part.exists() else 0
        if begun >= size:
            return
        try:
            _fetch_once(client, url, part, size, progress)
            return
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            come = part.stat().st_size if part.exists() else 0
            if come <= begun:
                break_off = f" after {come} of {size} bytes" if come else ""
                text = f"{redacted(url)} cannot be reached{break_off} ({reason(error)})"
                raise Unreachable(text) from error
        except OSError as error:
            raise WeightsError(str(explain(error, part))) from error
    raise Unreachable(f"{redacted(url)} breaks off again and again")


def _fetch_once(
    client: PyPIClient, url: str, part: Path, size: int, progress: Callable[[int], None]
) -> None:
    begun = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
    with client.get_stream(url, headers=headers) as answer:
        if answer.status_code >= 400:
            if answer.status_code == 416:  # what is there fits no file; the next try begins anew
                part.unlink(missing_ok=True)
            phrase = f"{answer.status_code} {answer.reason_phrase}".strip()
            raise Unreachable(f"{redacted(url)} answers {phrase}")
        goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(
            f"bytes {begun}-"
        )
        done = begun if goes_on else 0
        with part.open("ab" if goes_on else "wb") as file:
            for block in answer.iter_bytes():
                file.write(block)
                done += len(block)
                progress(done)
                if done > size:  # another file; its hash will say so
                    return
