"""How fast a study's server acknowledges answers: `study_load.py --table --core 0`, two minutes.

Starts `srqa study serve` on 127.0.0.1, bound to one core, and lets participants answer one trial
every few seconds for a bounded time. Every acknowledged answer is then looked for in the database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import yaml

from srqa.study import flow
from srqa.study import tables as t
from srqa.study.pictures import encode
from srqa.study.study import open_study

MOST_SECONDS = 180
DEVICE = {"pixel_ratio": 1, "viewport": [1280, 800], "pixel_exact": True}


def make(folder: Path) -> Path:
    """A study of 20 contents and 5 methods."""
    rng = np.random.default_rng(0)
    for content in range(20):
        for method in ("a", "b", "c", "d", "e"):
            path = folder / "out" / method / f"{content:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)))
    file = folder / "studies" / "load" / "study.yaml"
    file.parent.mkdir(parents=True)
    definition = {
        "version": 1, "title": "Load", "method": "acr", "languages": ["en"],
        "stimuli": {"root": str(folder / "out"), "pattern": "{method}/{content}.png"},
        "session": {"break_every": 1000},
        "display": {"exact_pixels": "ignore", "min_viewport": [640, 480]},
    }  # fmt: skip
    file.write_text(yaml.safe_dump(definition))
    return file.parent


def serve(folder: Path, database: str | None, core: int | None) -> tuple[subprocess.Popen, int]:
    """The server's process and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--database", database] if database else []
    process = subprocess.Popen(
        [sys.executable, "-m", "srqa", "study", "serve", str(folder), "--port", str(port),
         "--address", "127.0.0.1", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            httpx2.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=5)
            return process, port
        except httpx2.HTTPError:
            if process.poll() is not None:
                raise SystemExit("The server does not start.") from None
            time.sleep(0.2)
    raise SystemExit("The server does not answer.")


def seconds_of(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def answer(port: int, people: list, pause: float, seconds: float) -> tuple[list, dict]:
    """Latencies, and the acknowledged answers."""
    waits: list[float] = []
    kept: dict[int, float] = {}
    limits = httpx2.Limits(max_connections=len(people), max_keepalive_connections=len(people))
    until = time.monotonic() + seconds
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30,
                                  limits=limits) as client:  # fmt: skip

        async def one(trials: list) -> None:
            await asyncio.sleep(random.random() * pause)
            for trial in trials:
                begun = time.monotonic()
                if begun >= until:
                    return
                value = random.randint(1, 5)
                body = {"assignment": trial["id"], "token": trial["token"], "value": value,
                        "response_ms": 1000 * pause, "pixel_exact": True}  # fmt: skip
                try:
                    reply = await client.post("/srqa/answer", json=body)
                except httpx2.TransportError:  # an idle connection was closed: send again
                    reply = await client.post("/srqa/answer", json=body)
                assert reply.status_code == 200, reply.text
                waits.append(time.monotonic() - begun)
                kept[int(trial["id"])] = value
                await asyncio.sleep(max(0.0, begun + pause - time.monotonic()))

        await asyncio.gather(*(one(trials) for trials in people))
    return waits, kept


def measure(database: str | None, given: argparse.Namespace) -> dict:
    """One run; `database` is an address, or None for SQLite."""
    seconds = min(given.seconds, MOST_SECONDS)
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        folder = make(Path(place))
        study = open_study(folder, database=database, prepare=True)
        people = []
        for _ in range(given.people):
            token = flow.enter(study, {}).token
            for name, data in (("consent", {"agree": True}), ("device", DEVICE),
                               ("instructions", {})):  # fmt: skip
                screen = flow.submit(study, token, name, data)
            people.append(screen.payload["trials"])
        process, port = serve(folder, database, given.core)
        try:
            before = seconds_of(process.pid)
            waits, kept = asyncio.run(answer(port, people, given.every, seconds))
            used = seconds_of(process.pid) - before
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        rows = {row["assignment"]: row["value"] for row in study.store.rows(t.response)}
        lost = [key for key, value in kept.items() if rows.get(key) != value]
        p50, p95, p99 = (1000 * float(np.quantile(waits, q)) for q in (0.5, 0.95, 0.99))
        found = {
            "database": study.store.database.url.get_backend_name(), "people": given.people,
            "answers": len(waits), "per_second": round(len(waits) / seconds, 1),
            "p50_ms": round(p50, 1), "p95_ms": round(p95, 1), "p99_ms": round(p99, 1),
            "cpu_ms_an_answer": round(1000 * used / len(waits), 2),
            "fsync_ms": round(fsync_ms(Path(place)), 2), "lost": len(lost),
            "twice": len(study.store.rows(t.response)) - len(rows),
            "waiting": os.getloadavg()[0], "nice": os.nice(0),
        }  # fmt: skip
        study.store.database.close()
        return found


def fsync_ms(folder: Path, times: int = 50) -> float:
    """Median milliseconds until a page of a file is on the disk: what a commit costs at least."""
    took = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(bytes(4096))
            begun = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begun)
    return 1000 * float(np.median(took))


@contextlib.contextmanager
def postgres_of_its_own(parent: str | None) -> Iterator[str]:
    """A PostgreSQL server that lives as long as the run; its files lie below `parent`."""
    sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ("study", "")]
    from conftest import folder_of_servers  # the tests' own

    binaries = folder_of_servers()
    if binaries is None:
        raise SystemExit("No PostgreSQL: install Debian's postgresql.")
    folder = Path(tempfile.mkdtemp(prefix="srqa-pg-", dir=parent))
    who = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = next(e for e in pwd.getpwall() if e.pw_name in ("postgres", "nobody"))
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(folder, user.pw_uid, user.pw_gid)
    data, quiet = folder / "data", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E",
                    "UTF8"], check=True, cwd=folder, **quiet, **who)  # fmt: skip
    server = subprocess.Popen([binaries / "postgres", "-D", data, "-k", folder, "-c",
                               "listen_addresses="], cwd=folder, **quiet, **who)  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not list(folder.glob(".s.PGSQL.*[0-9]")):
            if time.monotonic() > until or server.poll() is not None:
                raise SystemExit("The PostgreSQL server does not start.")
            time.sleep(0.2)
        time.sleep(1)
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def row(found: dict) -> str:
    """A row of the table in docs/studies.md."""
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[found["database"]]
    return (
        f"| {name} | {found['people']} | {found['per_second']:.0f} | {found['p50_ms']:,.0f} ms | "
        f"{found['p95_ms']:,.0f} ms | {found['cpu_ms_an_answer']:.1f} ms | "
        f"{found['fsync_ms']:.1f} ms | {found['lost']} | {found['waiting']:.1f} |"
    )


def main() -> None:
    """Run it and print JSON, or rows of Markdown."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=100)
    options.add_argument("--every", type=float, default=5.0, help="seconds between answers")
    options.add_argument("--seconds", type=float, default=40.0, help="of each run, 180 at most")
    options.add_argument("--database", help="postgresql://...; SQLite without")
    options.add_argument("--core", type=int, help="bind the server to this core")
    options.add_argument("--folder", help="where databases lie; the system's temporary folder")
    options.add_argument(
        "--table", action="store_true", help="SQLite, then a PostgreSQL of its own, in Markdown"
    )
    given = options.parse_args()
    if not given.table:
        print(json.dumps(measure(given.database, given)))
        return
    print("| database | people | answers a second | p50 | p95 | processor time an answer | "
          "fsync, median | lost | load average |\n" + "|---" * 9 + "|", flush=True)  # fmt: skip
    print(row(measure(None, given)), flush=True)
    with postgres_of_its_own(given.folder) as address:
        print(row(measure(address, given)), flush=True)


if __name__ == "__main__":
    main()
