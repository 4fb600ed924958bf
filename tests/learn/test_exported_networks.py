"""Exported networks, loaded as their users load them, do to the plane what the program shows."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn
from trainings import SMALL, new, train

from aeviz.core import network_file
from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.field import Grid
from aeviz.core.network_file import network_bytes
from aeviz.core.onnx_file import OPSET, onnx_bytes
from aeviz.core.settings import SPECS, Settings
from aeviz.learn.network import Network

BASE = Settings(hidden=(9, 7), code=5, points=30)
KINDS: dict[str, dict[str, Any]] = {
    **{name: {"activation": name} for name in SPECS["activation"].choices},
    **{f"{name} at the end": {"output": name} for name in SPECS["output"].choices},
    "no hidden layer": {"hidden": ()},
    "mirrored": {"mirror": True},
    "tied": {"tied": True},
    "a narrow code": {"code": 1, "hidden": (8,)},
    "variational": {"regulariser": "variational"},
    "variational and tied": {"regulariser": "variational", "tied": True, "activation": "gelu"},
    "bce": {"cost": "bce", "activation": "silu", "mirror": True},
    "far away": {"data": "drawn", "drawn": (3e3, 5.0, 3.2e3, 90.0, 3.1e3, -70.0)},
}
every_kind = pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)

Case = tuple[Settings, CleanData, Network, Tensor, np.ndarray]


def case(changes: dict[str, Any]) -> Case:
    """A network in float32 with weights of every size, and places all over its first view."""
    settings = BASE.replace(**changes)
    data = clean_data(settings)
    network = Network.of(settings, data.points)
    random = torch.Generator().manual_seed(5)
    flat = network.initial(data.points, random)
    flat += 0.1 * torch.randn(network.size, generator=random)
    return settings, data, network, flat, Grid.home(settings, data).points[::7]


def loaded(content: bytes, folder: Path) -> nn.Module:
    """The model that the documented lines load."""
    path = folder / "network.safetensors"
    path.write_bytes(content)
    lines = (network_file.__doc__ or "").partition("::\n\n")[2]
    names: dict[str, Any] = {}
    exec(textwrap.dedent(lines), names)
    model = names["Autoencoder"](path)
    assert isinstance(model, nn.Module)
    return model


def of_model(model: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        found = model(torch.from_numpy(x)).numpy()
    assert found.dtype == np.float64
    return found


@every_kind
def test_the_documented_lines_load_the_network_that_is_shown(changes: dict[str, Any], tmp_path: Path) -> None:
    settings, data, network, flat, x = case(changes)
    model = loaded(network_bytes(flat.numpy(), settings, data, 3, "1"), tmp_path)
    shown = network.reconstruct(flat, x)
    # float32, multiplied in another order: some eps of what three layers sum.
    size = np.abs(shown - network.centre).max() + network.unit
    assert np.abs(of_model(model, x) - shown).max() < 1e-6 * size
    best = network.reconstruct(flat.double(), x)
    # The same weights in float64; what differs is the order of sums again.
    assert np.abs(of_model(model.double(), x) - best).max() < 1e-14 * (np.abs(best).max() + size)


def test_the_log_variance_is_loaded_too(tmp_path: Path) -> None:
    settings, data, network, flat, _ = case(KINDS["variational"])
    model = loaded(network_bytes(flat.numpy(), settings, data, 3, "1"), tmp_path)
    W, b = network.log_variance(flat)
    assert torch.equal(model.log_variance.weight, W)
    assert torch.equal(model.log_variance.bias, b[:, 0])


def test_the_average_of_a_training_is_what_its_field_shows(tmp_path: Path) -> None:
    training, data = new(SMALL), clean_data(SMALL)
    train(training, 30)
    average, grid = training.keyframe().state["average"], Grid.home(SMALL, data)
    model = loaded(network_bytes(average, SMALL, data, 30, "1"), tmp_path)
    displacement = training.network.field(training.average, grid.points).displacement
    found = of_model(model, grid.points) - grid.points
    assert np.abs(found - displacement).max() < 1e-6 * np.abs(grid.points).max()  # some eps of float32
    assert np.abs(displacement).max() > 0.1


@every_kind
def test_onnx_does_what_is_shown(changes: dict[str, Any]) -> None:
    settings, data, network, flat, x = case(changes)
    model = onnx.load_from_string(onnx_bytes(flat.numpy(), settings, data, 3, "1"))
    onnx.checker.check_model(model, full_check=True)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", OPSET)]
    run = ReferenceEvaluator(model).run
    reconstruction, h = run(["reconstruction", "code"], {"noisy": x.astype(np.float32)})
    assert reconstruction.dtype == h.dtype == np.float32
    best, code = network.reconstruct(flat.double(), x), network.encode(flat.double(), x)
    # float32 from the places on: some eps of the farthest of them, which slopes of some units magnify.
    assert np.abs(reconstruction - best).max() < 1e-6 * max(np.abs(x).max(), np.abs(best).max())
    own = np.abs(x).max() / network.unit
    assert h.shape == code.shape
    assert np.abs(h - code).max() < 1e-6 * max(own, np.abs(code).max())
