"""Foreign formats: the numbers come out as torch wants them; nothing of a file is run."""

import io
import os
import pickle

import numpy as np
import pytest
from made_index import ALEXNET, VGG16, flax

import srqa.weights
from srqa.errors import WeightsError
from srqa.weights import readers, tensors


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("net", "n", "read", "indices"),
    [
        ("AlexNet_0", ALEXNET, readers.read_flax_alexnet, [0, 3, 6, 8, 10]),
        ("VGG16_0", VGG16, readers.read_flax_vgg16,
         [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]),
    ],
)  # fmt: skip
def test_flax(net, n, read, indices):
    data = flax(net, n, 3)
    tree = pickle.loads(data)
    found = read(data)
    assert set(found) == {
        *(f"features.{i}.{part}" for i in indices for part in ("weight", "bias")),
        *(f"lin{k}.weight" for k in range(5)),
    }
    for layer, index in enumerate(indices):
        kernel = tree[net][f"Conv_{layer}"]["kernel"]
        for row, column, channel, out in [(0, 1, 2, 3), (2, 0, 3, 1)]:
            weight = found[f"features.{index}.weight"][out, channel, row, column]
            assert weight == kernel[row, column, channel, out]
    assert found["lin3.weight"].shape == (1, 9, 1, 1)
    assert all(array.flags.c_contiguous for array in found.values())


def test_flax_of_another_shape():
    with pytest.raises(WeightsError, match="no VGG16_0"):
        readers.read_flax_vgg16(flax("AlexNet_0", ALEXNET, 1))
    with pytest.raises(WeightsError, match="no AlexNet_0"):
        readers.read_flax_alexnet(pickle.dumps([1, 2]))


@pytest.mark.parametrize(
    "build",
    [
        lambda mark: Calls(os.system, f"touch {mark}"),
        lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"),
        lambda mark: {"AlexNet_0": {"Conv_0": Calls(exec, f"open({str(mark)!r}, 'w')")}},
        lambda mark: Calls(np.save, str(mark), np.zeros(1)),
        lambda mark: Calls(np.memmap, str(mark), "uint8", "w+", 0, 4),
    ],
    ids=["system", "eval", "inside", "numpy.save", "numpy.memmap"],
)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
class TestMalice:
    def test_pickle(self, build, tmp_path):
        mark = tmp_path / "mark"
        for protocol in range(6):
            data = pickle.dumps(build(mark), protocol)
            with pytest.raises(WeightsError, match="not allowed"):
                readers.read_flax_alexnet(data)
        assert not list(tmp_path.iterdir())

    def test_torch(self, build, tmp_path):
        torch = pytest.importorskip("torch")
        mark = tmp_path / "made" / "mark"
        path = tmp_path / "evil.pth"
        torch.save({"weight": torch.zeros(2), "more": build(mark)}, path)
        with pytest.raises(WeightsError, match="not allowed") as caught:
            srqa.weights.read(path)
        assert "\n" not in str(caught.value)
        assert "weights_only" not in str(caught.value)
        path.write_bytes(pickle.dumps(build(mark)))  # a plain pickle under torch's suffix
        with pytest.raises(WeightsError, match="cannot be read"):
            srqa.weights.read(path)
        assert [p.name for p in tmp_path.iterdir()] == ["evil.pth"]

    def test_npz(self, build, tmp_path):
        mark = tmp_path / "mark"
        np.savez(tmp_path / "evil.npz", a=np.array([build(mark)], dtype=object))
        with pytest.raises(WeightsError, match="npz"):
            srqa.weights.read(tmp_path / "evil.npz")
        assert not mark.exists()


def test_objects_in_an_array_are_no_weights():
    data = pickle.loads(flax("AlexNet_0", ALEXNET, 1))
    data["AlexNet_0"]["Conv_1"]["bias"] = np.array([1, "two"], dtype=object)
    found = readers.read_flax_alexnet(pickle.dumps(data))
    with pytest.raises(WeightsError, match="no plain number"):
        tensors.pack(found, {})


def test_damaged_pickles():
    data = flax("AlexNet_0", ALEXNET, 1)
    for cut in (0, 1, 100, len(data) - 1):
        with pytest.raises(WeightsError):
            readers.read_flax_alexnet(data[:cut])


class TestTorch:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    def saved(self, torch, thing, **more):
        buffer = io.BytesIO()
        torch.save(thing, buffer, **more)
        return buffer.getvalue()

    @pytest.mark.parametrize("wrapper", [None, "params", "params_ema", "state_dict"])
    @pytest.mark.parametrize("old", [False, True])
    def test_state_dicts(self, torch, wrapper, old):
        state = {"a.weight": torch.arange(6.0).reshape(2, 3).T, "n": torch.tensor(7)}
        data = self.saved(
            torch, {wrapper: state} if wrapper else state, _use_new_zipfile_serialization=not old
        )
        found = readers.read_torch(data)
        assert set(found) == {"a.weight", "n"}
        np.testing.assert_array_equal(found["a.weight"], [[0, 3], [1, 4], [2, 5]])
        assert found["a.weight"].flags.c_contiguous
        assert (found["n"].dtype, found["n"].shape, found["n"]) == (np.int64, (), 7)

    def test_bfloat16_and_parameters(self, torch):
        tensor = torch.nn.Parameter(torch.tensor([1.5, -2], dtype=torch.bfloat16))
        found = readers.read_torch(self.saved(torch, {"w": tensor}))
        assert found["w"].dtype == np.float32
        np.testing.assert_array_equal(found["w"], [1.5, -2])

    def test_heads(self, torch):
        state = {"lin0.model.1.weight": torch.ones(1, 4, 1, 1)}
        assert set(readers.read_torch_heads(self.saved(torch, state))) == {"lin0.weight"}

    @pytest.mark.parametrize("thing", [[1, 2], {"epoch": 3}, "weights"])
    def test_no_tensors(self, torch, thing):
        with pytest.raises(WeightsError, match="no table of tensors"):
            readers.read_torch(self.saved(torch, thing))

    @pytest.mark.parametrize("data", [b"", b"<html>Not found</html>", b"PK\x03\x04" + b"\0" * 50])
    def test_no_torch_file(self, torch, data):
        with pytest.raises(WeightsError, match="cannot be read") as caught:
            readers.read_torch(data)
        assert "\n" not in str(caught.value)


class TestReadAUsersFile:
    def test_npz_and_safetensors(self, tmp_path):
        arrays = {"a": np.arange(4.0), "b": np.ones((2, 3), np.float32)}
        np.savez(tmp_path / "x.npz", **arrays)
        (tmp_path / "x.safetensors").write_bytes(tensors.pack(arrays, {}))
        for name in ("x.npz", "x.safetensors"):
            found = srqa.weights.read(tmp_path / name)
            assert set(found) == {"a", "b"}
            np.testing.assert_array_equal(found["b"], arrays["b"])

    def test_not_there(self, tmp_path):
        with pytest.raises(WeightsError, match=r"nothing\.pth cannot be read: No such file"):
            srqa.weights.read(tmp_path / "nothing.pth")

    def test_the_message_names_the_file(self, tmp_path):
        (tmp_path / "x.safetensors").write_bytes(b"nothing")
        with pytest.raises(WeightsError, match=r"x\.safetensors: This is no safetensors"):
            srqa.weights.read(tmp_path / "x.safetensors")
