"""The cache of scores: nothing is computed twice, nothing stale is used, nothing stops at it."""

import sqlite3
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import support
from support import noisy, picture, write

from srqa.engine.cache import Cache, CachedScore, default_path, digest
from srqa.engine.protocol import get_protocol
from srqa.images.read import DecodePolicy

COUNTING = """
    import os
    from pathlib import Path
    from srqa.metrics.spec import MetricSpec

    def counted(name):
        def function(distorted, reference):
            with Path(os.environ["COUNTS"]).open("a") as stream:
                stream.write(name + "\\n")
            return float(((distorted - reference) ** 2).mean())
        return function

    METRICS = [MetricSpec(name, counted(name), "counts its calls") for name in ("one", "two")]
    METRICS.append(MetricSpec("newer", counted("newer"), "has a version", version=VERSION))
"""


@pytest.fixture
def calls(plugin, tmp_path, monkeypatch):
    """``calls()`` gives the metrics that were computed since it was last asked."""
    log = tmp_path / "counts"
    log.touch()
    monkeypatch.setenv("COUNTS", str(log))
    plugin(COUNTING.replace("VERSION", "1"))

    def since():
        names = sorted(log.read_text().split())
        log.write_text("")
        return names

    return since


class TestOnlyWhatIsNew:
    def test_nothing_the_second_time(self, evaluate, calls):
        first = evaluate(metrics="one,two")
        assert calls() == ["one"] * 6 + ["two"] * 6
        second = evaluate(metrics="one,two")
        assert calls() == []
        assert second.score_rows == first.score_rows
        assert second.summary_rows == first.summary_rows
        assert second.file_rows == first.file_rows

    def test_another_metric(self, evaluate, calls):
        evaluate(metrics="one")
        calls()
        evaluate(metrics="one,two")
        assert calls() == ["two"] * 6

    def test_another_method(self, evaluate, calls, pictures):
        evaluate(metrics="one")
        calls()
        for content in "abc":
            write(pictures / "out" / "third" / f"{content}.png", noisy(picture(content), 20, 5))
        run = evaluate(metrics="one")
        assert calls() == ["one"] * 3
        assert run.methods == ["fine", "poor", "third"]

    def test_one_pixel(self, evaluate, calls, pictures):
        before = evaluate(metrics="one")
        calls()
        changed = picture("b", 32, 40)
        changed[16, 16, 1] ^= 255
        write(pictures / "out" / "fine" / "b.png", changed)
        after = evaluate(metrics="one")
        assert calls() == ["one"]
        differing = [
            (old.image, old.value != new.value)
            for old, new in zip(before.score_rows, after.score_rows, strict=True)
        ]
        assert [name for name, differs in differing if differs] == ["fine/b.png"]

    def test_a_changed_reference(self, evaluate, calls, pictures):
        evaluate(metrics="one")
        calls()
        write(pictures / "hr" / "b.png", noisy(picture("b", 32, 40), 1))
        evaluate(metrics="one")
        assert calls() == ["one"] * 2

    def test_the_same_pictures_under_other_names(self, evaluate, calls, pictures):
        evaluate(metrics="one")
        calls()
        (pictures / "out" / "fine").rename(pictures / "out" / "renamed")
        assert evaluate(metrics="one").methods == ["poor", "renamed"]
        assert calls() == []

    @pytest.mark.parametrize(
        "options",
        [
            {"protocol": "matlab"},
            {"protocol": replace(get_protocol("sr"), crop=2)},
            {"scale": 2},
            {"depth": 16},
            {"on_mismatch": "crop"},
            {"policy": DecodePolicy(alpha="white")},
        ],
    )
    def test_other_rules(self, evaluate, calls, options):
        evaluate(metrics="one")
        calls()
        evaluate(metrics="one", **options)
        assert calls() == ["one"] * 6

    def test_a_protocol_that_differs_in_name_alone(self, evaluate, calls):
        evaluate(metrics="one")
        calls()
        evaluate(metrics="one", protocol=replace(get_protocol("sr"), name="mine"))
        assert calls() == []

    def test_a_new_version_of_a_metric(self, evaluate, calls, plugin):
        evaluate(metrics="newer")
        assert len(calls()) == 6
        plugin(COUNTING.replace("VERSION", "2"))
        evaluate(metrics="newer")
        assert len(calls()) == 6

    def test_no_cache(self, evaluate, calls):
        evaluate(metrics="one", cache=False)
        evaluate(metrics="one", cache=False)
        assert calls() == ["one"] * 12
        assert not default_path().exists()


def test_infinite_and_missing_values_come_back(tmp_path):
    path = tmp_path / "c.sqlite"
    cache = Cache(path)
    scores = {
        digest(1): CachedScore(float("inf"), "", 0.5),
        digest(2): CachedScore(float("nan"), "n/a: too small", 0.0),
        digest(3): CachedScore(1 / 3, "", 0.0),
    }
    for key, score in scores.items():
        cache.put_score(key, score)
    cache.close()
    cache = Cache(path)
    found = cache.scores([*scores, digest(4)])
    cache.close()
    assert len(found) == 3
    assert found[digest(1)] == scores[digest(1)]
    assert np.isnan(found[digest(2)].value)
    assert found[digest(2)].problem == "n/a: too small"
    assert found[digest(3)].value == 1 / 3


def test_keys_tell_their_parts_apart():
    keys = [digest("a", "bc"), digest("ab", "c"), digest("a", ["bc"]), digest(1), digest("1")]
    assert len(set(keys)) == len(keys)


def in_the_way(path):
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.write_text("a file")


def no_database(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is no database, but long enough to look at" * 50)


def a_folder(path):
    path.mkdir(parents=True)


def another_table(path):
    path.parent.mkdir(parents=True)
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE scores (other TEXT)")
    base.commit()
    base.close()


def damaged_inside(path):
    cache = Cache(path)
    for i in range(2000):
        cache.put_score(digest(i), CachedScore(1.0, "", 0.0))
    cache.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


SPOILT = [in_the_way, no_database, a_folder, another_table, damaged_inside]


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_cache_that_cannot_be_used_warns_and_no_more(evaluate, spoil):
    spoil(default_path())
    run = evaluate()
    assert not run.problems
    assert len(run.score_rows) == 12
    (warning,) = run.warnings
    assert str(default_path()) in warning
    assert "is not used" in warning
    assert run.summary_rows == evaluate(cache=False).summary_rows


def test_a_cache_that_may_not_be_written(evaluate, tmp_path, monkeypatch):
    monkeypatch.setenv("SRQA_CACHE", "/proc/srqa")
    run = evaluate()
    assert len(run.score_rows) == 12
    assert "/proc/srqa" in run.warnings[0]


def test_two_processes_on_one_cache(tmp_path):
    """Several begin together with no cache there, and write the same and different scores."""
    support.scene(tmp_path, contents=[f"p{i}" for i in range(12)], methods=("m", "n"))
    environment = support.environment(tmp_path / "cache")

    def start(method):
        return subprocess.Popen(
            [*support.SRQA, "evaluate", tmp_path / "out" / method, "--ref", tmp_path / "hr",
             "--scale", "4", "-m", "psnr-y,ssim-y", "--format", "csv"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    processes = {i: start("mn"[i % 2]) for i in range(4)}
    ended = {i: process.communicate(timeout=300) for i, process in processes.items()}
    for i, process in processes.items():
        assert process.returncode == 0, ended[i][1]
        assert "cache" not in ended[i][1]
    tables = {i: out for i, (out, _) in ended.items()}
    assert tables[0] == tables[2]
    assert tables[1] == tables[3]
    fresh = support.srqa(
        "evaluate", tmp_path / "out" / "m", "--ref", tmp_path / "hr", "--scale", "4",
        "-m", "psnr-y,ssim-y", "--format", "csv", "--no-cache",
    )  # fmt: skip
    assert fresh.stdout == tables[0]
    cache = Cache(tmp_path / "cache" / "scores.sqlite")
    assert cache.info()["scores"] == 2 * 12 * 2
    cache.close()


def test_another_process_is_just_making_the_cache(tmp_path):
    """SQLite by itself does not wait for that lock."""
    other = sqlite3.connect(tmp_path / "c.sqlite", isolation_level=None)
    other.execute("CREATE TABLE something (x)")
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(Cache, tmp_path / "c.sqlite")
        with pytest.raises(TimeoutError):
            opening.result(timeout=0.3)
        other.execute("COMMIT")
        cache = opening.result()
    assert cache.problem == ""
    cache.put_score(digest(1), CachedScore(1.0, "", 0.0))
    cache.close()
    assert Cache(tmp_path / "c.sqlite").info()["scores"] == 1


def test_many_threads_on_one_cache(tmp_path):
    cache = Cache(tmp_path / "c.sqlite")

    def work(i):
        cache.put_score(digest(i), CachedScore(float(i), "", 0.0))
        cache.put_picture(digest("p", i), {"i": i})
        return [score.value for score in cache.scores([digest(i)]).values()] in ([], [float(i)])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(3000)))
    cache.close()
    cache = Cache(tmp_path / "c.sqlite")
    assert cache.info()["scores"] == cache.info()["pictures"] == 3000
    assert cache.scores([digest(1234)])[digest(1234)].value == 1234
    cache.close()
