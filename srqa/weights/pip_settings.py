"""The user's settings of pip, read as pip reads them; pip itself need not be there.

pip takes its settings from configuration files, in sections, and from variables `PIP_...`, which
win: https://pip.pypa.io/en/stable/topics/configuration/. The section `[global]` counts, and those
of the commands `install` and `download`, which fetch what is fetched here.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from srqa.errors import WeightsError

PYPI = "https://pypi.org/simple"
_SECTIONS = ("global", "install", "download")
_FALSE = ("", "0", "false", "f", "no", "n", "off")


@dataclass(frozen=True, slots=True)
class PipSettings:
    """What pip would do.

    Attributes:
        index_urls: simple indexes, the main one first; empty with `no-index`.
        find_links: folders and pages with archives.
        trusted_hosts: hosts whose certificates are not checked.
        cert: a file or folder of certificates, or an empty string.
        client_cert: the user's own certificate, or an empty string.
        proxy: address of a proxy, or an empty string: then as the environment says.
        timeout: seconds.
    """

    index_urls: tuple[str, ...]
    find_links: tuple[str, ...]
    trusted_hosts: tuple[str, ...]
    cert: str
    client_cert: str
    proxy: str
    timeout: float


def _config_files() -> Iterator[Path]:
    """Configuration files, the most important last."""
    from platformdirs import PlatformDirs

    named = os.environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    folders = PlatformDirs("pip", appauthor=False, roaming=True, multipath=True)
    shared = reversed(folders.site_config_dir.split(os.pathsep))
    yield from (Path(folder) / name for folder in shared)
    if sys.platform != "win32":
        yield Path("/etc") / name
    legacy = "pip" if sys.platform == "win32" else ".pip"
    yield Path.home() / legacy / name
    if sys.platform == "darwin" and not Path(folders.user_config_dir).is_dir():
        yield Path.home() / ".config" / "pip" / name
    else:
        yield Path(folders.user_config_dir) / name
    yield Path(sys.prefix) / name
    if named:
        yield Path(named)


def _from_file(path: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path)  # a file that is not there counts as empty
    except (configparser.Error, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise WeightsError(
            f"pip's settings in {path} cannot be read: {first}", hint="`pip config debug` shows it."
        ) from error
    found: dict[str, str] = {}
    for section in _SECTIONS:
        if parser.has_section(section):
            found |= {_normal(key): value for key, value in parser.items(section)}
    return found


def _normal(key: str) -> str:
    key = key.lower().replace("_", "-").removeprefix("--")
    return {"default-timeout": "timeout", "pypi-url": "index-url"}.get(key, key)


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        _normal(name[4:]): value
        for name, value in environment.items()
        if name.startswith("PIP_") and value
    }


def read() -> PipSettings:
    """The settings of pip for this user, here and now.

    Raises:
        WeightsError: a configuration file is damaged.
    """
    found: dict[str, str] = {}
    for path in _config_files():
        found |= _from_file(path)
    found |= _from_environment(os.environ)
    indexes: tuple[str, ...] = ()
    if found.get("no-index", "").lower() in _FALSE:
        extra = found.get("extra-index-url", "").split()
        indexes = tuple(dict.fromkeys([found.get("index-url", PYPI).strip() or PYPI, *extra]))
    cert = found.get("cert", "")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # pip's own way
        cert = cert or os.environ.get(name, "")
    proxy = found.get("proxy", "")
    try:
        timeout = float(found.get("timeout", 15))
    except ValueError:
        timeout = 15.0
    return PipSettings(
        index_urls=indexes,
        find_links=tuple(found.get("find-links", "").split()),
        trusted_hosts=tuple(found.get("trusted-host", "").split()),
        cert=cert,
        client_cert=found.get("client-cert", ""),
        proxy=f"http://{proxy}" if proxy and "://" not in proxy else proxy,
        timeout=timeout,
    )
