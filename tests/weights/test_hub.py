"""Files that only their authors' addresses have, on 127.0.0.1; TorchScript archives as numbers."""

import io
import pickle
import zipfile

import made_networks
import numpy as np
import pytest
from made_index import dead
from support import repin

import srqa.weights
from srqa.errors import WeightsError
from srqa.weights import manifest
from srqa.weights.torchscript import is_script, read_script


@pytest.fixture(scope="module")
def regressor():
    """A regressor of ARNIQA, which is small."""
    import torch

    weights = torch.arange(4096.0).reshape(1, 4096)
    return made_networks.script({"weights": weights, "biases": torch.tensor(55.0)})


@pytest.fixture
def hub(serve, bare, regressor, monkeypatch, tmp_path):
    """The server of the authors, and a manifest that knows it."""
    site = serve()
    site.pages["/files/regressor_koniq10k.pth"] = ("application/octet-stream", regressor)
    repin(monkeypatch, tmp_path, {"arniqa-koniq10k": regressor}, site.url)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return site


def test_it_is_fetched_once(hub, regressor, monkeypatch):
    path = srqa.weights.path("arniqa-koniq10k")
    assert path.read_bytes() == regressor
    assert srqa.weights.read(path)["weights"].ravel().tolist() == list(range(4096))
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    assert srqa.weights.path("arniqa-koniq10k") == path
    assert len(hub.files_asked()) == 1


def test_offline_nothing_is_asked(hub, monkeypatch):
    monkeypatch.setenv("SRQA_OFFLINE", "1")
    with pytest.raises(WeightsError, match="fetching is switched off") as error:
        srqa.weights.path("arniqa-koniq10k")
    assert f"{hub.url}/files/regressor_koniq10k.pth into " in error.value.hint
    assert hub.asked == []


def test_another_file_under_its_name_is_not_kept(hub, regressor, store):
    body = bytes([regressor[0] ^ 1]) + regressor[1:]
    hub.pages["/files/regressor_koniq10k.pth"] = ("application/octet-stream", body)
    with pytest.raises(WeightsError, match=r"has sha256 \w+ instead of"):
        srqa.weights.path("arniqa-koniq10k")
    assert not srqa.weights.available("arniqa-koniq10k")
    assert not list(store.glob("arniqa*"))


def test_a_file_put_into_the_folder_is_taken(hub, regressor, store):
    store.mkdir()
    (store / "regressor_koniq10k.pth").write_bytes(regressor)
    assert srqa.weights.available("arniqa-koniq10k")
    assert srqa.weights.path("arniqa-koniq10k").read_bytes() == regressor
    assert hub.asked == []


def test_all_leaves_out_what_no_package_has(command, world, monkeypatch):
    text = manifest.PATH.read_text().replace(world.site.url + "/files/far.bin", dead() + "/far.bin")
    manifest.PATH.write_text(text)
    code, out, err = command("pull", "--all")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["net-a", "net-b", "blob"]
    assert "left out: The weights far cannot be fetched" in err


class TestScript:
    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint8", "bool"])
    def test_numbers_are_those_that_torch_reads(self, dtype):
        import torch

        base = torch.arange(24).reshape(2, 3, 4)
        state = {
            "a.weight": base.to(getattr(torch, dtype)),
            "a.0.deep": base.permute(2, 0, 1)[1:, :, ::2].to(getattr(torch, dtype)),
            "scalar": torch.tensor(1).to(getattr(torch, dtype)),
            "empty": torch.zeros(0, 3).to(getattr(torch, dtype)),
        }
        data = made_networks.script(state)
        expected = made_networks.unscript(data)
        found = read_script(data)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            assert found[name].dtype == value.numpy().dtype
            assert np.array_equal(found[name], value.numpy())
        assert found["a.weight"].flags.writeable

    def test_views_of_one_storage(self):
        import torch

        class Views(torch.nn.Module):
            def __init__(self):
                super().__init__()
                base = torch.arange(12.0).reshape(3, 4)
                self.register_buffer("turned", base.T)
                self.register_buffer("part", base[1:, 1::2])

            def forward(self, x):
                return x

        found = read_script(made_networks.script_of(Views()))
        base = np.arange(12.0).reshape(3, 4)
        assert np.array_equal(found["turned"], base.T)
        assert np.array_equal(found["part"], base[1:, 1::2])

    def test_only_scripts_are_taken_for_scripts(self, regressor):
        import torch

        assert is_script(regressor)
        assert not is_script(made_networks.saved({"a": torch.ones(2)}))
        assert not is_script(b"PK\x03\x04 no archive")

    @pytest.mark.parametrize(
        "evil",
        [
            b"cposix\nsystem\n(S'touch hacked'\ntR.",
            b"c__builtin__\neval\n(S'1'\ntR.",
            b"ctorch\nload\n(S'x'\ntR.",
        ],
    )
    def test_a_pickle_that_asks_for_more_is_refused(self, evil, regressor, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "evil.pth"
        path.write_bytes(with_pickle(regressor, evil))
        with pytest.raises(WeightsError, match="not allowed"):
            srqa.weights.read(path)
        assert not (tmp_path / "hacked").exists()

    def test_the_code_inside_is_never_compiled(self, regressor, tmp_path):
        """Whatever stands there, the numbers are read."""
        path = tmp_path / "odd.pth"
        path.write_bytes(
            changed(regressor, lambda n, d: b"no code at all (" if "/code/" in n else d)
        )
        assert srqa.weights.read(path)["biases"] == 55

    def test_a_damaged_archive(self, regressor):
        for cut in (0, 40, len(regressor) // 2, len(regressor) - 30):
            with pytest.raises(WeightsError, match="cannot be read"):
                read_script(regressor[:cut])
        shortened = changed(regressor, lambda n, d: d[:100] if "/data/0" in n else d)
        with pytest.raises(WeightsError, match="larger than its numbers"):
            read_script(shortened)

    def test_without_tensors(self, regressor):
        with pytest.raises(WeightsError, match="holds no tensors"):
            read_script(with_pickle(regressor, pickle.dumps({"a": 1}, 2)))


def changed(archive, change):
    """The archive with other members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), change(name, old.read(name)))
    return buffer.getvalue()


def with_pickle(archive, data):
    return changed(archive, lambda n, d: data if n.endswith("/data.pkl") else d)
