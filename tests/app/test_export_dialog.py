"""The dialog that exports a figure, and figures that bring their run back."""

from __future__ import annotations

import dataclasses
import shlex

import numpy as np
import pytest
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QFileDialog

import aeviz
from aeviz.app.export_dialog import ExportDialog
from aeviz.core.pages import PAGES
from aeviz.core.recipe_files import recipe_in
from aeviz.core.settings import Settings
from aeviz.figure.export import image_of

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=60, grid=(12, 10))


@pytest.fixture
def dialog(desk):
    """The dialog over a finished run."""
    desk.window.memory.figure = {}
    desk.begin(QUICK)
    desk.finish()
    yield open_dialog(desk)
    desk.window.memory.figure = {}
    for each in desk.window.findChildren(ExportDialog):
        each.close()
    assert not any(each.isVisible() for each in desk.window.findChildren(ExportDialog))


def open_dialog(desk) -> ExportDialog:
    """Open it, or what is shown now in the one that is open."""
    dialogs = desk.window.findChildren(ExportDialog)
    before = [each._field for each in dialogs]
    desk.window.exports.figure()
    desk.until(lambda: [each._field for each in desk.window.findChildren(ExportDialog)] != before)
    (dialog,) = desk.window.findChildren(ExportDialog)
    desk.until(dialog.isVisible)
    return dialog


def test_closed_it_holds_nothing_and_opens_again_as_new(desk, dialog):
    first = dialog.field
    assert dialog.store.set(title="A title", theme="lecture")
    dialog.note("What became of it")
    dialog.close()
    assert dialog._field is None and dialog.preview.figure is None
    desk.store.set(layer="ambiguity")
    again = open_dialog(desk)
    assert again is dialog, "Qt would keep some kilobytes of each"
    assert again.field is not first
    assert (again.settings.title, again.settings.layer) == ("", "ambiguity")
    assert again.settings.theme == desk.store.settings.theme
    assert again._note.text() == ""
    desk.store.set(layer="magnitude")


@pytest.fixture
def to(monkeypatch):
    """Let the file dialog answer with a path."""
    return lambda path: monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))


def message(desk) -> str:
    return desk.window.statusBar().currentMessage()


@pytest.mark.parametrize("name", PAGES)
def test_the_file_is_what_the_preview_shows(name, desk, dialog, to, tmp_path):
    assert dialog.store.set(**{**PAGES[name].settings, "resolution": 72.0, "title": "A title"})
    dialog.show_preview()
    to(tmp_path / "a.png")
    dialog.buttons["Export…"].click()
    desk.until(lambda: message(desk) == f"Wrote {tmp_path / 'a.png'}")
    written = QImage(str(tmp_path / "a.png"))
    page = dialog.field.page(dialog.settings)
    assert written == image_of(dialog.preview.figure, page).convertToFormat(written.format())
    assert (written.width(), written.height()) == page.pixels


def test_the_windows_own_settings_stay(desk, dialog):
    before = desk.store.settings
    dialog.row("layer").editor.edited.emit("ambiguity")
    dialog.row("theme").editor.edited.emit("light")
    dialog.row("legend").editor.edited.emit(False)
    assert (dialog.settings.layer, dialog.settings.theme, dialog.settings.legend) == (
        "ambiguity",
        "light",
        False,
    )
    assert desk.store.settings == before


def test_a_bare_figure_is_the_field_alone(dialog):
    size = dialog.preview.figure.box.geometry()
    dialog.store.set(legend=False, axes=False, colour_bar=False)
    dialog.show_preview()
    figure = dialog.preview.figure
    assert figure.box.geometry().width() > size.width()
    assert min(figure.box.geometry().top(), figure.box.geometry().left()) < 20.0


def test_the_next_dialog_begins_as_the_last_export(desk, dialog, to, tmp_path):
    dialog.store.set(**PAGES["column"].settings)
    to(tmp_path / "a.svg")
    dialog.buttons["Export…"].click()
    desk.until(lambda: "a.svg" in message(desk))
    other = open_dialog(desk)
    assert {name: getattr(other.settings, name) for name in PAGES["column"].settings} == PAGES[
        "column"
    ].settings


def test_where_there_is_no_room_it_says_so_and_nothing_is_written(dialog):
    dialog.store.set(size=(1.0, 1.0))
    dialog.show_preview()
    assert not dialog.buttons["Export…"].isEnabled()
    assert dialog.preview.figure is None
    dialog.store.set(size=())
    dialog.show_preview()
    assert dialog.buttons["Export…"].isEnabled()


def test_a_picture_without_room_is_not_copied_and_it_says_so(desk, dialog, qapp):
    qapp.clipboard().setText("before")
    desk.window.exports._copy(dialog.field, dialog.settings.replace(size=(1.0, 1.0), size_unit="cm"))
    assert message(desk).startswith("cannot copy the figure: the figure has no room")
    assert qapp.clipboard().text() == "before"


def test_the_command_and_the_script_of_a_figure_are_in_the_clipboard(desk, dialog, qapp, tmp_path):
    dialog.store.set(theme="light")
    dialog.buttons["Copy as command"].click()
    words = shlex.split(qapp.clipboard().text())
    assert words[:2] == ["aeviz", "render"]
    assert words[words.index("--theme") + 1] == "light"
    assert words[words.index("--epochs") + 1] == "60"
    desk.window.exports.copy_words("python")
    script = qapp.clipboard().text().replace("'field.png'", repr(str(tmp_path / "a.npz")))
    exec(script, {"__name__": "__main__"})
    with np.load(tmp_path / "a.npz") as made:
        np.testing.assert_array_equal(made["displacement"], dialog.field.exported.field.displacement)
    qapp.clipboard().clear()


# Figures that are opened


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".npz"])
def test_a_figure_brings_its_run_back_with_every_change(suffix, desk, tmp_path, in_kept_processes):
    with aeviz.train(QUICK, epochs=45, changes={10: {"noise": 0.4}, 30: {"noise": 0.1}}) as run:
        run.save(tmp_path / f"a{suffix}")
        field = run.field()
        losses = run.loss
    desk.begin(Settings(points=20, hidden=(4,), code=4, epochs=30))
    desk.window.files.open(str(tmp_path / f"a{suffix}"))
    desk.until(lambda: desk.window.windowTitle().startswith("a.") and desk.run.epoch == 45)
    desk.until(lambda: desk.run.phase != "training" and desk.frames[-1].epoch == 45)
    np.testing.assert_array_equal(desk.fields[-1].displacement, field.displacement)
    np.testing.assert_array_equal(desk.run.losses[:, 0].astype(float), losses)
    assert [epoch for epoch, _ in desk.run.branch.timeline.changes] == [10, 30]
    assert desk.store.settings.noise == 0.1
    assert not desk.run.playing
    assert desk.window.keeper.path is None, "a run would be written over the figure"


def test_what_is_changed_meanwhile_holds_from_the_end_on(desk, tmp_path, in_kept_processes):
    with aeviz.train(QUICK, epochs=5_000) as run:
        run.save(tmp_path / "a.npz")
        losses = run.loss
    with desk.expect(desk.window.keeper.opened):
        desk.window.files.open(str(tmp_path / "a.npz"))
    desk.store.set(noise=0.7)
    desk.until(lambda: desk.run.branch.timeline.changes and desk.run.epoch == 5_000)
    changes = desk.run.branch.timeline.changes
    assert [(epoch, settings.noise) for epoch, settings in changes] == [(5_000, 0.7)]
    np.testing.assert_array_equal(desk.run.losses[:, 0].astype(float), losses)


def test_a_run_that_follows_a_recipe_can_be_stopped_and_goes_on(desk, tmp_path, in_kept_processes):
    with aeviz.train(QUICK, epochs=30, changes={10: {"noise": 0.4}}) as run:
        run.save(tmp_path / "a.npz")
        losses = run.loss
    recipe = dataclasses.replace(recipe_in(tmp_path / "a.npz"), epoch=200_000)
    desk.window.keeper.show(recipe, tmp_path / "a.npz")
    assert desk.run.playing
    desk.until(lambda: desk.run.epoch > 100)
    desk.run.drive(playing=False)
    desk.until(lambda: desk.run.phase == "paused")
    before = desk.run.epoch
    desk.run.step()
    desk.until(lambda: desk.run.epoch == before + 1)
    np.testing.assert_array_equal(desk.run.losses[:30, 0].astype(float), losses)
    desk.run.drive(playing=True)
    desk.until(lambda: desk.run.epoch > before + 100)
    desk.run.drive(playing=False)


def test_points_that_came_with_a_figure_stay_when_the_run_begins_anew(
    desk, tmp_path, monkeypatch, in_kept_processes
):
    rng = np.random.default_rng(3)
    np.savetxt(tmp_path / "own.csv", rng.normal(size=(30, 2)), delimiter=",")
    with aeviz.train(QUICK.replace(data=str(tmp_path / "own.csv")), epochs=5) as run:
        run.save(tmp_path / "a.npz")
        points = run.data.points
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.savetxt("own.csv", rng.normal(size=(30, 2)), delimiter=",")  # another file of that name
    desk.window.files.open(str(tmp_path / "a.npz"))
    desk.until(lambda: desk.window.windowTitle().startswith("a.") and desk.run.epoch == 5)
    desk.run.reset()
    np.testing.assert_array_equal(desk.run.data.points, points)


@pytest.mark.parametrize("content", [b"", b"no picture", b"<aeviz:recipe>{}</aeviz:recipe>"])
def test_a_figure_without_a_recipe_is_told_and_nothing_is_lost(content, desk, tmp_path):
    desk.begin(QUICK)
    desk.finish()
    (tmp_path / "other.png").write_bytes(content)
    desk.window.files.open(str(tmp_path / "other.png"))
    desk.until(lambda: desk.window.notice.isVisible())
    assert "other.png" in desk.window.notice.text.text()
    assert desk.run.epoch == 60
    desk.window.notice.hide()


@pytest.mark.parametrize("name", ["a.csv", "a.points.csv", "a.losses.csv", "a.safetensors", "a.onnx"])
def test_data_of_every_kind_are_those_of_a_run_without_a_window(name, desk, tmp_path, to, in_kept_processes):
    desk.begin(QUICK)
    desk.finish()
    to(tmp_path / name)
    desk.window.exports.data()
    desk.until(lambda: message(desk) == f"Wrote {tmp_path / name}")
    with aeviz.train(QUICK) as run:
        run.save(tmp_path / f"python.{name[2:]}")
    assert (tmp_path / name).read_bytes() == (tmp_path / f"python.{name[2:]}").read_bytes()


def test_the_recipe_of_a_zoomed_view_has_its_cells(desk, dialog, to, tmp_path):
    desk.figure.box.scaleBy((0.4, 0.4))
    zoomed = open_dialog(desk)
    to(tmp_path / "a.png")
    zoomed.buttons["Export…"].click()
    desk.until(lambda: "a.png" in message(desk))
    recipe, grid = recipe_in(tmp_path / "a.png"), desk.figure.grid_in_view()
    assert recipe.settings.extent == grid.extent
    assert recipe.settings.grid == grid.shape[::-1]
    desk.figure.home()


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_window_and_python_write_the_same_picture(suffix, desk, dialog, to, tmp_path, in_kept_processes):
    dialog.store.set(**PAGES["screen"].settings)
    to(tmp_path / f"window{suffix}")
    dialog.buttons["Export…"].click()
    desk.until(lambda: f"window{suffix}" in message(desk))
    with aeviz.train(QUICK) as run:
        run.save(tmp_path / f"python{suffix}")
    assert (tmp_path / f"window{suffix}").read_bytes() == (tmp_path / f"python{suffix}").read_bytes()
