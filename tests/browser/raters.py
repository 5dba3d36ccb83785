"""Studies that are served for real, and participants who walk through them in a real browser.

A participant waits for what the page shows (`expect`, `until`), and answers as people do: by
buttons, keys and touch. Screenshots are compared with the files of the study bit for bit.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pages import PATIENCE, expect, settle, until
from PIL import Image

from srqa.study import tables as t
from srqa.study.study import Study, open_study

CODE = "THANKS-4711"
PASSPHRASE = "correct horse battery"
METHODS = ("qqcubic", "qqsharp", "qqnearest")  # names that occur nowhere else in a page
SIZE = (96, 128)


def picture(content: int, method: int) -> np.ndarray:
    """Noise: whatever is resampled or moved by part of a pixel shows at once."""
    rng = np.random.default_rng([content, method])
    return rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def make_study(folder: Path, method: str, contents: int = 2, **changes: Any) -> Path:
    """A small study of noise pictures; `changes` replace parts of its definition."""
    for c in range(contents):
        for m, name in enumerate((*METHODS, "hr")):
            path = folder / "pictures" / name / f"scene{c}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture(c, m)).save(path)
    stimuli = {"root": "pictures", "pattern": "{method}/{content}.png"}
    stimuli["reference"] = {"method": "hr"}
    definition = {
        "version": 1,
        "title": {"en": "A study of noise", "zh": "噪声研究"},
        "method": method,
        "stimuli": stimuli,
        "session": {"trials": 4, "break_every": 3, "min_gap_same_content": 0},
        "display": {"min_viewport": [400, 400], "gap_ms": 60, "exact_pixels": "require"},
        "participants": {
            "platform": {"name": "other", "id_params": ["PID"], "completion_code": "env:TEST_CODE"}
        },
    }
    for key, value in changes.items():
        old = definition.get(key)
        merged = isinstance(old, dict) and isinstance(value, dict)
        definition[key] = old | value if merged else value
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8")
    return folder


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Served:
    """A study that is served by a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, command: str = "serve", base: str = "") -> None:
        self.folder, self.port, self.base = folder, free_port(), base
        self.command = [command, *(["--base-path", base] if base else [])]
        self.log = folder / "server.log"
        self.process: subprocess.Popen | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.base}{'/' if self.base else ''}"

    def start(self) -> None:
        environment = os.environ | {"TEST_CODE": CODE, "SRQA_ADMIN_PASSPHRASE": PASSPHRASE}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "srqa", "study", *self.command, str(self.folder), "--port",
                 str(self.port), "--address", "127.0.0.1"],
                env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE / 1000
        while True:
            if answers(self.url + "_stcore/health"):
                return
            assert self.process.poll() is None, self.log.read_text(errors="replace")
            assert time.monotonic() < end, "the server does not start"
            time.sleep(0.1)

    def kill(self, how: int = signal.SIGKILL) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def study(self) -> Study:
        """The same study, read from its database by the test."""
        return open_study(self.folder)

    def answers(self) -> list[Any]:
        return self.study().store.rows(t.response)

    def participants(self) -> list[Any]:
        return self.study().store.participants()


@contextlib.contextmanager
def served(folder: Path, method: str, base: str = "", **changes: Any) -> Iterator[Served]:
    one = Served(make_study(folder, method, **changes), base=base)
    try:
        yield one
    finally:
        one.kill()


class Participant:
    """Somebody in front of a browser."""

    def __init__(self, page: Any, study: Study) -> None:
        self.page, self.study = page, study
        self.rater = page.locator(".rater")
        self.requested: list[str] = []
        page.on("request", lambda request: self.requested.append(request.url))

    def stimuli(self) -> dict[str, np.ndarray]:
        """Pictures that the page has asked for, as the server's files hold them."""
        found = {}
        for url in set(self.requested):
            if "/srqa/stimulus/" in url:
                opaque = url.rpartition("/")[2]
                file = self.study.stimulus_file(opaque)
                assert file is not None
                found[opaque] = np.asarray(Image.open(file).convert("RGB"))
        return found

    def at(self, *screens: str) -> str:
        """Wait for one of these screens, and say which it is."""
        wanted = " || ".join(f"now === {name!r}" for name in screens)
        until(self.page, f"((now) => {wanted})({NOW})")
        return str(self.rater.get_attribute("data-screen"))

    def button(self, name: str) -> Any:
        return self.rater.get_by_role("button", name=name)

    def press(self, name: str) -> None:
        self.button(name).click()

    def begin(self, words: dict[str, str]) -> None:
        """From the first screen to the first trial."""
        self.at("consent")
        self.press(words["agree"])
        self.at("device")
        self.press(words["continue"])
        self.at("instructions")
        self.press(words["ready"])
        self.at("training", "trials")

    def asked(self) -> str:
        """Wait until a picture can be answered, or words are there instead; the screen's name."""
        until(self.page, f"({OPEN}) || ['break', 'questions', 'done', 'ended'].includes({NOW})")
        settle(self.page)
        return str(self.rater.get_attribute("data-screen"))

    def screen(self) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def shown(self) -> list[tuple[str, int, int]]:
        """Pictures of the study that stand on the screen bit for bit: address and place."""
        screen = self.screen()
        found = [(opaque, place(screen, one)) for opaque, one in self.stimuli().items()]
        return [(opaque, *where) for opaque, where in found if where is not None]

    def done(self) -> str:
        """Progress as the page tells it."""
        return str(self.rater.locator(".progress").inner_text())


NOW = "globalThis.rater?.()?.dataset.screen"
OPEN = "rater()?.querySelector('.trial .answers :is(button.option, input):enabled') != null"
FIND = """
globalThis.rater = () => {
  for (const host of document.querySelectorAll("*")) {
    const found = host.shadowRoot?.querySelector(".rater");
    if (found) return found;
  }
  return null;
};
"""


def place(screen: np.ndarray, wanted: np.ndarray) -> tuple[int, int] | None:
    """Where a picture stands in a screenshot, if it does so exactly."""
    packed = [a.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32) for a in (screen, wanted)]
    height, width = wanted.shape[:2]
    rows, columns = np.nonzero(packed[0] == packed[1][0, 0])
    for y, x in zip(rows, columns, strict=True):
        if np.array_equal(packed[0][y : y + height, x : x + width], packed[1]):
            return int(x), int(y)
    return None


def answer(one: Participant, method: str, how: str, choice: int = 0) -> None:
    """Answer a trial that is on show, by "key" or "click"."""
    page = one.page
    if method == "slider":
        slider = one.rater.get_by_role("slider")
        if how == "key":
            page.keyboard.press("ArrowRight")
            page.keyboard.press("PageUp")
            page.keyboard.press("Enter")
        else:
            box = slider.bounding_box()
            page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2)
            one.rater.locator(".answers button.main").click()
    elif how == "key":
        keys = ("ArrowLeft", "ArrowRight") if method == "pair" else ("ArrowLeft", "ArrowDown")
        page.keyboard.press(keys[choice % 2] if method.startswith("pair") else str(1 + choice % 5))
    else:
        options = one.rater.locator(".answers button.option")
        options.nth(choice % options.count()).click()


def answered(one: Participant, before: str) -> None:
    """Wait until the answer has been taken: another trial counts, or another screen is there."""
    until(
        one.page,
        f"{NOW} !== 'trials' && {NOW} !== 'training' || "
        f"rater().querySelector('.progress')?.textContent !== {before!r}",
    )


def words_of(study: Study, locale: str) -> dict[str, str]:
    text = study.text(locale)
    return {
        "agree": text("consent.agree"),
        "continue": text("device.go"),
        "ready": text("instructions.go"),
        "go": text("break.go"),
        "next": text("training.next"),
        "thanks": text("done.title"),
        "finish": text("questions.go"),
    }


def finish(
    one: Participant, words: dict[str, str], how: Sequence[str] = ("key",), look: Any = None
) -> int:
    """Answer whatever is asked until the end; how many trials that were."""
    method = one.study.definition.method
    count = 0
    while True:
        now = one.asked()
        if now == "break":
            one.press(words["go"])
            one.at("trials")
            continue
        if now not in ("training", "trials"):
            return count
        if look:
            look(count)
        before = one.done()
        answer(one, method, how[count % len(how)], count)
        count += 1
        if now == "training":
            one.press(words["next"])
        answered(one, before)


def stay_quiet(complaints: Sequence[str]) -> list[str]:
    """What a page said that it should not; a dropped line or a stopped server may be told."""
    allowed = ("WebSocket", "net::ERR", "Failed to load", "Failed to fetch")
    return [line for line in complaints if not any(word in line for word in allowed)]


__all__ = [
    "CODE", "FIND", "METHODS", "NOW", "Participant", "Served", "answer", "answered", "expect",
    "finish", "make_study", "picture", "served", "stay_quiet", "words_of",
]  # fmt: skip
