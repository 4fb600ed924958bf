"""Exported networks: which number lies where, and what the files tell."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import onnx
import pytest
import safetensors.numpy

from aeviz.core.architecture import Architecture
from aeviz.core.clean_data import clean_data
from aeviz.core.files import FileError
from aeviz.core.network_file import network_bytes, state_dict_of
from aeviz.core.onnx_file import onnx_bytes
from aeviz.core.settings import Settings

SETTINGS = Settings(hidden=(3,), code=1, noise=0.3, points=11)


def counted(architecture: Architecture) -> np.ndarray:
    """Parameters 0, 1, 2, … that tell where each of them lies."""
    return np.arange(architecture.size, dtype=np.float32)


def content_of(settings: Settings, kind: str, version: str = "1.2.3") -> bytes:
    data = clean_data(settings)
    flat = counted(Architecture.of(settings, data.points))
    write = network_bytes if kind == "safetensors" else onnx_bytes
    return write(flat, settings, data, 17, version)


def about(content: bytes, kind: str) -> dict[str, Any]:
    """What a file tells about itself."""
    if kind == "onnx":
        (entry,) = onnx.load_from_string(content).metadata_props
        assert entry.key == "aeviz"
        return json.loads(entry.value)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return json.loads(header["__metadata__"].pop("aeviz"))


both = pytest.mark.parametrize("kind", ["safetensors", "onnx"])


def test_each_parameter_has_its_place_and_name() -> None:
    architecture = Architecture((2, 3, 1, 2), "relu", code=2, centre=(0.5, -1.0), unit=2.0)
    found = state_dict_of(architecture, counted(architecture))
    by_hand = {
        "encoder.0.weight": [[0, 1], [3, 4], [6, 7]], "encoder.0.bias": [2, 5, 8],
        "encoder.2.weight": [[9, 10, 11]], "encoder.2.bias": [12],
        "decoder.0.weight": [[13], [15]], "decoder.0.bias": [14, 16],
        "centre": [0.5, -1.0], "unit": 2.0,
    }  # fmt: skip
    assert {name: array.tolist() for name, array in found.items()} == by_hand
    assert {name for name, array in found.items() if array.dtype != np.float32} == {"centre", "unit"}


def test_tied_weights_are_written_out() -> None:
    architecture = Architecture((2, 3, 2), "tanh", tied=True)
    found = state_dict_of(architecture, counted(architecture))
    assert found["decoder.0.weight"].tolist() == [[0, 3, 6], [1, 4, 7]]
    assert found["decoder.0.bias"].tolist() == [9, 10]


def test_a_sampled_codes_variance_has_a_name_of_its_own() -> None:
    architecture = Architecture((2, 1, 2), "tanh", sampled=True)
    found = state_dict_of(architecture, counted(architecture))
    assert found["encoder.0.weight"].tolist() == [[0, 1]]
    assert found["encoder.0.bias"].tolist() == [2]
    assert found["log_variance.weight"].tolist() == [[3, 4]]
    assert found["log_variance.bias"].tolist() == [5]


@pytest.mark.parametrize("surplus", [-1, 1])
def test_parameters_of_another_network_are_refused(surplus: int) -> None:
    architecture = Architecture((2, 3, 2), "tanh")
    with pytest.raises(ValueError, match="reshape"):
        state_dict_of(architecture, np.zeros(architecture.size + surplus, np.float32))


def test_safetensors_hold_what_the_state_dict_has() -> None:
    data = clean_data(SETTINGS)
    architecture = Architecture.of(SETTINGS, data.points)
    found = safetensors.numpy.load(content_of(SETTINGS, "safetensors"))
    expected = state_dict_of(architecture, counted(architecture))
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


@both
def test_the_file_tells_what_it_is(kind: str) -> None:
    told = about(content_of(SETTINGS, kind), kind)
    assert told["layers"] == [[2, 3, "tanh"], [3, 1, "tanh"], [1, 2, "identity"]]
    assert (told["code"], told["tied"], told["sampled"]) == (2, False, False)
    assert (told["aeviz"], told["epoch"]) == ("1.2.3", 17)
    assert (told["offset"], told["scale"]) == ([0.0, 0.0], [1.0, 1.0])
    assert Settings(**told["settings"]) == SETTINGS


@both
def test_the_file_tells_the_users_units_and_no_folder(kind: str, tmp_path: Any) -> None:
    path = tmp_path / "ours.csv"
    path.write_text("3,100\n5,250\n4,400\n")
    told = about(content_of(Settings(data=str(path), standardise=True), kind), kind)
    assert (told["offset"], told["settings"]["data"]) == ([4.0, 250.0], "ours.csv")
    assert np.abs(np.array(told["scale"]) - (np.sqrt(2 / 3), np.sqrt(15_000.0))).max() < 1e-12


@both
def test_the_same_network_gives_the_same_bytes(kind: str) -> None:
    one = content_of(SETTINGS, kind)
    assert all(content_of(SETTINGS, kind) == one for _ in range(20))
    assert content_of(SETTINGS, kind, "2") != one


def test_without_the_package_onnx_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(FileError, match=r"^[^\n]*pip install 'aeviz\[onnx\]'$"):
        content_of(SETTINGS, "onnx")
