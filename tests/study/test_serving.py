"""The real servers: started by the command, killed, interrupted, in an empty folder."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from support import srqa

from srqa.study import flow
from srqa.study import tables as t
from srqa.study.web import HEADERS

DEVICE = {"pixel_ratio": 1, "viewport": [1280, 800], "pixel_exact": True}


class Server:
    """`srqa study serve|admin` in a process of its own."""

    def __init__(self, folder, *arguments, command="serve", **environment):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.command, self.arguments = folder, command, arguments
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "srqa", "study", self.command, *self.arguments,
             "--port", str(self.port), "--address", "127.0.0.1"],
            cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                httpx2.get(f"{self.url}/_stcore/health", timeout=5)
                return self
            except httpx2.HTTPError:
                assert self.process.poll() is None, self.process.stdout.read()
                time.sleep(0.1)
        raise AssertionError("the server does not answer")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        said = self.process.communicate(timeout=60)[0]
        return self.process.returncode, said


@pytest.fixture
def serve(scene):
    started = []

    def start(*arguments, **more):
        started.append(Server(scene, *arguments, **more))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


def ready(study):
    """A new participant at the trials."""
    token = flow.enter(study, {"lang": "en"}).token
    for name, data in (("consent", {"agree": True}), ("device", DEVICE), ("instructions", {})):
        screen = flow.submit(study, token, name, data)
    assert screen.name == "trials"
    return token, screen.payload["trials"]


def body(trial, value):
    return {"assignment": trial["id"], "token": trial["token"], "value": value,
            "response_ms": 1000}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3])
def test_every_answer_acknowledged_survives_a_kill_and_none_is_there_twice(
    make_study, serve, kills
):
    study = make_study()
    people = [ready(study) for _ in range(6)]
    todo = [(trial, 1 + k % 5) for _, trials in people for k, trial in enumerate(trials)]
    server = serve("trial")
    acknowledged, lock = {}, threading.Lock()

    def send(job):
        trial, value = job
        try:
            reply = httpx2.post(f"{server.url}/srqa/answer", json=body(trial, value), timeout=20)
        except httpx2.HTTPError:
            return
        if reply.status_code == 200:
            with lock:
                acknowledged[trial["id"]] = (value, reply.json()["kept"])

    for round_ in range(kills):

        def strike(after=12 * (round_ + 1)):
            until = time.monotonic() + 60
            while len(acknowledged) < after and time.monotonic() < until:
                time.sleep(0.002)
            server.process.send_signal(signal.SIGKILL)

        killer = threading.Thread(target=strike)
        killer.start()
        left = [job for job in todo if job[0]["id"] not in acknowledged]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(send, left))
        killer.join()
        server.process.communicate()
        kept = {str(row["assignment"]): row["value"] for row in study.store.rows(t.response)}
        for key, (value, _) in acknowledged.items():
            assert kept[key] == value
        server.start()
    assert len(acknowledged) < len(todo)
    for job in [job for job in todo if job[0]["id"] not in acknowledged]:
        for _ in range(50):
            send(job)
            if job[0]["id"] in acknowledged:
                break
            time.sleep(0.3)
    rows = study.store.rows(t.response)
    assert len(rows) == len({row["assignment"] for row in rows}) == len(todo) == 144
    wanted = {int(trial["id"]): float(value) for trial, value in todo}
    assert {row["assignment"]: row["value"] for row in rows} == wanted
    assert all(flow.submit(study, token, "trials", {}).name == "done" for token, _ in people)


def test_pages_have_the_security_headers_and_an_interrupt_ends_it_well(make_study, serve):
    make_study()
    server = serve("trial")
    reply = httpx2.get(server.url)
    assert reply.status_code == 200
    for name, value in HEADERS.items():
        assert reply.headers[name] == value
    assert httpx2.get(f"{server.url}/srqa/stimulus/none").status_code == 404
    code, said = server.stop()
    assert "every answer is kept" in said
    assert code == 0, said
    assert f"http://127.0.0.1:{server.port}" in said
    assert "Traceback" not in said


def test_the_admin_has_no_routes_of_participants_and_the_other_way_round(make_study, serve):
    make_study()
    refused = srqa("study", "admin", "trial", "--port", "1", stdin=subprocess.DEVNULL)
    assert refused.returncode == 2
    server = serve("trial", command="admin", SRQA_ADMIN_PASSPHRASE="correct horse battery")
    assert httpx2.post(f"{server.url}/srqa/answer", json={}).status_code in (404, 405)
    code, said = server.stop()
    assert code == 0, said
    assert "horse" not in said


@pytest.mark.slow
def test_behind_a_path(make_study, serve):
    study = make_study()
    server = serve("trial", "--base-path", "/lab")
    token = flow.enter(study, {"lang": "en"}).token
    flow.submit(study, token, "consent", {"agree": True})
    url = flow.next(study, token, "/lab").payload["probe"]["url"]
    assert url.startswith("/lab/srqa/stimulus/")
    assert httpx2.get(server.url + url).headers["content-type"] == "image/png"
    assert "/lab" in server.stop()[1]


def test_a_port_that_is_taken_is_told(make_study):
    make_study()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = srqa("study", "serve", "trial", "--address", "127.0.0.1", "--port", str(port))
    assert done.returncode == 2
    assert re.search(f"Port {port} of 127.0.0.1 cannot be listened on", done.stderr)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_installed_wheel_serves_in_an_empty_folder(tmp_path):
    """Built, installed without its dependencies beside ours, started where nothing lies."""
    root = Path(__file__).parents[2]
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    wheel = next((tmp_path / "dist").glob("*.whl"))
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target",
         str(target), str(wheel)], check=True, capture_output=True,
    )  # fmt: skip
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {"PYTHONPATH": str(target)}
    where = subprocess.run(
        [sys.executable, "-c", "import srqa; print(srqa.__file__)"], cwd=empty, text=True,
        capture_output=True, check=True, env={**os.environ, **environment},
    ).stdout  # fmt: skip
    assert str(target) in where
    server = Server(empty, "demo", **environment)
    try:
        assert httpx2.get(server.url).status_code == 200
        assert (empty / "studies/demo/data/study.sqlite").exists()
        assert not list(target.rglob("study.sqlite"))
        assert server.stop()[0] == 0
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()
