"""The trained network for other programs: a safetensors file, by the names that torch's own layers give.

These lines load it, with torch and safetensors alone; ``Autoencoder(path)(noisy)`` is the reconstruction of
places (N, 2), all in float64 and data units::

    import json
    from safetensors import safe_open
    from torch import nn

    FUNCTIONS = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU,
                 "silu": nn.SiLU, "gelu": nn.GELU, "identity": nn.Identity}

    class Autoencoder(nn.Module):
        def __init__(self, path):
            super().__init__()
            with safe_open(path, "pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}
                about = json.loads(file.metadata()["aeviz"])
            layers, code = about["layers"], about["code"]
            parts = [part for n, m, f in layers for part in (nn.Linear(n, m), FUNCTIONS[f]())]
            self.encoder, self.decoder = nn.Sequential(*parts[: 2 * code]), nn.Sequential(*parts[2 * code :])
            self.log_variance = nn.Linear(*layers[code - 1][:2]) if about["sampled"] else None
            self.register_buffer("centre", tensors["centre"])
            self.register_buffer("unit", tensors["unit"])
            self.load_state_dict(tensors)

        def forward(self, noisy):
            own = ((noisy - self.centre) / self.unit).to(self.encoder[0].weight.dtype)
            return self.decoder(self.encoder(own)) * self.unit + self.centre
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from aeviz.core.architecture import Architecture
from aeviz.core.clean_data import CleanData
from aeviz.core.provenance import provenance
from aeviz.core.settings import Settings

Weights = NDArray[np.floating[Any]]


def linear_names(architecture: Architecture) -> list[str]:
    """The names of the layers l = 1 … L: encoder.0, encoder.2, …, decoder.0, decoder.2, …"""
    counts = {"encoder": architecture.code, "decoder": len(architecture.widths) - 1 - architecture.code}
    return [f"{half}.{2 * index}" for half, count in counts.items() for index in range(count)]


def state_dict_of(architecture: Architecture, flat: Weights) -> dict[str, Weights]:
    """Return the network's parameters as torch's ``state_dict`` names and shapes them.

    ``encoder`` and ``decoder`` are each a ``torch.nn.Sequential`` that has in turn a ``Linear`` and a
    nonlinearity, so that the linear ones have even numbers: ``encoder.0.weight`` (n_1, 2),
    ``encoder.0.bias`` (n_1,), ``encoder.2.weight`` (n_2, n_1), … Tied weights are written out. Of a sampled
    code the encoder gives the means; ``log_variance.weight`` (d, n) and ``log_variance.bias`` (d,) make
    log σ_h² of the same n inputs. ``centre`` (2,) and ``unit`` (), in float64, are what the network's own
    coordinates (x − centre) / unit take.

    Parameters
    ----------
    flat : (size,) array
        All parameters; of what is shown their running average.

    Raises
    ------
    ValueError
        Where these are not the parameters of such a network.
    """
    ends = np.cumsum([rows * columns for rows, columns in architecture.shapes])
    parts = np.split(flat, ends[:-1])
    matrices = [part.reshape(shape) for part, shape in zip(parts, architecture.shapes, strict=True)]
    named = dict(zip(linear_names(architecture), architecture.layers_of(matrices), strict=True))
    if architecture.sampled:
        named["log_variance"] = architecture.log_variance_of(matrices)
    found: dict[str, Weights] = {}
    for name, (weight, bias) in named.items():
        found[f"{name}.weight"] = np.ascontiguousarray(weight)
        found[f"{name}.bias"] = bias[:, 0].copy()
    return found | {"centre": np.array(architecture.centre), "unit": np.array(architecture.unit)}


def description_of(architecture: Architecture) -> dict[str, Any]:
    """Return the architecture as plain JSON values.

    "layers" has, for l = 1 … L, n_{l−1}, n_l and the name of the nonlinearity; the first "code" of them make
    the code.
    """
    return {
        "layers": [
            [n_in, n_out, architecture.function(l)]
            for l, (n_in, n_out) in enumerate(pairwise(architecture.widths), 1)  # noqa: E741
        ],
        "code": architecture.code,
        "tied": architecture.tied,
        "sampled": architecture.sampled,
    }


def network_bytes(flat: Weights, settings: Settings, data: CleanData, epoch: int, version: str) -> bytes:
    """Return the content of a safetensors file of a network, by the names of `state_dict_of`.

    Its metadata have one text, "aeviz", an object of JSON: the network's `description_of` and `provenance`.
    In one, since the order of several texts would change from one time to the next.

    Parameters
    ----------
    flat : (size,) array
        All parameters; of what is shown their running average.
    settings : Settings
        In force at that epoch.

    Raises
    ------
    ValueError
        Where these are not the parameters of such a network.
    """
    architecture = Architecture.of(settings, data.points)
    about = description_of(architecture) | provenance(settings, data, epoch, version)
    return bytes(save(state_dict_of(architecture, flat), metadata={"aeviz": json.dumps(about)}))
