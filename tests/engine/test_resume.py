"""A Run that was killed and resumed equals one that was not."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from textwrap import dedent

import pytest
import support
from support import noisy, picture, write

import srqa
from srqa.engine.results import Run
from srqa.engine.storage import JOURNAL, MANIFEST
from srqa.errors import RunError

SLOW = """
    import os, time
    from pathlib import Path
    from srqa.metrics.spec import MetricSpec

    def slow(distorted, reference):
        counts = Path(os.environ["COUNTS"])
        with counts.open("a") as stream:
            stream.write("x")
        time.sleep(float(os.environ["PAUSE"]))
        while counts.stat().st_size > int(os.environ["STOP_AFTER"]):
            if counts.with_name("go-on").exists():
                break
            time.sleep(0.01)
        return float(abs(distorted - reference).mean())

    METRICS = [MetricSpec("slow", slow, "takes its time", higher_is_better=False)]
"""
FILES = {
    *(f"{table}.{kind}" for table in ("scores", "summary", "files") for kind in ("csv", "parquet")),
    MANIFEST,
}
CHANGING = {"command", "started", "finished"}
PATIENCE = 300  # seconds; only what hangs takes so long

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


class Place:
    """Pictures, and the program on them in a process of its own.

    A process that is started with `stop_after` waits within the metric once that many pictures were
    begun, until `go_on`: on no machine is it done before it can be interrupted. By then at most
    three of these are not in the journal, which two workers fill reference by reference.
    """

    def __init__(self, folder, contents=16):
        names = [f"p{i}" for i in range(contents)]
        support.scene(folder, names)
        site = support.install(folder / "site", SLOW)
        self.folder = folder
        self.counts = folder / "counts"
        self.environment = support.environment(folder / "cache", site) | {
            "COUNTS": str(self.counts),
            "PAUSE": "0",
            "STOP_AFTER": "1000",
        }

    def popen(self, *arguments, pause=0.0, stop_after=1000):
        return subprocess.Popen(
            [*support.SRQA, "evaluate", "out", "--ref", "hr", "--scale", "4", "--workers", "2",
             *arguments],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment | {"PAUSE": str(pause), "STOP_AFTER": str(stop_after)},
        )  # fmt: skip

    def start(self, out, *more, pause=0.0, stop_after=1000):
        arguments = ("-m", "psnr-y,slow", "--no-cache", "--out", out, *more)
        return self.popen(*arguments, pause=pause, stop_after=stop_after)

    def run(self, out, *more, pause=0.0):
        process = self.start(out, *more, pause=pause)
        printed, said = process.communicate(timeout=PATIENCE)
        return process.returncode, printed, said

    def go_on(self):
        self.counts.with_name("go-on").touch()

    def interrupt(self, process):
        """As Ctrl-C does; returns what it printed and said."""
        process.send_signal(signal.SIGINT)
        self.go_on()
        return process.communicate(timeout=PATIENCE)

    def computed(self):
        n = len(self.counts.read_text()) if self.counts.exists() else 0
        self.counts.write_text("")
        return n

    def lines(self, out):
        journal = self.folder / out / JOURNAL
        return journal.read_text().splitlines() if journal.exists() else []

    def wait_until(self, true, process):
        end = time.monotonic() + PATIENCE
        while not true():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.005)

    def wait_for(self, out, lines, process):
        self.wait_until(lambda: len(self.lines(out)) >= lines, process)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def tables(folder):
    """All that must be equal: every table without seconds, and the manifest without times."""
    run = Run.load(folder)
    texts = {p.name: p.read_text() for p in folder.glob("*.csv")}
    manifest = {k: v for k, v in run.manifest.items() if k not in CHANGING}
    scores = [replace(row, seconds=0.0) for row in run.score_rows]
    return scores, run.summary_rows, run.file_rows, texts, manifest


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Pictures with a Run that nothing disturbed, and how long it took."""
    place = Place(tmp_path_factory.mktemp("kill"))
    begun = time.monotonic()
    code, _, said = place.run("whole", pause=0.02)
    assert code == 0, said
    return place, time.monotonic() - begun


class TestSigkill:
    @pytest.mark.parametrize("moment", range(10))
    def test_at_a_random_moment(self, world, moment):
        """Ten moments spread over the whole process: imports, journal, tables, end."""
        place, whole = world
        out = f"run{moment}"
        when = whole * (moment + random.Random(moment).random()) / 10
        process = place.start(out, pause=0.02)
        time.sleep(when)
        process.kill()
        process.communicate()
        before = len(place.lines(out))
        complete = (place.folder / out / MANIFEST).exists()
        place.computed()
        code, printed, said = place.run(out, "--resume")
        assert code == 0, said
        assert tables(place.folder / out) == tables(place.folder / "whole")
        assert {p.name for p in (place.folder / out).iterdir()} == FILES
        if before > 1 and not complete:
            assert place.computed() <= 32 - (before - 2)  # its last line may be cut
        assert "psnr-y" in printed

    @pytest.mark.parametrize("lines", [1, 5, 21, 29])
    def test_when_the_journal_has_so_many_lines(self, place, lines):
        process = place.start("run", stop_after=lines + 2)
        place.wait_for("run", lines, process)
        process.kill()
        process.communicate()
        kept = len(place.lines("run")) - 1
        assert lines - 1 <= kept < 32
        with pytest.raises(RunError, match="was interrupted"):
            Run.load(place.folder / "run")
        place.computed()
        code, _, said = place.run("run", "--resume")
        assert code == 0, said
        assert place.computed() <= 32 - kept
        assert place.run("whole")[0] == 0
        assert tables(place.folder / "run") == tables(place.folder / "whole")

    def test_while_the_tables_are_written(self, place):
        """Killed at each of the writes that make a Run: no table is ever taken for a Run."""
        assert place.run("whole")[0] == 0
        code = """
            import os, pathlib, sys
            from srqa import files
            from srqa.engine import journal, storage
            n = int(os.environ["KILL_AT"])
            real = pathlib.Path.replace
            count = 0
            def replace(self, target):
                global count
                count += 1
                if count == n:
                    os._exit(9)
                return real(self, target)
            pathlib.Path.replace = replace
            from srqa.cli import main
            main(sys.argv[1:])
        """
        for n in (1, 2, 5, 8):  # of the journal's beginning, six tables, the manifest
            arguments = ["evaluate", "out", "--ref", "hr", "--scale", "4", "-m", "psnr-y,slow",
                         "--no-cache", "--workers", "2", "--out", f"w{n}"]  # fmt: skip
            died = subprocess.run(
                [sys.executable, "-c", dedent(code), *arguments],
                cwd=place.folder, env=place.environment | {"KILL_AT": str(n), "PAUSE": "0"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert died.returncode == 9, died.stderr
            assert not (place.folder / f"w{n}" / MANIFEST).exists()
            assert support.srqa("compare", place.folder / f"w{n}").returncode == 3
            place.computed()
            assert place.run(f"w{n}", "--resume")[0] == 0
            assert place.computed() == (32 if n == 1 else 0)
            assert tables(place.folder / f"w{n}") == tables(place.folder / "whole")
            assert {p.name for p in (place.folder / f"w{n}").iterdir()} == FILES


class TestInterrupt:
    def test_ctrl_c(self, place):
        process = place.start("run", pause=0.1, stop_after=8)
        place.wait_for("run", 4, process)
        printed, said = place.interrupt(process)
        assert process.returncode == 130
        assert printed == ""
        support.assert_one_sentence(said, "Interrupted after", "of 32 pictures", "--resume")
        assert not (place.folder / "run" / MANIFEST).exists()
        assert place.run("run")[0] == 3
        code, _, said = place.run("run", "--resume")
        assert code == 0, said
        assert place.run("whole")[0] == 0
        assert tables(place.folder / "run") == tables(place.folder / "whole")

    def test_ctrl_c_without_a_folder(self, place):
        process = place.popen("-m", "slow", pause=0.1, stop_after=1)
        place.wait_until(place.counts.exists, process)
        printed, said = place.interrupt(process)
        assert (process.returncode, printed) == (130, "")
        support.assert_one_sentence(said, "Interrupted")
        assert "--out" not in said

    def test_what_was_computed_is_in_the_cache(self, place):
        process = place.popen("-m", "slow", pause=0.1, stop_after=8)
        place.wait_until(
            lambda: place.counts.exists() and place.counts.stat().st_size >= 5, process
        )
        place.interrupt(process)
        assert process.returncode == 130
        done = place.computed()
        again = place.popen("-m", "slow")
        _, said = again.communicate(timeout=PATIENCE)
        assert again.returncode == 0, said
        assert place.computed() == 32 - done > 0


class TestRefusals:
    @pytest.fixture
    def interrupted(self, place):
        process = place.start("run", stop_after=8)
        place.wait_for("run", 6, process)
        process.kill()
        process.communicate()
        return place

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            (["-m", "psnr-y"], "metrics"),
            (["--protocol", "matlab"], "protocol"),
            (["--depth", "16"], "protocol"),
            (["--alpha", "white"], "decode_policy"),
            (["--on-mismatch", "crop"], "on_mismatch"),
        ],
    )
    def test_other_settings(self, interrupted, options, word):
        lines = interrupted.lines("run")
        code, printed, said = interrupted.run("run", "--resume", *options)
        assert (code, printed) == (3, "")
        support.assert_one_sentence(said, f"other settings ({word})", "--overwrite")
        assert interrupted.lines("run") == lines
        assert interrupted.run("run", "--resume")[0] == 0

    def test_without_being_told(self, interrupted):
        code, printed, said = interrupted.run("run")
        assert (code, printed) == (3, "")
        support.assert_one_sentence(said, "holds an interrupted Run", "--resume", "--overwrite")
        interrupted.computed()
        assert interrupted.run("run", "--overwrite")[0] == 0
        assert interrupted.computed() == 32

    def test_reading_an_interrupted_run(self, interrupted):
        for subcommand in ("compare", "report"):
            outcome = support.srqa(subcommand, interrupted.folder / "run")
            assert outcome.returncode == 3
            support.assert_one_sentence(outcome.stderr, "was interrupted", "--resume")

    def test_a_complete_run(self, evaluate, pictures):
        out = pictures / "run"
        first = evaluate(out=out)
        with pytest.raises(RunError, match="holds a Run already"):
            evaluate(out=out)
        with pytest.raises(RunError, match="made with other settings"):
            evaluate(out=out, resume=True, metrics="psnr")
        # As text, since a missing interval equals no other.
        assert str(Run.load(out).summary_rows) == str(first.summary_rows)
        assert str(evaluate(out=out, resume=True).summary_rows) == str(first.summary_rows)
        other = evaluate(out=out, overwrite=True, metrics="psnr")
        assert Run.load(out).metrics == other.metrics == ["psnr"]

    def test_two_processes_on_one_folder(self, place):
        """Whoever comes second is told so, whatever it asks for, and the first is not disturbed."""
        first = place.start("run", stop_after=4)
        place.wait_for("run", 2, first)
        for more in ([], ["--resume"], ["--overwrite"]):
            code, printed, said = place.run("run", *more)
            assert (code, printed) == (3, "")
            support.assert_one_sentence(said, "Another process is writing the Run in run")
        place.go_on()
        _, said = first.communicate(timeout=PATIENCE)
        assert first.returncode == 0, said
        assert {p.name for p in (place.folder / "run").iterdir()} == FILES
        assert place.run("whole")[0] == 0
        assert tables(place.folder / "run") == tables(place.folder / "whole")

    def test_many_processes_at_once(self, place):
        """Exactly one of several that start together makes the Run."""
        started = [place.start("run", pause=0.005) for _ in range(4)]
        ended = [process.communicate(timeout=PATIENCE) for process in started]
        codes = sorted(process.returncode for process in started)
        assert codes == [0, 3, 3, 3], ended
        assert {p.name for p in (place.folder / "run").iterdir()} == FILES


class TestJournal:
    @pytest.fixture
    def half(self, evaluate, pictures):
        """A Run whose evaluation stopped after three of six pictures."""

        def stop(done, total):
            if done == 3:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            evaluate(out=pictures / "run", progress=stop, cache=False, workers=1)
        assert len((pictures / "run" / JOURNAL).read_text().splitlines()) == 4
        return pictures / "run"

    def resume(self, evaluate, folder):
        """The resumed Run, and how many pictures were taken over."""
        seen = []
        run = evaluate(
            out=folder, resume=True, cache=False, progress=lambda done, total: seen.append(done)
        )
        return run, seen[0]

    def equal(self, evaluate, run):
        whole = evaluate(cache=False)
        assert run.summary_rows == whole.summary_rows
        assert run.file_rows == whole.file_rows

    def test_goes_on(self, evaluate, half):
        run, taken = self.resume(evaluate, half)
        assert taken == 3
        self.equal(evaluate, run)
        assert {p.name for p in half.iterdir()} == FILES

    @pytest.mark.parametrize("cut", [1, 20, 200])
    def test_last_line_is_cut(self, evaluate, half, cut):
        journal = half / JOURNAL
        journal.write_bytes(journal.read_bytes()[:-cut])
        run, taken = self.resume(evaluate, half)
        assert taken in ((3,) if cut == 1 else (2,))
        self.equal(evaluate, run)

    @pytest.mark.parametrize("text", ["", '{"settings"', "\n", "[]\n", "\x00\x00\x00"])
    def test_nothing_but_a_beginning(self, evaluate, half, text):
        (half / JOURNAL).write_text(text)
        try:
            run, taken = self.resume(evaluate, half)
        except RunError:
            pytest.fail("a journal that was cut at its start is no journal")
        assert taken == 0
        self.equal(evaluate, run)

    def test_damaged_in_the_middle(self, evaluate, half):
        lines = (half / JOURNAL).read_text().splitlines()
        lines[2] = lines[2][:40] + "\udcff" * 3
        (half / JOURNAL).write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
        run, taken = self.resume(evaluate, half)
        assert taken == 2
        self.equal(evaluate, run)

    @pytest.mark.parametrize("key", ["item", "scores", "files", "stamps"])
    def test_a_line_that_lacks_something(self, evaluate, half, key):
        lines = [json.loads(line) for line in (half / JOURNAL).read_text().splitlines()]
        del lines[1][key]
        (half / JOURNAL).write_text("".join(json.dumps(line) + "\n" for line in lines))
        run, taken = self.resume(evaluate, half)
        assert taken == 2
        self.equal(evaluate, run)

    def test_a_changed_output_is_computed_again(self, evaluate, half, pictures):
        lines = [json.loads(line) for line in (half / JOURNAL).read_text().splitlines()[1:]]
        content, method = lines[0]["item"][1], lines[0]["item"][3]
        write(pictures / "out" / method / f"{content}.png", noisy(picture(content, 32, 40), 25))
        run, taken = self.resume(evaluate, half)
        assert taken == 2
        self.equal(evaluate, run)

    def test_a_changed_reference_is_computed_again(self, evaluate, half, pictures):
        lines = [json.loads(line) for line in (half / JOURNAL).read_text().splitlines()[1:]]
        content = lines[0]["item"][1]
        affected = sum(line["item"][1] == content for line in lines)
        path = pictures / "hr" / f"{content}.png"
        os.utime(path, ns=(1, 1))
        run, taken = self.resume(evaluate, half)
        assert taken == 3 - affected
        self.equal(evaluate, run)

    def test_new_and_missing_pictures(self, evaluate, half, pictures):
        write(pictures / "hr" / "d.png", picture("d"))
        for method in ("fine", "poor"):
            write(pictures / "out" / method / "d.png", noisy(picture("d"), 3))
        run, taken = self.resume(evaluate, half)
        assert taken == 3
        assert len(run.score_rows) == 16
        self.equal(evaluate, run)

    def test_failures_are_taken_over_only_if_they_may_last(self, evaluate, pictures):
        """A picture that failed is tried again: what was in its way may be gone."""
        victim = pictures / "out" / "fine" / "a.png"
        whole = victim.read_bytes()
        victim.write_bytes(b"")

        def stop(done, total):
            if done == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            evaluate(out=pictures / "run", progress=stop, workers=1)
        victim.write_bytes(whole)
        run = srqa.evaluate(
            pictures / "out", pictures / "hr", scale=4, out=pictures / "run", resume=True
        )
        assert run.problems == []
