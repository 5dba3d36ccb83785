"""The settings of pip are what pip itself makes of them."""

import os
import subprocess
import sys
from textwrap import dedent

import pytest

from srqa.errors import WeightsError
from srqa.weights import pip_settings

pytestmark = pytest.mark.usefixtures("bare")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder of its own, and no file named by a variable."""
    monkeypatch.delenv("PIP_CONFIG_FILE")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pip_settings.sys, "prefix", str(tmp_path / "environment"))
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


def test_without_any():
    found = pip_settings.read()
    assert found.index_urls == ("https://pypi.org/simple",)
    assert found.find_links == found.trusted_hosts == ()
    assert (found.cert, found.client_cert, found.proxy, found.timeout) == ("", "", "", 15)


def test_variables(monkeypatch):
    for name, value in {
        "PIP_INDEX_URL": "https://a/simple",
        "PIP_EXTRA_INDEX_URL": "https://b/simple  https://c/simple https://a/simple",
        "PIP_FIND_LINKS": "/wheels https://d/files.html",
        "PIP_TRUSTED_HOST": "a b:8080",
        "PIP_CERT": "/ca.pem",
        "PIP_CLIENT_CERT": "/me.pem",
        "PIP_PROXY": "proxy:3128",
        "PIP_DEFAULT_TIMEOUT": "7",
    }.items():
        monkeypatch.setenv(name, value)
    found = pip_settings.read()
    assert found.index_urls == ("https://a/simple", "https://b/simple", "https://c/simple")
    assert found.find_links == ("/wheels", "https://d/files.html")
    assert found.trusted_hosts == ("a", "b:8080")
    assert (found.cert, found.client_cert) == ("/ca.pem", "/me.pem")
    assert (found.proxy, found.timeout) == ("http://proxy:3128", 7)


@pytest.mark.parametrize(("value", "n"), [("1", 0), ("true", 0), ("0", 1), ("false", 1)])
def test_no_index(monkeypatch, value, n):
    monkeypatch.setenv("PIP_NO_INDEX", value)
    assert len(pip_settings.read().index_urls) == n


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_of_requests(monkeypatch, name):
    monkeypatch.setenv(name, "/ca.pem")
    assert pip_settings.read().cert == "/ca.pem"
    monkeypatch.setenv("PIP_CERT", "/own.pem")
    assert pip_settings.read().cert == "/own.pem"


@pytest.mark.skipif(sys.platform != "linux", reason="the places are Linux's")
class TestFiles:
    def test_the_nearer_file_wins(self, home, monkeypatch):
        write(home / ".pip/pip.conf", "[global]\nindex-url = https://old\ntimeout = 3\n")
        write(
            home / ".config/pip/pip.conf",
            """\
            [global]
            index_url = https://user
            extra-index-url =
                https://one
                https://two
            """,
        )
        found = pip_settings.read()
        assert found.index_urls == ("https://user", "https://one", "https://two")
        assert found.timeout == 3
        write(home / "environment/pip.conf", "[install]\nindex-url = https://site\n")
        assert pip_settings.read().index_urls[0] == "https://site"
        named = write(home / "named.conf", "[global]\nindex-url = https://named\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(named))
        assert pip_settings.read().index_urls[0] == "https://named"
        monkeypatch.setenv("PIP_INDEX_URL", "https://variable")
        assert pip_settings.read().index_urls[0] == "https://variable"

    def test_a_command_wins_over_all_commands(self, home):
        write(
            home / ".config/pip/pip.conf",
            "[download]\ncert = /d.pem\n[install]\ncert = /i.pem\nproxy = p:1\n"
            "[global]\ncert = /g.pem\n[wheel]\nproxy = q:1\n",
        )
        found = pip_settings.read()
        assert (found.cert, found.proxy) == ("/d.pem", "http://p:1")

    def test_a_damaged_file(self, home):
        path = write(home / ".config/pip/pip.conf", "index-url = https://a\n")
        with pytest.raises(WeightsError, match=r"pip\.conf cannot be read") as caught:
            pip_settings.read()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_pip_says_the_same(self, home, monkeypatch):
        write(home / ".pip/pip.conf", "[global]\ncert = /a.pem\ntimeout = 9\n")
        write(
            home / ".config/pip/pip.conf",
            "[global]\nextra-index-url = https://x https://y\nfind-links = /f\ncert = /b.pem\n",
        )
        monkeypatch.setattr(pip_settings.sys, "prefix", sys.exec_prefix)
        wanted = ["extra-index-url", "find-links", "cert", "timeout"]
        said = {}
        for name in wanted:
            got = subprocess.run(
                [sys.executable, "-m", "pip", "config", "get", f"global.{name}"],
                capture_output=True, text=True, check=False, env=dict(os.environ),
            )  # fmt: skip
            if got.returncode:
                pytest.skip("no pip here")
            said[name] = got.stdout.strip()
        found = pip_settings.read()
        assert said["extra-index-url"].split() == list(found.index_urls[1:])
        assert said["find-links"].split() == list(found.find_links)
        assert said["cert"] == found.cert == "/b.pem"
        assert float(said["timeout"]) == found.timeout
