"""What leaves the window: figures, data, the clipboard; and what happens where it cannot."""

from __future__ import annotations

import dataclasses
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QFileDialog

import aeviz
from aeviz.app.export_dialog import ExportDialog
from aeviz.app.exports import FORMATS
from aeviz.core.settings import Settings
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=60, grid=(12, 10))
MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.fixture
def choose(monkeypatch):
    """Answer the file dialog, and remember what it was asked."""
    asked = []

    def choose(path: Path | str, chosen: str = "") -> list:
        def answer(parent, title, start, filters, preselected):
            asked.append((title, Path(start), filters))
            return str(path), chosen or preselected

        monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
        return asked

    return choose


@pytest.fixture(autouse=True)
def silence(desk):
    desk.window.statusBar().clearMessage()
    yield
    desk.window.memory.figure = {}
    for dialog in desk.window.findChildren(ExportDialog):
        dialog.close()
    assert not any(each.isVisible() for each in desk.window.findChildren(ExportDialog))


def dialog_of(desk, **settings) -> ExportDialog:
    """The dialog for a figure, as a user opens it, of the window's size at first, with these settings."""
    desk.window.exports.figure()
    desk.until(lambda: any(each.isVisible() for each in desk.window.findChildren(ExportDialog)))
    (dialog,) = desk.window.findChildren(ExportDialog)
    dialog.pages.buttons()[0].click()
    assert dialog.store.set(**settings)
    return dialog


def export(desk, **settings) -> ExportDialog:
    """Open the dialog, and export."""
    dialog = dialog_of(desk, **settings)
    dialog.buttons["Export…"].click()
    return dialog


def message(desk) -> str:
    return desk.window.statusBar().currentMessage()


@pytest.mark.parametrize("chosen", FORMATS)
def test_a_figure_is_written_as_chosen(chosen, desk, choose, tmp_path):
    suffix = FORMATS[chosen]
    asked = choose(tmp_path / "a.b", chosen)
    export(desk)
    ((_, start, filters),) = asked
    assert start.name == "field.png"
    assert filters.split(";;") == [*FORMATS]
    path = tmp_path / f"a.b{suffix}"
    desk.until(lambda: message(desk) == f"Wrote {path}")
    assert [*tmp_path.glob("a*")] == [path]
    assert path.read_bytes().startswith(MAGIC[suffix])
    if suffix == ".png":
        image, size = QImage(str(path)), desk.figure.size()
        assert (image.width(), image.height()) == (round(2 * size.width()), round(2 * size.height()))


@pytest.mark.parametrize(("name", "suffix"), [("a.svg", ".svg"), ("B.PDF", ".pdf"), ("c.png", ".png")])
def test_a_typed_ending_wins(name, suffix, desk, choose, tmp_path):
    choose(tmp_path / name, "PNG picture (*.png)" if suffix != ".png" else "SVG vectors (*.svg)")
    export(desk)
    desk.until(lambda: message(desk) == f"Wrote {tmp_path / name}")
    assert (tmp_path / name).read_bytes().startswith(MAGIC[suffix])


def test_nothing_is_written_where_the_dialog_is_cancelled(desk, choose, tmp_path):
    choose("")
    export(desk)
    desk.window.exports.data()
    desk.settle()
    assert message(desk) == ""


def test_the_folder_is_remembered(desk, choose, tmp_path):
    choose(tmp_path / "one.svg")
    export(desk)
    desk.until(lambda: "one.svg" in message(desk))
    asked = choose("")
    desk.window.exports.data()
    assert asked[-1][1] == tmp_path / "field.npz"


@pytest.mark.parametrize("compare", ["off", "split", "wipe"])
def test_the_file_is_the_picture_on_the_screen(compare, desk, tmp_path, choose):
    desk.begin(QUICK.replace(compare=compare))
    desk.finish()
    desk.until(lambda: compare == "off" or desk.fields[-1].exact is not None)
    desk.store.set(layer="ambiguity", theme="light")
    desk.settle()
    choose(tmp_path / "screen.png")
    size = desk.figure.size()
    export(desk, size=(size.width(), size.height()), resolution=96.0)
    desk.until(lambda: "screen.png" in message(desk))
    screen, file = desk.window.view.grab().toImage(), QImage(str(tmp_path / "screen.png"))
    assert screen.size() == file.size()
    places = [(x, y) for x in range(screen.width()) for y in range(screen.height())]
    other = sum(screen.pixel(*place) != file.pixel(*place) for place in places)
    assert other < 0.03 * len(places), "more than edges, which are antialiased by other rules"


def test_window_and_python_write_the_same_data(desk, choose, tmp_path, in_kept_processes):
    desk.begin(QUICK)
    desk.finish()
    choose(tmp_path / "window")  # without an ending
    desk.window.exports.data()
    desk.until(lambda: "window.npz" in message(desk))
    with aeviz.train(QUICK) as run:
        run.save(tmp_path / "python.npz")
    assert (tmp_path / "window.npz").read_bytes() == (tmp_path / "python.npz").read_bytes()


def test_data_of_a_past_epoch_is_that_epochs(desk, tmp_path):
    desk.begin(QUICK)
    desk.finish()
    desk.store.set(noise=0.6)
    desk.run.look_at(23)
    desk.until(lambda: desk.frames[-1].epoch == 23)
    desk.window.exports.write_data(tmp_path / "a.npz")
    desk.until(lambda: "a.npz" in message(desk))
    with np.load(tmp_path / "a.npz") as data:
        assert data["epoch"] == 23
        assert data["loss"].shape == (23,)
        np.testing.assert_array_equal(data["displacement"], desk.fields[-1].displacement)
        np.testing.assert_array_equal(data["loss"].astype(np.float32), desk.run.losses[:23, 0])
        assert data["noisy"].shape == data["reconstruction"].shape == (40, 2)


def test_data_hold_the_users_units_and_the_regularisers_part_of_the_loss(
    desk, choose, tmp_path, in_kept_processes
):
    own = np.random.default_rng(4).normal((500.0, -3.0), (90.0, 0.2), (60, 2))
    np.save(tmp_path / "own.npy", own)
    settings = QUICK.replace(
        data=str(tmp_path / "own.npy"), standardise=True, regulariser="l2", strength=0.3, epochs=30
    )
    desk.begin(settings)
    desk.finish()
    desk.window.exports.write_data(tmp_path / "window.npz")
    desk.until(lambda: "window.npz" in message(desk))
    with np.load(tmp_path / "window.npz") as data:
        np.testing.assert_array_equal(data["scale"], own.std(axis=0))
        np.testing.assert_array_equal(data["offset"], own.mean(axis=0))
        np.testing.assert_allclose(data["offset"] + data["scale"] * data["data"], own, rtol=0, atol=1e-9)
        assert data["regulariser"].shape == data["loss"].shape == (30,)
        np.testing.assert_array_equal(data["loss"].astype(np.float32), desk.run.losses[:, 0])
        np.testing.assert_array_equal(data["regulariser"].astype(np.float32), desk.run.losses[:, 1])
        assert data["regulariser"].min() > 0.0
    with aeviz.train(settings) as run:
        run.save(tmp_path / "python.npz")
    assert (tmp_path / "window.npz").read_bytes() == (tmp_path / "python.npz").read_bytes()


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_figure_has_the_decoders_lines_and_the_users_units(suffix, desk, choose, tmp_path):
    own = np.stack((np.linspace(2_000.0, 5_000.0, 40), np.linspace(-0.3, 0.4, 40) ** 2), axis=1)
    np.save(tmp_path / "own.npy", own)
    desk.begin(
        QUICK.replace(
            data=str(tmp_path / "own.npy"), standardise=True, decoder=True, code=1, layer="none",
            arrows="none", midline=False, show_data=False,
        )
    )  # fmt: skip
    desk.finish()
    desk.until(lambda: desk.fields[-1].decoded)
    path = tmp_path / f"a{suffix}"
    choose(path)
    export(desk)
    desk.until(lambda: message(desk) == f"Wrote {path}")
    if suffix == ".png":
        image = QImage(str(path))
        seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
        assert DARK.decoder in seen
        return
    assert f'stroke="{DARK.decoder}"' in path.read_text(encoding="utf-8")
    assert {"3000", "4000"} <= {*desk.texts}


def test_data_of_a_zoomed_view_is_what_is_in_view(desk, tmp_path):
    desk.figure.box.scaleBy((0.4, 0.4))
    desk.window.exports.write_data(tmp_path / "a.npz")
    desk.until(lambda: "a.npz" in message(desk))
    grid = desk.figure.grid_in_view()
    with np.load(tmp_path / "a.npz") as data:
        np.testing.assert_array_equal(data["x"], grid.x)
        np.testing.assert_array_equal(data["y"], grid.y)


def test_copy_puts_the_figure_into_the_clipboard_at_twice_its_size(desk, qapp):
    desk.window.exports.copy()
    image = qapp.clipboard().image()
    size = desk.figure.size()
    assert (image.width(), image.height()) == (round(2 * size.width()), round(2 * size.height()))
    assert image.pixelColor(5, 5).name() == desk.window.view.grab().toImage().pixelColor(2, 2).name()
    assert "clipboard" in message(desk)
    qapp.clipboard().clear()


@pytest.mark.parametrize("kind", ["figure", "data"])
def test_a_file_that_cannot_be_written_leaves_the_old_one(kind, desk, choose, tmp_path, breaks):
    path = tmp_path / ("old.png" if kind == "figure" else "old.npz")
    path.write_bytes(b"the old one")
    choose(path)
    breaks(os, "fsync", OSError(28, os.strerror(28)))
    export(desk) if kind == "figure" else desk.window.exports.data()
    desk.until(lambda: str(path) in message(desk))
    assert message(desk) == f"cannot write {path}: {os.strerror(28)}"
    assert desk.window.notice.text.text() == f"{message(desk)}." and desk.window.notice.isVisible()
    assert path.read_bytes() == b"the old one"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("name", ["missing/a.png", "folder.png"])
def test_a_place_that_is_none_is_told_in_one_line(name, desk, choose, tmp_path):
    (tmp_path / "folder.png").mkdir()
    choose(tmp_path / name)
    export(desk)
    desk.until(lambda: str(tmp_path / name) in message(desk))
    assert message(desk).startswith("cannot write")
    assert "\n" not in message(desk)
    assert [*tmp_path.iterdir()] == [tmp_path / "folder.png"]


def test_the_figure_is_the_same_after_the_export(desk, tmp_path):
    from aeviz.figure.export import as_on_screen, picture_bytes

    before = desk.window.view.grab().toImage()
    for suffix in MAGIC:
        assert (
            len(io.BytesIO(picture_bytes(desk.figure, suffix, as_on_screen(desk.figure, 4.0))).getvalue())
            > 1_000
        )
    assert desk.window.view.grab().toImage() == before


def test_a_figure_never_shows_a_sketch(desk, choose, tmp_path):
    desk.begin(QUICK.replace(layer="exact"))
    desk.finish()
    desk.until(lambda: desk.fields[-1].exact is not None)
    frame, whole = desk.frames[-1], desk.fields[-1]
    rough = dataclasses.replace(whole.exact, displacement=0.5 * whole.exact.displacement, sketch=True)
    desk.run.framed.emit(frame, dataclasses.replace(whole, exact=rough))
    assert desk.figure.is_sketch
    dialog = dialog_of(desk)
    assert not dialog.preview.figure.is_sketch
    np.testing.assert_array_equal(dialog.field.exported.field.exact.displacement, whole.exact.displacement)
