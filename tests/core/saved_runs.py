"""Runs to be written into files, all that is told of one, and files made by hand."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aeviz.core.changes import Change
from aeviz.core.clean_data import CleanData
from aeviz.core.events import Begun, Changed, GoneTo, Kept, Noted, Renamed, Told
from aeviz.core.history import History
from aeviz.core.keyframe_stacks import network_size
from aeviz.core.run_file import SavedRun
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe

# All settings of the day when format-1.aeviz was written: a default may change.
FIRST = json.loads("""
{"data": "spiral", "drawn": [], "bad_rows": "refuse", "standardise": false, "points": 151, "turns": 1.5,
 "jitter": 0.0, "noise": 0.25, "noise_kind": "gaussian", "noise_draw": "fresh", "test_noise": 1.0,
 "target": "original", "hidden": [3], "code": 2, "mirror": false, "activation": "tanh",
 "output": "identity", "tied": false, "cost": "squared", "regulariser": "none", "strength": 0.001,
 "learning_rate": 0.03, "schedule": "falling", "batch": 302, "optimiser": "adam", "epochs": 2000,
 "device": "cpu", "seed": 7, "grid": [40, 34], "extent": [], "layer": "magnitude", "compare": "off",
 "beside": "exact", "wipe": 0.5, "midline": true, "exact_midline": false, "geometric_midline": false,
 "threshold": 2.0, "arrows": "grid", "arrow_length": "true", "show_data": true, "show_noisy": false,
 "show_reconstruction": false, "decoder": false, "code_plot": true, "code_histogram": false,
 "error_curve": false, "votes": true, "flow": "off", "particles": 2000, "colour_map": "viridis",
 "colour_range": "fixed", "colour_max": 1.0, "theme": "dark"}
""")

_OF_EACH = {"adam": ("mean", "square"), "momentum": ("velocity",), "sgd": ()}


def keyframe(epoch: int, settings: Settings) -> Keyframe:
    """A keyframe of the right shapes, whose numbers are eighths."""
    size = network_size(settings)
    state: dict[str, NDArray[np.generic]] = {
        name: ((np.arange(size) + epoch + 10 * place) / 8).astype(np.float32)
        for place, name in enumerate(("parameters", "average", *_OF_EACH[settings.optimiser]))
    }
    if settings.optimiser == "adam":
        state["count"] = np.array(epoch, np.float32)
    state |= {"taken": np.array(epoch), "since": np.array(max(0, epoch - 1))}
    state |= {"target": np.array((settings.noise, 0.0, 0.0, 0.0, 0.0)), "regulariser": np.array(0.125)}
    return Keyframe(epoch, settings, state | {"loss": np.array(1.0 / epoch if epoch else np.nan)})


def losses(count: int) -> NDArray[np.float32]:
    """Loss and regulariser of so many epochs."""
    return (np.arange(2 * count).reshape(-1, 2) / 4).astype(np.float32)


def example() -> SavedRun:
    """Three branches, of which two share keyframes; format-1.aeviz holds them as they are here."""
    first = Settings(**FIRST)
    noisier = first.replace(noise=0.5)
    drawn = first.replace(
        data="drawn", drawn=(0.5, 1.0, -2.0, 0.25), tied=True, optimiser="momentum", theme="light"
    )
    square = CleanData(
        np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]), (np.array([(0.0, 0.0), (1.0, 0.5)]), np.eye(2)), True,
        0.75, np.array((2.0, 4.0)), np.array((-1.0, 0.5)), "every 2nd row is used",
    )  # fmt: skip
    history = History()
    history.apply(Begun(1, first, square, None, 0, 1_700_000_000.5))
    for epoch in (0, 1, 3, 4):
        history.apply(Kept(1, keyframe(epoch, first if epoch < 4 else noisier)))
    history.apply(Noted(1, 3, noisier))
    history.apply(Told(1, 0, losses(9)))
    history.apply(Begun(3, noisier, None, 1, 4, 1_700_000_060.25))
    history.apply(Renamed(3, "Wider σ, “bright”"))
    history.apply(Kept(3, keyframe(9, noisier)))
    history.apply(Told(3, 4, losses(12)[4:]))
    history.apply(Noted(3, 10, noisier.replace(strength=0.25)))
    history.apply(Begun(4, drawn, CleanData(np.array([(0.5, 1.0), (-2.0, 0.25)])), None, 0, 1_700_000_120.0))
    history.apply(Kept(4, keyframe(0, drawn)))
    for change in (
        Change(first, noisier, 1, 3, 1_700_000_030.0), Change(noisier, first, 1, 5, 1_700_000_040.0, "undo"),
        Change(first, noisier, 1, 6, 1_700_000_041.0, "redo"),
        Change(noisier, drawn, 3, 12, 1_700_000_120.0, name="Drawn"),
    ):  # fmt: skip
        history.apply(Changed(change))
    history.apply(GoneTo(3))
    return SavedRun(history, drawn.replace(wipe=0.25), 6, {"loss": 0.5, "epoch": 12, "bayes_floor": None})


def told(saved: SavedRun) -> dict[str, Any]:
    """All that a saved run holds, as plain values that are equal only where every bit is."""
    frames: dict[int, int] = {}
    data: dict[int, int] = {}
    branches, kept, points = [], [], []
    for branch in saved.history:
        for frame in branch.timeline:
            if id(frame) not in frames:
                state = sorted((name, _bits(array)) for name, array in frame.state.items())
                kept.append((frame.epoch, frame.settings.to_json(), state))
                frames[id(frame)] = len(frames)
        if id(branch.data) not in data:
            clean = branch.data
            arrays = [*map(_bits, (clean.points, clean.scale, clean.offset, *clean.curve))]
            points.append((arrays, clean.closed, clean.spacing, clean.note))
            data[id(branch.data)] = len(data)
        branches.append({
            "number": branch.number, "name": branch.name, "named": branch.named, "parent": branch.parent,
            "origin": branch.origin.to_json(), "since": branch.since, "begun": branch.begun,
            "epoch": branch.epoch, "losses": _bits(branch.losses), "data": data[id(branch.data)],
            "frames": [frames[id(frame)] for frame in branch.timeline],
            "live": [(epoch, settings.to_json()) for epoch, settings in branch.timeline.changes],
        })  # fmt: skip
    changes = [
        (each.old.to_json(), each.new.to_json(), each.branch, each.epoch, each.time, each.kind, each.name)
        for each in saved.history.changes
    ]
    return {
        "branches": branches, "frames": kept, "data": points, "changes": changes, "epoch": saved.epoch,
        "current": saved.history.current.number, "view": saved.view.to_json(),
        "metrics": [(name, type(value).__name__, value) for name, value in saved.metrics.items()],
        "version": saved.version,
    }  # fmt: skip


def _bits(array: NDArray[np.generic]) -> tuple[str, tuple[int, ...], bytes]:
    return str(array.dtype), array.shape, array.tobytes()


# Files by hand: they have what aeviz would never write, and the right checksum

_NAMES = {"float64": "F64", "float32": "F32", "int64": "I64", "int32": "I32", "uint8": "U8", "bool": "BOOL"}

Arrays = Mapping[str, NDArray[np.generic]]


def checksum(values: str, arrays: Arrays) -> int:
    """CRC-32 of the values' text, and of each array's name, type, shape and bytes."""
    found = zlib.crc32(values.encode())
    for name in sorted(arrays):
        found = zlib.crc32(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode(), found)
        found = zlib.crc32(arrays[name].tobytes(), found)
    return found


def entries(arrays: Arrays) -> dict[str, Any]:
    """The header's entries of arrays, one after the other."""
    found, place = {}, 0
    for name, array in arrays.items():
        offsets = [place, place + array.nbytes]
        found[name] = {"dtype": _NAMES[str(array.dtype)], "shape": list(array.shape), "data_offsets": offsets}
        place += array.nbytes
    return found


def forged(values: str, arrays: Arrays, header: str | None = None) -> bytes:
    """A file with this text as its values; with `header` in the place of the right one."""
    if header is None:
        metadata = {"aeviz": f"{checksum(values, arrays):08x} {values}"}
        header = json.dumps({"__metadata__": metadata, **entries(arrays)})
    text = header.encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in arrays.values())
