"""A table's rows as the lines of a chart: a metric over a setting, with its spread over the seeds."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from aeviz.core.setting import SettingError, Spec, nearest
from aeviz.figure.curves import Curve, Curves
from aeviz.sweep.grid import DEFAULTS, Axis, Sweep, cell
from aeviz.sweep.table import METRICS, Row

MOST_LINES = 12


def check_plot(sweep: Sweep, metric: str, over: str | None, by: str | None) -> tuple[Axis, tuple[Axis, ...]]:
    """Return what lies across a chart, and what tells its lines apart.

    Parameters
    ----------
    over, by : str, optional
        Names of settings that vary; `by` may be several, with commas between. By default the first one, and
        all others, but for the seed.

    Raises
    ------
    SettingError
        Where there is no such metric, where a setting does not vary, and where there would be too many lines.
    """
    if metric not in METRICS:
        guess = nearest(metric, tuple(METRICS))
        raise SettingError(f"--metric cannot be {metric!r}{guess}; it is one of {', '.join(METRICS)}")
    varied = {axis.name: axis for axis in sweep.axes}
    names = [name for name in varied if name != "seed"]
    across = _varied(varied, "--over", over or next(iter(names), "seed"))
    told = [name.strip() for name in by.split(",")] if by is not None else names
    apart = tuple(
        axis for axis in (_varied(varied, "--by", name) for name in told)
        if axis.name != across.name
    )  # fmt: skip
    if left := next(
        (name for name in names if name not in {across.name, *(axis.name for axis in apart)}), None
    ):
        raise SettingError(f"--by leaves out {left}, which varies as well: add it, or leave out --by")
    lines = int(np.prod([len(axis.values) for axis in apart]))
    if lines > MOST_LINES:
        raise SettingError(f"--by makes {lines} lines, and a chart shows up to {MOST_LINES}: vary less")
    return across, apart


def _varied(varied: dict[str, Axis], option: str, name: str) -> Axis:
    name = name.strip().removeprefix("--").replace("-", "_")
    if name in varied:
        return varied[name]
    those = f"those that do are {', '.join(varied)}" if varied else "nothing does: add --vary"
    raise SettingError(f"{option} {name} is no setting that varies{nearest(name, tuple(varied))}; {those}")


def curves_of(rows: Iterable[Row], metric: str, over: Axis, by: tuple[Axis, ...]) -> Curves:
    """Gather a metric's values; rows without one are counted."""
    values: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    missing = 0
    for row in rows:
        value = row.get(metric)
        if isinstance(value, int | float):
            # A row of before has only what its sweep varied; the rest was as by default.
            where = tuple(row.get(axis.name, DEFAULTS[axis.name]) for axis in (over, *by))
            values[where].append(float(value))
        else:
            missing += 1
    spec, places = over.spec, sorted(over.values) if _is_number(over.spec) else list(over.values)
    x = np.array(places, dtype=float) if _is_number(spec) else np.arange(float(len(places)))
    curves = []
    for chosen in itertools.product(*(axis.values for axis in by)):
        told = [cell(axis.spec, value) for axis, value in zip(by, chosen, strict=True)]
        found = [np.array(values.get((cell(spec, place), *told), [])) for place in places]
        there = np.array([len(each) > 0 for each in found])
        if there.any():
            label = ", ".join(map(_said, (axis.spec for axis in by), chosen))
            curves.append(Curve(label, x[there], tuple(each for each in found if len(each))))
    return Curves(
        tuple(curves),
        f"{spec.title} ({spec.unit})" if spec.unit else spec.title,
        METRICS[metric],
        is_log=spec.scale == "log" and _is_number(spec),
        categories=() if _is_number(spec) else tuple(_text(spec, value) for value in places),
        in_order=len(by) == 1 and _is_number(by[0].spec),
        missing=missing,
    )  # fmt: skip


def _is_number(spec: Spec) -> bool:
    return type(spec.default) in (int, float)


def _said(spec: Spec, value: Any) -> str:
    return f"{spec.symbol or spec.label.lower()} {_text(spec, value)}"


def _text(spec: Spec, value: Any) -> str:
    return spec.text(value) or "none"
