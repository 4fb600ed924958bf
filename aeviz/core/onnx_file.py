"""The trained network as ONNX, for all that runs such models; takes the package onnx, which is an extra."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from aeviz.core.architecture import Architecture
from aeviz.core.clean_data import CleanData
from aeviz.core.files import FileError
from aeviz.core.network_file import Weights, description_of, linear_names, state_dict_of
from aeviz.core.provenance import provenance
from aeviz.core.settings import Settings

if TYPE_CHECKING:
    from onnx import NodeProto

OPSET, _IR = 20, 9  # the first that has Gelu, and what goes with it

_OPERATORS = {"tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "gelu": "Gelu"}


def onnx_bytes(flat: Weights, settings: Settings, data: CleanData, epoch: int, version: str) -> bytes:
    """Return the content of an ONNX file of a network.

    It takes "noisy" (N, 2) and gives "reconstruction" (N, 2), both in data units, and "code" (N, d), of a
    sampled code the means, all in float32. The parameters have the names of `network_file.state_dict_of`,
    and the model's properties one text, "aeviz", which is that of `network_file.network_bytes`.

    Parameters
    ----------
    flat : (size,) array
        All parameters; of what is shown their running average.
    settings : Settings
        In force at that epoch.

    Raises
    ------
    FileError
        Where the package onnx is missing.
    ValueError
        Where these are not the parameters of such a network.
    """
    try:
        from onnx import TensorProto, helper, numpy_helper
    except ModuleNotFoundError as error:
        raise FileError("an ONNX file takes the package onnx: pip install 'aeviz[onnx]'") from error
    architecture = Architecture.of(settings, data.points)
    arrays = state_dict_of(architecture, flat)
    widths = {"noisy": 2, "reconstruction": 2, "code": architecture.widths[architecture.code]}
    noisy, *found = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width]) for name, width in widths.items()
    )
    graph = helper.make_graph(
        [*_nodes(architecture)], "autoencoder", [noisy], found,
        [
            numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()
            if not name.startswith("log_variance")
        ],
    )  # fmt: skip
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR, producer_name="aeviz",
        producer_version=version,
    )  # fmt: skip
    about = description_of(architecture) | provenance(settings, data, epoch, version)
    helper.set_model_props(model, {"aeviz": json.dumps(about)})
    return bytes(model.SerializeToString(deterministic=True))


def _nodes(architecture: Architecture) -> Iterator[NodeProto]:
    """The steps from "noisy" to "reconstruction", each of which is named after what it makes."""
    from onnx.helper import make_node

    yield make_node("Sub", ["noisy", "centre"], ["centred"])
    yield make_node("Div", ["centred", "unit"], ["own"])
    a = "own"
    for l, linear in enumerate(linear_names(architecture), 1):  # noqa: E741  (the layer in the formulas)
        z, before = f"z_{l}", a
        a = "code" if l == architecture.code else f"a_{l}"
        yield make_node("Gemm", [before, f"{linear}.weight", f"{linear}.bias"], [z], transB=1)
        function = architecture.function(l)
        if function == "silu":  # has an operator of its own from opset 24 on only
            yield make_node("Sigmoid", [z], [f"gate_{l}"])
            yield make_node("Mul", [z, f"gate_{l}"], [a])
        else:
            yield make_node(_OPERATORS.get(function, "Identity"), [z], [a])
    yield make_node("Mul", [a, "unit"], ["scaled"])
    yield make_node("Add", ["scaled", "centre"], ["reconstruction"])
