"""Branches: going on from the past, going back, comparing, naming and forgetting."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QInputDialog, QLabel, QMenu, QMessageBox

from aeviz.app import branches as branches_module
from aeviz.app.lineage import branch_label
from aeviz.core.settings import Settings

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))


@pytest.fixture
def forked(desk):
    """A desk at a run that has left another one after 40 of its 100 epochs, with more noise."""
    desk.run.history.rename(desk.run.branch.number, "First")
    desk.run.drive(playing=True)
    desk.finish()
    desk.store.set(noise=0.4)
    desk.run.look_at(40)
    desk.until(lambda: desk.frames[-1].epoch == 40)
    desk.press(Qt.Key.Key_K)
    desk.finish()
    desk.run.history.rename(desk.run.branch.number, "Second")
    desk.window.branches.changed.emit()
    yield desk
    desk.run.show_beside(None)


def branch(desk, name: str):
    return next(each for each in desk.run.history if each.name == name)


def menu(desk, *titles: str) -> list:
    """The entries of the menu of branches, or of one within it."""
    button = desk.window.timeline.readout.branches
    button.fill()
    found: QMenu = button.runs
    for title in titles:
        found = next(each.menu() for each in found.actions() if each.text().replace("&", "") == title)
    return [each for each in found.actions() if not each.menu() and not each.isSeparator()]


# Going on from the past


def test_continue_from_here_goes_on_and_keeps_what_came_after(forked):
    first, second = branch(forked, "First"), branch(forked, "Second")
    assert forked.run.branch is second
    assert (second.parent, second.since) == (first.number, 40)
    assert (first.epoch, second.epoch) == (100, 100)
    assert np.array_equal(first.losses[:40], second.losses[:40])
    assert not np.array_equal(first.losses[40:], second.losses[40:])
    assert forked.run.branch.settings.noise == 0.4
    assert "goes on from epoch 40 of First, which stays as it was" in forked.message


@pytest.mark.parametrize("playing", [False, True])
def test_it_goes_on_by_itself_from_the_link_beside_back_to_live(playing, desk):
    desk.begin(QUICK.replace(epochs=1_000_000), speed=500.0)
    desk.until(lambda: desk.run.epoch > 60)
    desk.run.drive(playing=playing)
    readout = desk.window.timeline.readout
    assert not readout.fork.isVisible()
    desk.run.look_at(30)
    assert readout.fork.isVisible()
    run = desk.run.branch.number
    QTest.mouseClick(readout.fork, Qt.MouseButton.LeftButton)
    assert (desk.run.branch.parent, desk.run.looking_at) == (run, None)
    assert not readout.fork.isVisible()
    desk.until(lambda: desk.run.epoch > 40)
    desk.run.drive(playing=False)
    desk.until(lambda: desk.run.phase == "paused")


def test_at_the_newest_epoch_it_says_what_to_do_first(desk):
    desk.begin()
    desk.finish()
    count = len(desk.run.history)
    desk.press(Qt.Key.Key_K)
    assert len(desk.run.history) == count
    assert "Look at a past epoch first" in desk.message


def test_where_training_rests_in_the_past_it_goes_on_in_the_new_run(desk):
    desk.begin(QUICK.replace(epochs=1_000_000, pause_past=True), speed=500.0)
    desk.until(lambda: desk.run.epoch > 60)
    desk.run.look_at(30)
    desk.until(lambda: desk.run.phase == "paused")
    desk.press(Qt.Key.Key_R)  # begins again, and does not rest: no past is looked at
    desk.until(lambda: desk.run.epoch > 60)
    desk.run.drive(playing=False)
    desk.run.look_at(30)
    desk.press(Qt.Key.Key_L)
    assert not desk.run.playing
    desk.store.set(pause_past=False)


# Going back


def test_going_back_brings_settings_losses_and_field_and_rests(forked):
    first, before = branch(forked, "First"), branch(forked, "First").losses.copy()
    forked.store.set(noise=0.7, theme="light", epochs=1_000)
    forked.run.drive(playing=True)
    forked.until(lambda: forked.run.epoch > 110)
    entry = next(each for each in menu(forked) if "First" in each.text())
    entry.trigger()
    assert "First is back" in forked.message
    assert forked.run.branch is first
    assert forked.store.settings.noise == 0.4, "as it was when that run was left"
    assert forked.store.settings.theme == "light", "how it is drawn stays"
    forked.until(lambda: forked.run.phase in ("paused", "finished") and forked.frames[-1].epoch == 100)
    forked.settle()
    assert first.losses.tobytes() == before.tobytes()
    assert not forked.run.playing
    assert forked.run.history.changes.to_undo.title == "Go to First"


def test_going_back_to_a_run_of_the_same_settings_needs_no_change_of_them(desk):
    desk.begin()
    desk.finish()
    number, count = desk.run.branch.number, len(desk.run.history.changes)
    desk.run.look_at(50)
    desk.press(Qt.Key.Key_K)
    desk.finish()
    desk.window.branches.go_to(number)
    assert desk.run.branch.number == number
    assert len(desk.run.history.changes) == count
    desk.until(lambda: desk.frames[-1].epoch == 100)


def test_no_more_runs_get_names_than_a_file_holds(desk, monkeypatch):
    monkeypatch.setattr(branches_module, "MOST_WRITTEN", 3)
    branches, history = desk.window.branches, desk.run.history
    first = desk.run.branch.number
    for name in ("One", "Two", "Three"):
        branches._name(desk.run.branch.number, name)
        desk.run.reset()
    names = [each.name for each in history]
    assert names[:2] == ["One", "Two"] and "Three" not in names
    assert desk.message == "2 runs have names, and more fit into no file: forget one first"
    branches._name(first, "Another")  # which has a name
    assert history[first].name == "Another"


# The list


def test_the_list_says_where_each_came_from_and_how_far_it_is(forked):
    first, second = menu(forked)
    assert [each.isChecked() for each in (first, second)] == [False, True]
    loss = forked.run.losses[-1, 0]
    assert second.text() == f"Second   from First at 40: Noise 0.25 → 0.40\t100 epochs · loss {loss:.4f}"
    assert first.text().startswith("First   ")
    assert first.text().endswith(f"100 epochs · loss {branch(forked, 'First').losses[-1, 0]:.4f}")
    button = forked.window.timeline.readout.branches
    assert button.text() == "Second"
    assert button.accessibleName() == "Runs: Second"


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_a_name_can_be_given_and_a_long_one_is_cut_on_the_button(forked, qtbot):
    menu(forked, "Rename")[1].trigger()
    (dialog,) = forked.window.findChildren(QInputDialog)
    assert dialog.textValue() == "Second"
    dialog.setTextValue("  more & more noise,  said at length ")
    dialog.accept()
    assert forked.run.branch.name == "more & more noise, said at length"
    button = forked.window.timeline.readout.branches
    assert button.text().startswith("more")
    assert button.text().endswith("…")
    assert button.toolTip().startswith("more & more noise, said at length")
    assert "more && more" in menu(forked)[1].text()
    qtbot.waitUntil(lambda: not forked.window.findChildren(QInputDialog))


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has no such thing
def test_forgetting_says_what_is_lost_and_spares_the_current_run(forked, qtbot):
    entries = menu(forked, "Forget")
    assert [each.text() for each in entries] == ["First…"]
    for answer in ("Cancel", "Forget"):
        menu(forked, "Forget")[0].trigger()
        (dialog,) = forked.window.findChildren(QMessageBox)
        assert "60 of its 100 epochs are in no other run" in dialog.informativeText()
        button = next(each for each in dialog.buttons() if each.text().replace("&", "") == answer)
        button.click()
        qtbot.waitUntil(lambda: not forked.window.findChildren(QMessageBox))
        assert any(each.name == "First" for each in forked.run.history) == (answer == "Cancel")
    assert [each.text().split("   ")[0] for each in menu(forked)] == ["Second"]
    assert "from a forgotten run at 40" in menu(forked)[0].text()
    assert not next(
        each for each in forked.window.timeline.readout.branches.runs.actions() if "Compare" in each.text()
    ).isEnabled()


# Comparing


@pytest.mark.parametrize("what", ["wanted", "beside_wanted", "rename_wanted", "forget_wanted"])
def test_a_run_that_went_while_the_menu_was_open_is_told(forked, what):
    button, current = forked.window.timeline.readout.branches, forked.run.branch
    getattr(button, what).emit(999)
    assert "was forgotten" in forked.message
    assert forked.run.branch is current and forked.run.beside is None


def test_the_menu_leaves_nothing_behind(forked, qtbot):
    button = forked.window.timeline.readout.branches
    counts = []
    for _ in range(3):
        button.fill()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        counts.append(len(button.runs.findChildren(QObject)))
    assert len({*counts}) == 1


def test_comparing_is_said_on_the_button_and_ends_with_the_run_that_is_compared(forked):
    number = branch(forked, "First").number
    menu(forked, "Compare with")[1].trigger()
    button = forked.window.timeline.readout.branches
    assert forked.run.beside == number
    assert button.text() == "Second | First"
    assert button.accessibleName() == "Runs: Second, shown beside First"
    assert "Second is shown beside First" in forked.message
    assert [each.isChecked() for each in menu(forked, "Compare with")] == [False, True]
    menu(forked, "Compare with")[0].trigger()
    assert (forked.run.beside, button.text()) == (None, "Second")
    menu(forked, "Compare with")[1].trigger()
    forked.window.branches._forget(number)
    assert (forked.run.beside, button.text()) == (None, "Second")


def test_a_label_names_run_and_epoch(forked):
    assert branch_label(branch(forked, "First"), 1_234) == "First · epoch 1\u2009234"


def curves(desk) -> list[tuple[float, float]]:
    """From where to where the curves of other branches are drawn."""
    found = (each.epochs for each in desk.window.timeline.curve.drawn_others)
    return [(float(x[0]), float(x[-1])) for x in found if len(x)]


def test_the_others_curves_begin_where_they_part(forked):
    forked.settle()
    assert curves(forked) == [(41, 100)]
    forked.window.branches.go_to(branch(forked, "First").number)
    forked.until(lambda: curves(forked) == [(41, 100)])
    forked.store.set(seed=5)
    forked.settle()
    assert sorted(curves(forked)) == [(1, 100), (1, 100)]


def test_the_compared_run_is_in_view_named_and_stronger(forked):
    curve = forked.window.timeline.curve
    forked.store.set(epochs=3_000)
    forked.finish()
    forked.window.branches.go_to(branch(forked, "First").number)
    forked.until(lambda: forked.frames[-1].epoch == 100)
    assert curve.shown_range[0][1] == 100
    assert "beside" not in curve.labels()
    thin = curve.drawn_others[0].width
    forked.window.branches.show_beside(branch(forked, "Second").number)
    assert curve.shown_range[0][1] == forked.window.timeline.slider.maximum() == 3_000
    text, place = curve.labels()["beside"]
    assert text == "Second"
    assert curve.frame.contains(place)
    assert curve.drawn_others[0].width > thin


def test_the_reading_names_another_run_where_its_curve_is_nearer(forked):
    forked.settle()
    curve = forked.window.timeline.curve

    def read(losses) -> str:
        QTest.mouseMove(curve, QPoint(2, 2))
        QTest.mouseMove(curve, curve.position_of(70, losses[69, 0]).toPoint())
        (text,) = [label.text() for label in curve.findChildren(QLabel) if label.isVisible()]
        return text

    assert read(branch(forked, "First").losses).startswith("First · epoch 7")
    assert read(forked.run.losses).startswith("epoch 7")
