"""A second run reads nothing that did not change, and everything that may have."""

import os
import sqlite3
import subprocess
import sys
import time

import imagecodecs
import pytest
import support
from support import noisy, picture, write

from srqa.engine import hashes
from srqa.engine.cache import Cache, default_path
from srqa.engine.hashes import Content, Stamp
from srqa.errors import ReadError


@pytest.fixture
def settled(monkeypatch):
    """As if all files had been written long ago."""
    monkeypatch.setattr(hashes, "SETTLED", 0)
    tick()


@pytest.fixture
def reads(monkeypatch):
    """``reads()`` gives the names of the files that were read since it was last asked."""
    names, read = [], hashes.read_bytes

    def noting(path):
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(hashes, "read_bytes", noting)

    def since():
        found = sorted(names)
        names.clear()
        return found

    return since


def tick():
    """Longer than file systems' clocks stand still here."""
    time.sleep(0.02)


def keep_times(path, change):
    """Change a file and set its time of writing back, as `rsync --times` and `cp -p` do."""
    status = path.stat()
    tick()
    change(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert path.stat().st_size == status.st_size


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


ALL = sorted(["a.png", "b.png", "c.png"] * 3)


class TestASecondRun:
    def test_reads_nothing(self, evaluate, settled, reads):
        first = evaluate()
        assert reads() == ALL
        second = evaluate()
        assert reads() == []
        assert second.score_rows == first.score_rows
        assert second.file_rows == first.file_rows

    def test_reads_all_for_another_metric_and_scores_what_is_there(self, evaluate, settled, reads):
        evaluate(metrics="psnr-y")
        reads()
        run = evaluate(metrics="psnr-y,ssim-y")
        assert reads() == ALL
        assert run.summary_rows == evaluate(cache=False).summary_rows

    def test_reads_all_if_told_to(self, evaluate, settled, reads):
        evaluate()
        reads()
        evaluate(rehash=True)
        assert reads() == ALL
        evaluate()
        assert reads() == []

    def test_reads_all_without_a_cache(self, evaluate, settled, reads):
        evaluate()
        reads()
        evaluate(cache=False)
        assert reads() == ALL

    def test_reads_a_touched_file_and_computes_nothing(
        self, evaluate, settled, reads, pictures, monkeypatch
    ):
        first = evaluate()
        reads()
        tick()
        (pictures / "hr" / "b.png").touch()
        monkeypatch.setattr("srqa.engine.runner.decode", None)
        assert evaluate().score_rows == first.score_rows
        assert reads() == ["b.png"]

    def test_finds_another_picture_of_the_same_size_and_time(self, evaluate, settled, pictures):
        """Written over in place: the inode is the same, only the system's own time tells."""
        path = pictures / "out" / "fine" / "b.png"
        plain = {"level": 0}
        for place in (path, pictures / "out" / "poor" / "b.png"):
            place.write_bytes(imagecodecs.png_encode(noisy(picture("b"), 3), **plain))
        before = evaluate().score_rows
        other = imagecodecs.png_encode(noisy(picture("b"), 9), **plain)
        keep_times(path, lambda p: p.write_bytes(other))
        after = evaluate().score_rows
        changed = [new.image for old, new in zip(before, after, strict=True) if old != new]
        assert changed == ["fine/b.png", "fine/b.png"]
        fresh = evaluate(cache=False).score_rows
        assert [row.value for row in after] == [row.value for row in fresh]

    def test_finds_a_file_that_was_put_in_its_place(self, evaluate, settled, pictures, reads):
        """With the size and all times of its forerunner, as far as anybody can set them."""
        evaluate()
        path = pictures / "out" / "fine" / "a.png"
        reads()

        def replace(path):
            data = path.read_bytes()
            other = path.with_name("other")
            other.write_bytes(data)
            other.replace(path)

        keep_times(path, replace)
        evaluate()
        assert reads() == ["a.png"]


def test_a_file_that_was_just_written_is_hashed_again(evaluate, reads):
    """Within a tick of the clock it could be written again, and nothing would show."""
    evaluate()
    assert reads() == ALL
    evaluate()
    assert reads() == ALL


def test_settled():
    second = 10**9
    file = Stamp(1, 2, written=100 * second, changed=90 * second)
    assert not file.settled(100 * second + hashes.SETTLED)
    assert file.settled(100 * second + hashes.SETTLED + 1)
    assert not Stamp(1, 2, 90 * second, 100 * second).settled(101 * second)
    assert not Stamp(1, 2, 200 * second, 100 * second).settled(150 * second)  # of another clock
    assert 4 * second <= hashes.SETTLED


def test_a_change_that_no_stamp_shows_gives_no_wrong_score(tmp_path, settled):
    """A damaged disk, or a clock that stood still: the pixels are never taken for the old ones."""
    path = write(tmp_path / "a.png", picture())
    cache = Cache(tmp_path / "c.sqlite")
    Content(path, cache)
    cache.close()
    tick()
    flip(path)
    cache = Cache(tmp_path / "c.sqlite")
    now = hashes.stamp(path)
    first = Cache(tmp_path / "c.sqlite")
    first.put_hash(os.fsencode(path), now.text, "0" * 64)
    first.close()
    content = Content(path, cache)
    assert content.sha256 == "0" * 64
    with pytest.raises(ReadError, match="was changed") as error:
        content.take()
    assert "--rehash" in error.value.hint
    cache.close()
    cache = Cache(tmp_path / "c.sqlite")
    assert Content(path, cache).sha256 != "0" * 64
    cache.close()


def test_a_file_that_changes_while_it_is_read_is_not_noted(tmp_path, settled, monkeypatch):
    path = write(tmp_path / "a.png", picture())
    read = hashes.read_bytes

    def reading(path):
        data = read(path)
        tick()
        flip(path)
        return data

    monkeypatch.setattr(hashes, "read_bytes", reading)
    cache = Cache(tmp_path / "c.sqlite")
    Content(path, cache)
    cache.close()
    cache = Cache(tmp_path / "c.sqlite")
    assert cache.hash_of(os.fsencode(path), hashes.stamp(path).text) is None
    cache.close()


def test_links_are_as_what_they_lead_to(tmp_path, settled):
    first, second = (write(tmp_path / name, picture(name)) for name in ("a.png", "b.png"))
    link = tmp_path / "link.png"
    link.symlink_to(first)
    cache = Cache(tmp_path / "c.sqlite")
    hashes_of = [Content(path, cache).sha256 for path in (first, second, link)]
    cache.close()
    link.unlink()
    link.symlink_to(second)
    cache = Cache(tmp_path / "c.sqlite")
    assert Content(link, cache).sha256 == hashes_of[1]
    cache.close()


def test_clearing_the_cache_forgets_hashes(evaluate, settled, reads):
    evaluate()
    cache = Cache()
    cache.clear()
    cache.close()
    reads()
    evaluate()
    assert reads() == ALL


def test_a_cache_of_an_earlier_version_has_no_hashes_yet(evaluate, settled, reads):
    evaluate()
    base = sqlite3.connect(default_path())
    base.execute("DROP TABLE hashes")
    base.commit()
    base.close()
    reads()
    run = evaluate()
    assert reads() == ALL
    assert not run.warnings
    evaluate()
    assert reads() == []


def test_an_unwritable_cache_costs_nothing_but_time(evaluate, settled, reads, monkeypatch):
    monkeypatch.setenv("SRQA_CACHE", "/proc/srqa")
    for _ in range(2):
        run = evaluate()
        assert "/proc/srqa" in run.warnings[0]
        assert reads() == ALL


def test_two_processes_note_hashes_together(tmp_path):
    """And the third, which reads nothing, finds what they found."""
    support.scene(tmp_path, contents=[f"p{i}" for i in range(8)], methods=("m", "n"))
    environment = support.environment(tmp_path / "cache")
    code = (
        "import sys; from srqa.engine import hashes; hashes.SETTLED = 0; "
        "from srqa.cli import run; sys.exit(run(sys.argv[1:]))"
    )
    command = [
        sys.executable, "-c", code, "evaluate", str(tmp_path / "out" / "m"),
        str(tmp_path / "out" / "n"), "--ref", str(tmp_path / "hr"), "--scale", "4",
        "-m", "psnr-y", "--format", "csv",
    ]  # fmt: skip
    tick()

    def start(more=()):
        return subprocess.Popen(
            [*command, *more], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    both = [start(), start(["--rehash"])]
    tables = []
    for process in both:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        tables.append(out)
    third, err = start().communicate(timeout=300)
    assert tables == [third, third], err
    cache = Cache(tmp_path / "cache" / "scores.sqlite")
    for path in sorted(tmp_path.rglob("*.png")):
        assert cache.hash_of(os.fsencode(path), hashes.stamp(path).text)
    cache.close()
