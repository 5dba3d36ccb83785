"""An empty store; a made package index on 127.0.0.1."""

import os
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_index import (
    Handler,
    Server,
    Site,
    World,
    digest,
    packages,
    page,
    write_manifest,
)

from srqa.cli import run
from srqa.weights import manifest


@pytest.fixture
def serve():
    """``serve(site)`` starts a server on 127.0.0.1 and returns the site with its address."""
    running = []

    def start(site=None, context=None):
        site = site or Site()
        site.gate.set()
        server = Server(("127.0.0.1", 0), Handler)
        server.site = site
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        site.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
        running.append(server)
        return site

    yield start
    for server in running:
        server.site.gate.set()
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """An empty store."""
    monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "store"))
    monkeypatch.delenv("SRQA_OFFLINE", raising=False)
    return tmp_path / "store"


@pytest.fixture
def bare(monkeypatch):
    """No settings of pip, no proxies, no certificates."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture(scope="session")
def made():
    return packages()


@pytest.fixture
def world(tmp_path, monkeypatch, bare, serve, made, store):
    """A package index, pip set to use it, and a manifest of what it has."""
    site = serve()
    sha = digest(made.sdist)
    site.pages |= {
        "/simple/made-nets/": page(
            ("made_nets-0.9.tar.gz", "/files/made_nets-0.9.tar.gz", ""),
            ("made_nets-1.0.tar.gz", f"../../files/made_nets-1.0.tar.gz#sha256={sha}", ""),
        ),
        "/simple/made-blob/": page(
            ("made_blob-2.0-py3-none-any.whl", "/files/made_blob-2.0-py3-none-any.whl", "")
        ),
        "/files/made_nets-1.0.tar.gz": ("application/gzip", made.sdist),
        "/files/made_blob-2.0-py3-none-any.whl": ("application/zip", made.wheel),
        "/files/far.bin": ("application/octet-stream", made.blob[:50_000]),
    }
    path = tmp_path / "manifest.toml"
    write_manifest(path, made, site.url)
    monkeypatch.setattr(manifest, "PATH", path)
    monkeypatch.setenv("PIP_INDEX_URL", f"{site.url}/simple")
    return World(site, made, store, path)


@pytest.fixture
def command(capsys):
    """``command("pull", ...)`` runs `srqa weights pull ...`: exit code, output, complaints."""

    def call(*arguments):
        capsys.readouterr()
        try:
            code = run(["weights", *map(str, arguments)])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call
