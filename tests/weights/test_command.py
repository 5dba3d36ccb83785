"""`srqa weights list|pull|verify|path|export|import`."""

import json

import pytest
from made_index import digest

import srqa.weights
from srqa.weights import store

pytestmark = pytest.mark.usefixtures("world")
NAMES = ["net-a", "net-b", "blob", "far"]


def one_sentence(err):
    """What went wrong, and on a second line what to do about it."""
    lines = err.strip().splitlines()
    assert len(lines) <= 2
    assert lines[0].startswith("srqa: ")
    assert "Traceback" not in err
    return True


def test_list(command):
    command("pull", "net-a")
    code, out, _ = command("list")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert list(rows) == NAMES
    assert rows["net-a"].split()[1] == rows["net-b"].split()[1] == "yes"
    assert rows["blob"].split()[1:5] == ["-", "400", "kB", "MIT"]
    assert "the file blob" in rows["blob"]


def test_list_as_json(command, made):
    command("pull", "far")
    code, out, _ = command("list", "--json")
    facts = {entry["name"]: entry for entry in json.loads(out)}
    assert code == 0
    assert list(facts) == NAMES
    assert facts["far"]["here"] == "yes"
    assert facts["far"]["path"] == str(srqa.weights.path("far"))
    assert facts["blob"] | {"used_by": []} == {
        "name": "blob", "summary": "the file blob", "here": "-", "path": None, "used_by": [],
        "bytes": len(made.blob), "sha256": digest(made.blob), "stored": digest(made.blob),
        "licence": "MIT", "paper": "nobody, nowhere, 2025",
        "origin": "made-blob==2.0 made_blob/blob.bin",
    }  # fmt: skip


def test_the_real_list_names_the_metrics(command, monkeypatch):
    from types import SimpleNamespace

    from srqa.metrics import registry

    specs = [
        SimpleNamespace(name="one", weights=("net-a",)),
        SimpleNamespace(name="two", weights=("net-a", "blob")),
    ]
    monkeypatch.setattr(registry, "specs", lambda: specs)
    facts = {entry["name"]: entry["used_by"] for entry in json.loads(command("list", "--json")[1])}
    assert facts == {"net-a": ["one", "two"], "net-b": [], "blob": ["two"], "far": []}


def test_pull(command, store, made):
    code, out, err = command("pull", "net-a", "blob")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["net-a", "blob"]
    assert str(store) in out
    assert err.splitlines() == [
        f"Fetching made_nets-1.0.tar.gz ({len(made.sdist) / 1e3:.0f} kB) ...",
        "Fetching made_blob-2.0-py3-none-any.whl (400 kB) ...",
    ]
    assert command("pull", "net-a")[2] == ""


def test_pull_all(command, world):
    code, out, _ = command("pull", "--all")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == NAMES
    assert command("verify")[1] == "".join(f"{name}  good\n" for name in NAMES)
    asked = len(world.site.asked)
    assert command("pull", "--all")[0] == 0
    assert len(world.site.asked) == asked


def test_a_bar_on_a_terminal(command, monkeypatch):
    from srqa.cli import console

    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    console.err.cache_clear()
    try:
        code, _, err = command("pull", "blob")
    finally:
        console.err.cache_clear()
    assert code == 0
    assert "made_blob-2.0-py3-none-any.whl" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["pull"], 2, "--all"),
        (["pull", "net-a", "--all"], 2, "--all"),
        (["pull", "net"], 2, "no weights called 'net'"),
        (["path", "net"], 2, "no weights called 'net'"),
        (["path", "net-a"], 4, "not in"),
        (["pull", "--offline", "net-a"], 4, "srqa weights pull net-a"),
        (["verify", "net-a"], 4, "cannot be read"),
        (["export", "there"], 4, "No weights are in"),
        (["import", "nowhere"], 3, "nowhere cannot be read"),
        (["pull", "--nonsense"], 2, "nonsense"),
    ],
)
def test_refusals(command, world, monkeypatch, tmp_path, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    found, _, err = command(*arguments)
    assert found == code
    assert said in err
    assert one_sentence(err)
    assert world.site.asked == []


def test_an_index_that_cannot_be_reached(command, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")
    code, out, err = command("pull", "net-a")
    assert (code, out) == (4, "")
    assert "http://127.0.0.1:9/simple/ cannot be reached" in err
    assert one_sentence(err)


def test_verify_names_the_damaged(command):
    assert command("verify")[1].startswith("No weights are in")
    command("pull", "net-a", "blob")
    for name in ("net-a", "blob"):
        path = store.place(srqa.weights.get(name))
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    code, out, err = command("verify")
    assert code == 4
    assert out == "net-b  good\n"
    assert srqa.weights.get("net-a").stored in err
    assert "blob" in err
    assert one_sentence(err)
    assert command("verify", "net-b")[0] == 0
    assert command("pull", "net-a")[0] == 4
    assert command("pull", "--again", "net-a", "blob")[0] == 0
    assert command("verify")[0] == 0


def test_path(command, store):
    assert command("path") == (0, f"{store}\n", "")
    command("pull", "net-a")
    assert command("path", "net-a")[1] == f"{srqa.weights.path('net-a')}\n"


class TestTransfer:
    @pytest.fixture
    def carried(self, command, tmp_path, monkeypatch):
        """A folder with net-a and blob; the store is a new one, without a network."""
        folder = tmp_path / "carried"
        command("pull", "net-a", "blob")
        assert command("export", folder, "net-a", "blob")[0] == 0
        monkeypatch.setenv("SRQA_WEIGHTS", str(tmp_path / "other"))
        monkeypatch.setenv("SRQA_OFFLINE", "1")
        return folder

    def test_round_trip(self, command, carried, made):
        assert len(list(carried.iterdir())) == 2
        (carried / "readme.txt").write_text("something else")
        assert command("import", carried) == (0, "net-a  kept\nblob  kept\n", "")
        assert command("import", carried)[0] == 0
        assert len(srqa.weights.load("net-a")) == 15
        assert srqa.weights.path("blob").read_bytes() == made.blob
        assert not srqa.weights.available("net-b")

    def test_all_that_is_here(self, command, tmp_path):
        command("pull", "net-a", "far")
        code, out, _ = command("export", tmp_path / "all")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()] == ["net-a", "net-b", "far"]

    def test_a_damaged_file_is_refused(self, command, carried):
        (path,) = carried.glob("net-a*")
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        code, _, err = command("import", carried)
        assert code == 4
        assert digest(data) in err
        assert digest(path.read_bytes()) in err
        assert one_sentence(err)
        assert not srqa.weights.available("net-a")

    def test_originals_and_archives(self, command, tmp_path, made, monkeypatch):
        monkeypatch.setenv("SRQA_OFFLINE", "1")
        folder = tmp_path / "by-hand"
        folder.mkdir()
        (folder / "whatever.ckpt").write_bytes(made.alexnet)
        (folder / "far.bin").write_bytes(made.blob[:50_000])
        assert command("import", folder)[1] == "net-a  kept\nfar  kept\n"
        (folder / "made_nets-1.0.tar.gz").write_bytes(made.sdist)
        assert command("import", folder)[1] == "net-a  kept\nnet-b  kept\nfar  kept\n"
        assert len(srqa.weights.load("net-b")) == 31

    def test_a_damaged_archive(self, command, tmp_path, made):
        (tmp_path / "made_nets-1.0.tar.gz").write_bytes(made.sdist[:-1])
        code, _, err = command("import", tmp_path)
        assert code == 4
        assert digest(made.sdist) in err

    def test_nothing_of_use(self, command, tmp_path):
        (tmp_path / "x.pth").write_bytes(b"x")
        code, _, err = command("import", tmp_path)
        assert code == 4
        assert "holds no weights" in err

    def test_a_damaged_store_is_not_exported(self, command, tmp_path):
        command("pull", "blob")
        path = srqa.weights.path("blob")
        path.write_bytes(path.read_bytes()[1:])
        assert command("export", tmp_path / "out", "blob")[0] == 4
        assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["", "list", "pull", "verify", "path", "export", "import"])
def test_help_has_an_example(command, name):
    code, out, _ = command(*[name] if name else [], "--help")
    assert code == 0
    assert name == "list" or "srqa weights" in out.split("\n", 1)[1]


def test_listing_imports_no_torch(world):
    before = "import atexit\natexit.register(lambda: print('torch' in sys.modules))\n"
    process = world.start("weights", "list", before=before)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out.splitlines()[-1] == "False"
