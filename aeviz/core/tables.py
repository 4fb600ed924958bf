"""CSV files: comments that begin with ``# ``, one row of names, then numbers as Python writes them.

Read them with ``pandas.read_csv(path, comment="#")``, or with
``numpy.genfromtxt((line for line in open(path) if line[0] != "#"), delimiter=",", names=True)``. Numbers have
all the digits that it takes to read them back to the last bit. A spreadsheet takes a cell that begins with
= + - @ for a formula: no text can begin one here, while numbers stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aeviz.core.clean_data import CleanData
from aeviz.core.field import Field
from aeviz.core.manifolds import FloatArray
from aeviz.core.provenance import is_own_unit, shareable
from aeviz.core.setting import Spec
from aeviz.core.settings import DEFAULTS, SPECS, Settings

_FORMULA = re.compile(r"(?<!\w)[=+@-]")  # how one begins, whatever it is that parts cells


def field_csv(field: Field, settings: Settings, data: CleanData, version: str) -> bytes:
    """Return a CSV file of the field, one row for each cell, row by row from below.

    The columns are x and y of the cell's centre, dx and dy of r(x) − x, its magnitude, all in data units, and
    ambiguity, without unit; then exact_dx and exact_dy, and exact_ambiguity, where these are known.

    Parameters
    ----------
    settings : Settings
        In force at the field's epoch.
    """
    x, y = field.grid.points.T
    columns = {
        "x": x,
        "y": y,
        "dx": field.displacement[..., 0],
        "dy": field.displacement[..., 1],
        "magnitude": field.magnitude,
        "ambiguity": field.ambiguity,
    }
    if field.exact is not None:
        columns["exact_dx"] = field.exact.displacement[..., 0]
        columns["exact_dy"] = field.exact.displacement[..., 1]
        if field.exact.ambiguity is not None:
            columns["exact_ambiguity"] = field.exact.ambiguity
    notes = {"epoch": field.epoch} | _units(data, "dx and dy are scale * value")
    return _table("field", version, notes, settings, columns)


def losses_csv(losses: FloatArray, settings: Settings, version: str) -> bytes:
    """Return a CSV file of the loss curve, one row for each epoch from 1 on.

    The columns are epoch, loss, C + λ R, and regulariser, what λ R has of it; in data units squared, or nats
    where the cost is a cross-entropy.

    Parameters
    ----------
    losses : (E, 2) array
        Loss and regulariser of each epoch.
    """
    columns = {"epoch": np.arange(1, len(losses) + 1), "loss": losses[:, 0], "regulariser": losses[:, 1]}
    notes = {"units": "nats" if settings.cost == "bce" else "data units squared"}
    return _table("loss curve", version, notes, settings, columns)


def points_csv(
    field: Field, settings: Settings, data: CleanData, version: str, exact: FloatArray | None = None
) -> bytes:
    """Return a CSV file of the points, one row for each clean one, in data units.

    The columns are x and y of the clean point y, noisy_x and noisy_y of ŷ, reconstruction_x and
    reconstruction_y of r(ŷ); then exact_x and exact_y of r*(ŷ), where it is given.

    Parameters
    ----------
    field : Field
        With its clean points, and a noisy one for each of them.
    settings : Settings
        In force at the field's epoch.
    exact : (N, 2) array, optional
        r*(ŷ), the exact reconstruction of each noisy point: ``Denoiser.at(field.noisy).mean``.

    Raises
    ------
    ValueError
        Where there is not one noisy point for each clean one.
    """
    kinds = {"": field.data, "noisy_": field.noisy, "reconstruction_": field.reconstruction}
    if exact is not None:
        kinds["exact_"] = exact
    if len({len(points) for points in kinds.values()}) > 1:
        raise ValueError("a field with one noisy point for each clean one is needed")
    notes = {"epoch": field.epoch} | _units(data)
    return _table("points", version, notes, settings, _coordinates(kinds))


def _coordinates(kinds: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {kind + axis: points[:, k] for kind, points in kinds.items() for k, axis in enumerate("xy")}


def _units(data: CleanData, also: str = "") -> dict[str, str]:
    if is_own_unit(data):
        return {"units": "data units"}
    offset, scale = (",".join(map(repr, pair.tolist())) for pair in (data.offset, data.scale))
    own = "your own units are offset + scale * value" + (f" and {also}" if also else "")
    return {"units": f"data units: {own}", "offset": offset, "scale": scale}


def _table(
    title: str,
    version: str,
    notes: Mapping[str, object],
    settings: Settings,
    columns: Mapping[str, NDArray[Any]],
) -> bytes:
    comments = [f"aeviz {version}: {title}", *(f"{name}: {value}" for name, value in notes.items())]
    comments += [f"{name}: {text}" for name, text in _changed(settings)]
    # Nearly twice as fast as csv.writer. What repr writes is the shortest that is read back to the bit.
    cells = (map(repr, column.reshape(-1).tolist()) for column in columns.values())
    lines = [*(f"# {each}" for each in comments), ",".join(columns), *map(",".join, zip(*cells, strict=True))]
    return ("\n".join(lines) + "\n").encode("ascii")


def _changed(settings: Settings) -> Iterator[tuple[str, str]]:
    """All settings that are not the default, as they are typed on the command line."""
    for name, value in DEFAULTS.changed(shareable(settings)).items():
        yield name, _text(SPECS[name], value)


def _text(spec: Spec, value: Any) -> str:
    """A value as text; of a text that is none of the choices, a string of JSON in which no formula begins."""
    if not isinstance(value, str) or value in spec.choices:
        return spec.text(value)
    return _FORMULA.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value))
