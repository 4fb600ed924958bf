"""File > Export film: the dialog, the film in the making, and what becomes of it."""

from __future__ import annotations

import dataclasses
import errno
import math
import multiprocessing
import os
from pathlib import Path

import av
import numpy as np
import pytest
from PyQt6.QtWidgets import QFileDialog, QProgressDialog

from aeviz.app.film_export import FilmDialog
from aeviz.core.film import film_epochs
from aeviz.core.recipe import Recipe
from aeviz.core.recipe_files import recipe_in
from aeviz.core.settings import Settings
from aeviz.film import noise_film

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has none

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=60, grid=(12, 10))
SMALL = {
    "size": (320, 240), "size_unit": "px", "resolution": 60.0, "legend": False, "duration": 0.4,
    "hold": 0.1, "frame_rate": 20.0,
}  # fmt: skip


@pytest.fixture
def choose(monkeypatch):
    """Answer the file dialog."""

    def choose(path: Path | str, chosen: str = "MP4 video (*.mp4)") -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), chosen))

    return choose


@pytest.fixture(autouse=True)
def finished_run(desk):
    desk.begin(QUICK)
    desk.finish()
    desk.window.statusBar().clearMessage()
    yield
    desk.window.films.cancel()
    for dialog in desk.window.findChildren(FilmDialog) + desk.window.findChildren(QProgressDialog):
        dialog.close()
    desk.until(lambda: not desk.window.findChildren(FilmDialog))


def dialog_of(desk, **settings) -> FilmDialog:
    desk.window.films.open()
    desk.until(lambda: desk.window.findChildren(FilmDialog))
    dialog = desk.window.findChildren(FilmDialog)[-1]
    assert dialog.store.set(**(SMALL | settings))
    return dialog


def begin(desk, **settings) -> None:
    dialog_of(desk, **settings).buttons["Export…"].click()


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


def frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_film_is_made_while_the_window_lives(desk, choose, tmp_path):
    path = tmp_path / "a.mp4"
    choose(path)
    begin(desk)
    told = []
    making = desk.window.films.making
    making.progressed.connect(lambda: told.append(making.progress))
    desk.settle()  # frames of the window's own come meanwhile
    desk.until(lambda: desk.message == f"Wrote {path}")
    assert times(path) == [k / 20 for k in range(10)]
    count = len(dict.fromkeys(film_epochs(60, QUICK.replace(**SMALL))))
    # A second without a picture is told as well.
    assert [each for each in dict.fromkeys(told) if each[0]] == [(k, count) for k in range(1, count + 1)]
    recipe = recipe_in(path)
    assert (recipe.epoch, recipe.settings.size, recipe.settings.grid) == (60, (320.0, 240.0), (12, 10))
    assert [*tmp_path.glob("*.mp4")] == [path] and not [*tmp_path.glob(".a*")]
    assert desk.window.films.making is None


def test_a_gif_by_its_name(desk, choose, tmp_path):
    choose(tmp_path / "a", "GIF animation (*.gif)")
    begin(desk)
    desk.until(lambda: desk.message == f"Wrote {tmp_path / 'a.gif'}")
    assert (tmp_path / "a.gif").read_bytes().startswith(b"GIF89a")


def test_the_dialog_previews_the_last_picture_and_leaves_the_window_alone(desk):
    before = desk.store.settings
    dialog = dialog_of(desk, theme="light")
    dialog.show_preview()
    assert dialog.preview.figure._heading.caption == "epoch 60"
    assert "320 × 240 px" in dialog._facts.text() and "0.5 s" in dialog._facts.text()
    assert desk.store.settings == before
    for button, width in zip(dialog.pages.buttons(), (1280, 1920, 1080), strict=True):
        button.click()
        assert dialog.settings.figure_pixels[0] == width


def test_a_cancelled_film_leaves_nothing_and_says_so(desk, choose, tmp_path):
    choose(tmp_path / "a.mp4")
    begin(desk, duration=20.0)
    films = desk.window.films
    (progress,) = desk.window.findChildren(QProgressDialog)
    desk.until(lambda: films.making.painted > 2)
    assert "left" in progress.labelText() and "of" in progress.labelText()
    progress.canceled.emit()
    desk.until(lambda: "cancelled" in desk.message)
    assert "cancelled" not in desk.window.notice.text.text()
    assert films.making is None
    assert not [*tmp_path.glob("*a.mp4*")]
    desk.settle()


def test_a_run_that_ends_takes_its_film_with_it(desk, choose, tmp_path):
    choose(tmp_path / "a.mp4")
    begin(desk, duration=20.0)
    desk.until(lambda: desk.window.films.making.painted > 2)
    desk.run.reset()
    desk.until(lambda: "its run is over" in desk.message)
    assert str(tmp_path / "a.mp4") in desk.message
    assert not [*tmp_path.glob("*a.mp4*")]


OVER_NOISE = {"film": "noise", "film_noise": (0.1, 0.5), "film_steps": 3}


def test_a_film_over_the_noise_is_that_of_the_command_line(desk, choose, tmp_path):
    path, own = tmp_path / "a.mp4", tmp_path / "own.mp4"
    choose(path)
    begin(desk, **OVER_NOISE)
    making, told = desk.window.films.making, []
    making.progressed.connect(lambda: told.append((making.progress, making.stage)))
    desk.run.reset()  # which it does not need
    desk.until(lambda: desk.message == f"Wrote {path}")
    assert told[-1] == ((3, 3), "Picture 3 of 3")
    assert told[0] == ((0, 3), "Network 1 of 3")
    noise_film(QUICK.replace(**SMALL, **OVER_NOISE), own)
    for mine, theirs in zip(frames(path), frames(own), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    recipe = recipe_in(path)
    assert (recipe.settings.noise, recipe.epoch) == (0.5, 60)
    assert recipe.text() == recipe_in(own).text()


def test_the_dialog_shows_the_settings_of_the_film_that_is_chosen(desk):
    dialog = dialog_of(desk)

    def shown() -> list[bool]:
        return [not dialog.row(name).isHidden() for name in ("film_noise", "film_steps", "easing")]

    assert shown() == [False, False, True]
    assert dialog.store.set(**OVER_NOISE)
    assert shown() == [True, True, False]
    dialog.show_preview()
    assert dialog.preview.figure._heading.caption == "σ = 0.250", "of the network that there is"
    assert "σ 0.1 to 0.5: 3 networks of 60 epochs" in dialog._facts.text()


@pytest.mark.parametrize("how", ["button", "window closed"])
def test_a_cancelled_film_over_the_noise_leaves_no_process(new_window, qtbot, tmp_path, how):
    window = new_window(QUICK)
    qtbot.waitUntil(lambda: window.run.epoch >= 1, timeout=30_000)
    settings = QUICK.replace(**SMALL, **OVER_NOISE, epochs=1_000_000)
    before = {*multiprocessing.active_children()}
    window.films.make(tmp_path / "a.mp4", Recipe.of(window.run.branch, 1, settings))
    qtbot.waitUntil(lambda: {*multiprocessing.active_children()} - before != set(), timeout=30_000)
    trainers = {*multiprocessing.active_children()} - before
    if how == "button":
        window.films.cancel()
    else:
        window.close()
    assert window.films.making is None
    assert not any(each.is_alive() for each in trainers)
    assert not [*tmp_path.glob("*a.mp4*")]


def test_a_process_that_dies_costs_its_network_some_time(desk, tmp_path):
    before = {*multiprocessing.active_children()}
    path, settings = tmp_path / "a.mp4", QUICK.replace(**SMALL, **OVER_NOISE)
    desk.window.films.make(path, Recipe.of(desk.run.branch, 1, settings))
    desk.until(lambda: {*multiprocessing.active_children()} - before)
    for process in {*multiprocessing.active_children()} - before:
        process.kill()
    desk.until(lambda: desk.message == f"Wrote {path}")
    assert len(frames(path)) == 10


def test_an_error_of_a_process_ends_the_film_in_one_line(desk, tmp_path, monkeypatch):
    monkeypatch.setattr("aeviz.sweep.sweep.run_task", math.sqrt)  # which takes no such arguments
    settings = QUICK.replace(**SMALL, **OVER_NOISE)
    desk.window.films.make(tmp_path / "a.mp4", Recipe.of(desk.run.branch, 1, settings))
    desk.until(lambda: "σ = " in desk.message)
    assert desk.message.startswith(f"cannot write {tmp_path / 'a.mp4'}: σ = 0.1: TypeError: ")
    assert desk.window.films.making is None
    assert not [*tmp_path.glob("*a.mp4*")]


def test_an_error_here_ends_the_film_and_is_reported(desk, tmp_path, monkeypatch, qtbot):
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("aeviz.figure.film.FilmFigure.paint", broken)
    with qtbot.captureExceptions() as errors:
        desk.window.films.make(tmp_path / "a.mp4", Recipe.of(desk.run.branch, 60, QUICK.replace(**SMALL)))
        desk.until(lambda: "by nothing" in desk.message)
    assert [kind for kind, *_ in errors] == [ZeroDivisionError]
    assert not [*tmp_path.glob("*a.mp4*")]


def test_where_nothing_can_be_written_that_is_told_before_the_work(desk, tmp_path):
    path = tmp_path / "nowhere" / "a.mp4"
    desk.window.films.make(path, Recipe.of(desk.run.branch, 1, QUICK.replace(**SMALL)))
    assert desk.message == f"cannot write {path}: there is no folder {path.parent}"
    assert desk.window.films.making is None


def test_the_dialog_goes_with_its_run(desk):
    dialog_of(desk)
    desk.store.set(data="moons")
    desk.until(lambda: not desk.window.findChildren(FilmDialog))


def test_time_that_is_left_is_told_from_networks_that_are_trained(desk, tmp_path, monkeypatch):
    settings = QUICK.replace(**SMALL, **OVER_NOISE)
    films = desk.window.films
    films.make(tmp_path / "a.mp4", Recipe.of(desk.run.branch, 1, settings))
    making = films.making
    assert making.seconds_left is None
    (progress,) = desk.window.findChildren(QProgressDialog)
    assert progress.labelText() == "Network 1 of 3"
    monkeypatch.setattr(type(making._noises), "done", 2)
    making._began -= 7_200.0
    assert making.seconds_left == pytest.approx(3_600.0, abs=5.0)
    making.progressed.emit()
    assert progress.labelText() == "Network 3 of 3   ·   1:00 h left"


def test_a_network_that_diverges_ends_the_film_in_one_line(desk, choose, tmp_path):
    choose(tmp_path / "a.mp4")
    diverging = {"learning_rate": 1.0, "optimiser": "sgd", "schedule": "constant", "activation": "identity"}
    recipe = Recipe.of(desk.run.branch, 1, QUICK)
    settings = recipe.settings.replace(**SMALL, **OVER_NOISE, **diverging)
    desk.window.films.make(tmp_path / "a.mp4", dataclasses.replace(recipe, settings=settings))
    desk.until(lambda: "σ = " in desk.message)
    assert desk.message.startswith(f"cannot write {tmp_path / 'a.mp4'}: σ = 0.")
    assert not [*tmp_path.glob("*a.mp4*")]


def test_closing_the_window_leaves_nothing_behind(new_window, qtbot, tmp_path):
    window = new_window(QUICK)
    qtbot.waitUntil(lambda: window.run.epoch >= 40, timeout=30_000)
    settings = QUICK.replace(**SMALL).replace(duration=20.0)
    recipe = Recipe.of(window.run.branch, window.run.epoch, settings)
    window.films.make(tmp_path / "a.mp4", recipe)
    qtbot.waitUntil(lambda: window.films.making.painted > 2, timeout=30_000)
    window.close()
    assert window.films.making is None
    assert not [*tmp_path.glob("*a.mp4*")]


def test_a_full_disk_leaves_the_old_film(desk, choose, tmp_path, breaks):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the old one")
    choose(path)
    breaks(os, "fsync", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    begin(desk)
    desk.until(lambda: desk.message)
    desk.until(lambda: desk.message.startswith("cannot write"))
    assert desk.message == f"cannot write {path}: {os.strerror(errno.ENOSPC)}"
    assert desk.window.notice.isVisible(), "the message goes, and who waited may be away"
    assert desk.window.notice.text.text() == f"{desk.message}."
    assert path.read_bytes() == b"the old one"


def test_past_epochs_are_shown_as_they_were_while_the_run_goes_on(desk, choose, tmp_path):
    desk.store.set(epochs=100_000, noise=0.5)
    desk.run.drive(playing=True)
    choose(tmp_path / "a.mp4")
    begin(desk)
    desk.until(lambda: desk.message == f"Wrote {tmp_path / 'a.mp4'}")
    recipe = recipe_in(tmp_path / "a.mp4")
    assert 60 <= recipe.epoch < desk.run.epoch
    assert recipe.origin.noise == 0.25
