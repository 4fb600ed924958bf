"""Run files that were damaged, forged, or are none, each made at random."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import pickle
import random
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from saved_runs import checksum, entries, example, forged, told

from aeviz.core.packing import unpack
from aeviz.core.run_file import FORMAT, run_bytes
from aeviz.core.settings import SPECS

MARK = Path(tempfile.gettempdir()) / f"aeviz-hostile-{os.getpid()}"  # what a pickle would make that is run

May = Literal["not", "same", "sound"]
"""What may become of it: it is refused; or it says the same; or it is another run without faults."""


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file, or whatever else `place` puts at a path; that of `place` is what then is opened."""

    what: str
    may: May
    content: bytes = b""
    place: Callable[[Path], str | Path] | None = None
    around: Callable[[], contextlib.AbstractContextManager[object]] = field(default=contextlib.nullcontext)

    def put(self, path: Path) -> str | Path:
        """Put it there."""
        if self.place is not None:
            return self.place(path)
        path.write_bytes(self.content)
        return path


GOOD = run_bytes(example())
TOLD = told(example())
VALUES, ARRAYS = unpack(GOOD)
TEXT = json.dumps(VALUES)
HEADER = int.from_bytes(GOOD[:8], "little")
POOL = ARRAYS["settings.text"].tobytes().decode()


# Damage


def truncated(rng: random.Random) -> Hostile:
    length = rng.randrange(len(GOOD))
    return Hostile(f"cut off after {length} bytes", "not", GOOD[:length])


def flipped(rng: random.Random) -> Hostile:
    bits = rng.choices(range(8 * len(GOOD)), k=rng.choice((1, 1, 1, 2, 3, 8, 64)))
    if rng.random() < 0.3:
        bits = [bit % (8 * (8 + HEADER)) for bit in bits]
    content = bytearray(GOOD)
    for bit in bits:
        content[bit // 8] ^= 1 << bit % 8
    return Hostile(f"bits {bits[:3]} flipped", "same", bytes(content))


def patched(rng: random.Random) -> Hostile:
    start, length = rng.randrange(len(GOOD)), rng.choice((1, 2, 7, 8, 64, 512))
    piece = GOOD[start : start + length]
    other = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length), piece[::-1], b" " * length))
    if rng.random() < 0.5:  # of the same length
        return Hostile(f"{length} bytes at {start} are others", "same",
                       GOOD[:start] + other[: len(piece)] + GOOD[start + length :])  # fmt: skip
    with_more = rng.choice((other, piece, other + piece + piece))
    return Hostile(f"{len(with_more)} bytes at {start} in the place of {length}", "same",
                   GOOD[:start] + with_more + GOOD[start + length :])  # fmt: skip


def appended(rng: random.Random) -> Hostile:
    more = rng.choice((bytes(rng.randint(1, 99)), rng.randbytes(rng.randint(1, 99)), GOOD, b"\n"))
    return Hostile(f"with {len(more)} bytes more", "not", GOOD + more)


# Other files


class Evil:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (MARK,)


def noise(rng: random.Random) -> Hostile:
    size = rng.choice((1, 7, 8, 9, 100, 5_000))
    content = rng.randbytes(size)
    if rng.random() < 0.5:
        content = max(0, size - 8).to_bytes(8, "little") + content
    return Hostile(f"{size} bytes of noise", "not", content)


def another_kind(rng: random.Random) -> Hostile:
    buffer, salt = io.BytesIO(), rng.randbytes(4)
    kind = rng.choice(("pickle", "npy", "npz", "zip", "png", "text", "json", "nothing"))
    if kind in ("pickle", "npy"):
        content = pickle.dumps((Evil(), salt), protocol=rng.randint(0, 5))
        if kind == "npy":
            np.save(buffer, np.array([Evil()], dtype=object), allow_pickle=True)
            content = buffer.getvalue() + salt
        if rng.random() < 0.5:  # as a header
            content = len(content).to_bytes(8, "little") + content
    elif kind == "npz":
        np.savez(buffer, salt=np.frombuffer(salt, np.uint8))
        content = buffer.getvalue()
    elif kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(zipfile.ZipInfo(salt.hex()), bytes(100_000))
        content = buffer.getvalue()
    else:
        heads = {"png": b"\x89PNG\r\n\x1a\n", "text": b"0.5 1.0\n", "json": TEXT.encode(), "nothing": b""}
        content = heads[kind] + (salt if kind != "nothing" else b"")
    return Hostile(f"a file of the kind {kind}", "not", content)


# Headers


def claimed(rng: random.Random) -> Hostile:
    """Terabytes that are not there."""
    huge = rng.choice((2**31, 2**32, 2**40, 2**48, 2**62, 2**63, 2**64 - 1, 10**30)) - rng.randint(0, 9)
    if rng.random() < 0.2:
        return Hostile(f"a header of {huge} bytes", "not", (huge % 2**64).to_bytes(8, "little") + GOOD[8:])
    header = {"__metadata__": {"aeviz": f"{checksum(TEXT, ARRAYS):08x} {TEXT}"}, **entries(ARRAYS)}
    entry = header[name := rng.choice(list(ARRAYS))]
    part = rng.choice(("shape", "data_offsets"))
    value = rng.choice(([*entry[part][:-1], huge], [huge] * rng.randint(1, 9), [0, huge]))
    entry[part] = value
    if rng.random() < 0.5:  # and it fits
        count = int(np.prod([int(n) for n in entry["shape"]], dtype=object))
        entry["data_offsets"] = [entry["data_offsets"][0], entry["data_offsets"][0] + 8 * count]
    return Hostile(f"{part} of {name} are {value}", "not", forged(TEXT, ARRAYS, json.dumps(header)))


def mislaid(rng: random.Random) -> Hostile:
    """Arrays of other types and shapes, elsewhere, or over one another."""
    header = {"__metadata__": {"aeviz": f"{checksum(TEXT, ARRAYS):08x} {TEXT}"}, **entries(ARRAYS)}
    name, other = rng.sample(list(ARRAYS), 2)
    match part := rng.choice(("dtype", "shape", "data_offsets", "swap", "name", "entry", "metadata")):
        case "dtype":
            header[name][part] = rng.choice(("F64", "F32", "I64", "U8", "BOOL", "C64", "", None, 5, [], "O"))
        case "shape":
            header[name][part] = rng.choice(
                ([], [-1], [1.0], [True], "", {}, None, header[name][part][::-1], [*header[name][part], 1])
            )
        case "data_offsets":
            step = rng.choice((-8, -1, 1, 8, 64, 0.0, rng.randint(-99, 99)))
            header[name][part] = [place + step for place in header[name][part]]
        case "swap":
            header[name], header[other] = header[other], header[name]
        case "name":
            header[rng.choice(("x", "", "stack9.mean", name + "2", name.upper()))] = header.pop(name)
        case "entry":
            header[name] = rng.choice((None, 1, [], {}, "x", {"dtype": "F32"}))
        case "metadata":
            header["__metadata__"] = rng.choice((None, 1, [], {}, "x", {"aeviz": 1}, {"aeviz": TEXT}))
    return Hostile(f"{part} of {name} in the header", "same", forged(TEXT, ARRAYS, json.dumps(header)))


def _nested(rng: random.Random) -> str:
    depth, (left, right) = rng.choice((1_000, 10_000, 200_000)), rng.choice(("[]", ('{"":', "}")))
    return left * depth + ("0" + right * depth if rng.random() < 0.5 else "")


def not_json(rng: random.Random) -> Hostile:
    """Values that strict JSON has not, or has not twice."""
    name = rng.choice((*VALUES, "number", "name", "since", "aeviz", "bayes_floor", "noise"))
    bads = ("NaN", "Infinity", "-Infinity", "1" * 5_000, _nested(rng), "1e999", "'x'", "01", "\x00", "é")
    bad = rng.choice(bads)
    where = rng.choice(("values", "pool", "header"))
    text = {"values": TEXT, "pool": POOL, "header": GOOD[8 : 8 + HEADER].decode()}[where]
    if rng.random() < 0.4:  # a name twice
        place = rng.choice([i for i, letter in enumerate(text) if letter == "{"]) + 1
        value = json.dumps(rng.choice((0, 1, "", [], rng.random())))
        key = text[place:].partition(":")[0]
        changed = text[:place] + f"{key}: {value}, " + text[place:] if key.startswith('"') else text + "}"
        what = f"a name twice in the {where} at {place}"
    else:
        place = text.find(f'"{name}": ') + len(name) + 4
        place = place if place > len(name) + 4 else text.index(":") + 1
        end = min(i for i in (text.find(each, place) for each in ",}]") if i >= 0)
        changed, what = text[:place] + bad + text[end:], f"{bad[:10]} in the {where} for {name}"
    if where == "values":
        return Hostile(what, "not", forged(changed, ARRAYS))
    if where == "header":
        return Hostile(what, "not", forged(TEXT, ARRAYS, changed))
    return Hostile(what, "not", with_pool(changed))


def with_pool(text: str) -> bytes:
    return forged(TEXT, {**ARRAYS, "settings.text": np.frombuffer(text.encode(), np.uint8)})


# Forged values, with the right checksum

_NASTY: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2, 3, 5, 255, 2**31, 2**53 + 1, 2**63, -(2**63), 10**400, 0.5, -0.0, 1e308,
    1e-320, "", "x", "1", "\x00", "\ud800", "a\nb", "x" * 100_000, [], [[]], {}, {"a": 1}, [None] * 9, "../x",
)  # fmt: skip


def forged_values(rng: random.Random) -> Hostile:
    """Another value, or none, or one more, at some place of the values."""
    values = copy.deepcopy(VALUES)
    inner = [(values, key) for key in values]
    for parent, key in inner:
        child = parent[key]
        keys = child if isinstance(child, dict) else range(len(child)) if isinstance(child, list) else ()
        inner.extend((child, each) for each in keys)
    parent, key = rng.choice(inner)
    match rng.choice(("other", "other", "other", "gone", "more", "twice")):
        case "gone":
            what = "gone"
            del parent[key]
        case "more" if isinstance(parent, dict):
            what = "one more"
            parent[rng.choice(("x", "", "__class__", "a" * 999))] = rng.choice(_NASTY)
        case "twice" if isinstance(parent, list):
            what = "twice"
            parent.insert(rng.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
        case _:
            what = repr(value := rng.choice((*_NASTY, rng.randint(-9, 99))))[:20]
            parent[key] = value
    return Hostile(f"{key!r} of the values: {what}", "sound", forged(json.dumps(values), ARRAYS))


def forged_arrays(rng: random.Random) -> Hostile:
    """An array that is another one, elsewhere, gone or new."""
    arrays = dict(ARRAYS)
    name = rng.choice([name for name in arrays if name != "settings.text"])
    array = arrays[name].copy()
    numbers = [-1, 0, 1, 2, 7, 99, 2**31, 2**53, 2**62, -(2**63)]
    if array.dtype.kind == "f":
        numbers = [np.nan, np.inf, -np.inf, 3e38, -1.0, 0.0, 1e-40]
        numbers += [1e308, -1e200] if array.dtype == np.float64 else []
    ways = ("number", "number", "all", "type", "shape", "gone", "new", "swap", "longer", "shorter")
    match what := rng.choice(ways):
        case "number" if array.size:
            array.reshape(-1)[rng.randrange(array.size)] = rng.choice(numbers)
            arrays[name] = array
        case "all":
            arrays[name] = np.full_like(array, rng.choice(numbers))
        case "type":
            with np.errstate(all="ignore"):
                arrays[name] = array.astype(rng.choice(("f4", "f8", "i8", "i4", "u1")))
        case "shape":
            shapes = ((-1,), (array.size, 1), (1, array.size), (1, *array.shape), array.T.shape)
            arrays[name] = array.reshape(rng.choice(shapes))
        case "gone":
            del arrays[name]
        case "new":
            new = rng.choice(
                ("x", "stack2.parameters", "branch3.losses", "data0.curve9", "frames.x", "", "é")
            )
            arrays[new + rng.choice(("", "1", "x"))] = np.zeros(rng.randint(0, 3), np.float32)
        case "swap":
            other = rng.choice(list(arrays))
            arrays[name], arrays[other] = arrays[other], arrays[name]
        case "longer":
            arrays[name] = np.concatenate((array, array))
        case _:
            arrays[name] = array[: rng.randrange(len(array) + 1)]
    return Hostile(f"{what} of {name}", "sound", forged(TEXT, arrays))


def forged_settings(rng: random.Random) -> Hostile:
    """Settings that cannot be, or differ from what belongs to them."""
    lines = [json.loads(line) for line in POOL.split("\n")]
    line, name = rng.choice(lines), rng.choice(sorted(SPECS))
    match what := rng.choice(("other", "other", "gone", "fewer", "more", "order", "empty")):
        case "other":
            others = ([1, 2], [1e9] * 4, [64] * 4, "cuda", "sgd", "x.csv", [0.5] * 4_000)
            line[name] = rng.choice((*_NASTY, *others))
        case "gone":
            line.pop(rng.choice(sorted(line)))
        case "fewer":
            lines.remove(line)
        case "more":
            lines.insert(rng.randrange(len(lines) + 1), line | {"noise": rng.random()})
        case "order":
            rng.shuffle(lines)
        case "empty":
            lines = [rng.choice(([], None, 0, "x", {}))]
    text = "\n".join(map(json.dumps, lines))
    if rng.random() < 0.1:
        text += rng.choice(("\n", "\n\n", "\n{", ",", "\r\n{}", "\x00"))
    return Hostile(f"{what} of the settings ({name})", "sound", with_pool(text))


def newer(rng: random.Random) -> Hostile:
    """A file of a version to come."""
    values, text = copy.deepcopy(VALUES), POOL
    version = f"{rng.randint(9, 99)}.{rng.randint(0, 99)}" + rng.choice(("", ".1", ".0rc2", "+local"))
    values["versions"]["aeviz"] = version
    if rng.random() < 0.6:
        values["format"] = FORMAT + rng.choice((1, 2, 10, 10**9))
    else:
        first, _, rest = text.partition("\n")
        unknown = {rng.choice(("temperature", "depth", "σ")): rng.random()}
        text = f"{json.dumps(json.loads(first) | unknown)}\n{rest}"
    arrays = {**ARRAYS, "settings.text": np.frombuffer(text.encode(), np.uint8)}
    return Hostile(f"written by aeviz {version}", "not", forged(json.dumps(values), arrays))


KINDS = (
    truncated, flipped, flipped, patched, patched, appended, noise, another_kind, claimed, mislaid, not_json,
    forged_values, forged_values, forged_arrays, forged_arrays, forged_settings, newer,
)  # fmt: skip
