"""What a person does with the window, and what they see then."""

from __future__ import annotations

import os
import select

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QLabel

import aeviz
from aeviz.core.clean_data import clean_data
from aeviz.core.corruption import shown_noisy
from aeviz.core.field import Grid
from aeviz.core.metrics import Quality
from aeviz.core.settings import Settings
from aeviz.figure.theme import DARK

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
ENDLESS = QUICK.replace(epochs=1_000_000)
# Without heat map, arrows and outline, a point's pixel has the point's colour.
POINTS = ENDLESS.replace(layer="none", arrows="none", midline=False, show_data=False, show_noisy=True)


# From nothing to a trained field


def test_it_opens_with_the_points_and_trains_by_itself(new_window, desk_at):
    window = new_window(Settings(theme="dark"))
    desk = desk_at(window)
    for point in desk.in_view(clean_data(Settings()).points)[::10]:
        assert desk.colour(point) == DARK.data, "the data is not there at once"
    assert "starting" in window.statusBar().findChild(QLabel).text()
    assert desk.says(window.timeline, "starting")
    desk.until(lambda: len(desk.frames) > 5 and desk.frames[-1].epoch > 150)
    assert desk.says(window.timeline, "live")
    assert not desk.says(window.timeline, "starting")
    first, last = desk.fields[0], desk.fields[-1]
    assert first.grid == last.grid == Grid.home(Settings(), clean_data(Settings()))
    losses = window.run.losses
    assert losses[-20:].mean() < 0.7 * losses[:5].mean()
    assert [*np.diff([frame.epoch for frame in desk.frames])] == sorted(
        np.diff([frame.epoch for frame in desk.frames]), key=lambda gap: gap < 0
    ), "an epoch came back"
    window.run.look_at(0)  # the first frame may have come late
    desk.until(lambda: desk.frames[-1].epoch == 0)
    assert np.abs(last.displacement - desk.fields[-1].displacement).max() > 0.1

    worker = os.pidfd_open(window.run.pids["trainer"])
    window.close()
    try:
        assert select.select([worker], [], [], 2.0)[0], "the worker outlives the window"
    finally:
        os.close(worker)
    count = len(desk.frames)
    window.run.step()
    window.run.reset()
    window.run.drive(playing=True)
    window.run.refresh()
    QApplication.processEvents()
    assert len(desk.frames) == count


def test_how_good_the_network_is_is_said_as_a_run_without_a_window_says_it(desk, in_kept_processes):
    settings = QUICK.replace(threshold=1.5)
    desk.begin(settings)
    desk.finish()
    with aeviz.train(settings) as run:
        best = run.metrics()
    assert 0.1 < best.excess_risk < 10.0  # then it is told in whole per cent
    status, curve = desk.window.status, desk.window.timeline.curve
    desk.until(lambda: desk.run.quality.excess_risk == best.excess_risk)
    assert desk.run.quality == Quality(
        best.bayes_floor, best.excess_risk, best.midline_iou, best.ridge_distance,
        best.exact_ridge_distance, best.identityness,
    )  # fmt: skip
    for text in (
        f"above the optimum {100 * best.excess_risk:.0f} %",
        f"midline agreement {best.midline_iou:.2f}",
        f"ridge off by {best.ridge_distance:.3f} (exact {best.exact_ridge_distance:.3f})",
        f"copies {100 * best.identityness:.0f} %",
    ):
        assert text in status.quality.text()
    assert curve.floor == pytest.approx(best.bayes_floor, rel=1e-9)
    assert "floor" in curve.labels()
    assert curve.shown_range[1][0] < np.log10(curve.floor)  # in view
    desk.store.set(noise=0.4)  # at rest: the floor moves with σ at once
    desk.until(lambda: desk.run.quality.bayes_floor > 1.5 * best.bayes_floor)
    assert curve.floor == pytest.approx(desk.run.quality.bayes_floor, rel=1e-9)
    desk.store.set(noise=0.0)  # no exact reference, and no number that would be wrong
    copies = best.identityness  # the network is the same
    desk.until(lambda: desk.run.quality.bayes_floor is None and desk.run.quality.identityness is not None)
    # Measured in other blocks of places, the last bits of float32 may be others.
    assert desk.run.quality == Quality(identityness=pytest.approx(copies, abs=1e-7))
    assert status.quality.text() == f"no exact reference   copies {100 * copies:.0f} %"
    assert curve.floor is None
    assert "floor" not in curve.labels()


def test_the_status_bar_says_how_it_goes(desk):
    desk.begin()
    desk.finish()
    desk.settle()
    text = " ".join(label.text() for label in desk.window.statusBar().findChildren(QLabel))
    assert f"epoch 100   loss {desk.run.losses[-1, 0]:.4f}" in text
    assert "steps/s" in text
    assert "frames/s" in text
    assert "seed 0" in text


# Noise


def test_the_noise_slider_acts_while_it_is_dragged(desk, drag):
    desk.begin(POINTS)
    desk.until(lambda: desk.run.epoch > 20)
    slider, run = desk.window.controls.editor("noise"), desk.frames[-1].run
    values = []

    def at_once() -> None:
        values.append(desk.store.settings.noise)
        noisy = desk.in_view(shown_noisy(desk.store.settings, desk.run.data))
        assert {desk.colour(point) for point in noisy[:6]} == {DARK.noisy}

    drag(slider, 130, seen=at_once, release=False)
    assert len({*values}) == 5
    assert values[-1] == 0.65
    epoch = desk.run.epoch
    desk.until(lambda: desk.frames[-1].settings.noise == 0.65 and desk.run.epoch > epoch)
    np.testing.assert_array_equal(desk.fields[-1].noisy, shown_noisy(desk.store.settings, desk.run.data))
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton)
    desk.settle()
    assert {frame.run for frame in desk.frames} == {run}, "the run was started again"
    assert desk.store.settings.noise == 0.65


def test_the_noise_slider_obeys_keys(desk):
    slider = desk.window.controls.editor("noise")
    slider.setFocus()
    desk.press(Qt.Key.Key_Right, slider)
    assert desk.store.settings.noise == 0.26
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert desk.store.settings.noise == 0.0
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert desk.store.settings.noise == 1.0


# Time


def test_looking_back_shows_the_past_while_training_goes_on(desk, drag):
    settings = ENDLESS.replace(epochs=2_000)
    desk.begin(settings, speed=120.0)
    slider = desk.window.timeline.slider
    desk.until(lambda: desk.run.epoch > 60)
    live = {frame.epoch: field for frame, field in zip(desk.frames, desk.fields, strict=True)}
    drag(slider, 30, release=False)
    asked = slider.value()
    assert asked == pytest.approx(30, abs=8)  # epochs a pixel
    desk.until(lambda: desk.frames[-1].epoch == asked)
    epoch, count = desk.run.epoch, len(desk.frames)
    desk.until(lambda: desk.run.epoch > epoch + 20 and len(desk.frames) > count + 2)
    assert slider.value() == asked, "the slider moved in the hand"
    assert {frame.epoch for frame in desk.frames[count:]} == {asked}
    assert desk.says(desk.window.timeline, "past")
    assert desk.says(desk.window.statusBar(), f"epoch {asked}   loss {desk.run.losses[asked - 1, 0]:.4f}")
    past = live[min(live, key=lambda epoch: abs(epoch - asked))]
    desk.run.look_at(past.epoch)
    desk.until(lambda: desk.frames[-1].epoch == past.epoch)
    assert desk.fields[-1].displacement.tobytes() == past.displacement.tobytes()

    drag(slider, slider.maximum())
    assert desk.run.looking_at is None
    desk.until(lambda: desk.frames[-1].epoch == desk.run.epoch > epoch)
    assert desk.says(desk.window.timeline, "live")
    desk.settle()
    assert slider.value() == desk.frames[-1].epoch, "it does not follow again"


def test_the_way_back_to_live(desk):
    desk.begin()
    desk.finish()
    for back in (
        lambda: desk.press(Qt.Key.Key_L),
        lambda: QTest.mouseClick(desk.window.timeline.readout.live, Qt.MouseButton.LeftButton),
        lambda: QTest.keyClick(desk.window.timeline.slider, Qt.Key.Key_End),
    ):
        QTest.keyClick(desk.window.timeline.slider, Qt.Key.Key_Home)
        desk.until(lambda: desk.frames[-1].epoch == 0)
        assert desk.window.timeline.readout.live.isVisible()
        back()
        desk.until(lambda: desk.frames[-1].epoch == 100)
        assert not desk.window.timeline.readout.live.isVisible()


def test_past_noisy_points_are_those_of_their_epoch(desk):
    desk.begin(POINTS.replace(epochs=30))
    desk.finish()
    desk.store.set(noise=0.5, epochs=60)
    desk.finish()
    for epoch, noise in ((20, 0.25), (50, 0.5)):
        desk.run.look_at(epoch)
        desk.until(lambda epoch=epoch: desk.frames[-1].epoch == epoch)
        noisy = desk.in_view(shown_noisy(POINTS.replace(noise=noise), desk.run.data))
        assert {desk.colour(point) for point in noisy[:6]} == {DARK.noisy}
    desk.run.look_at(20)
    desk.until(lambda: desk.frames[-1].epoch == 20)
    desk.store.set(noise=0.9)  # acts on the training, not on the past
    desk.settle()
    assert desk.frames[-1].settings.noise == 0.25
    noisy = desk.in_view(shown_noisy(POINTS, desk.run.data))
    assert {desk.colour(point) for point in noisy[:6]} == {DARK.noisy}
