"""The real window with a real worker."""

from __future__ import annotations

import gc
import itertools
import math
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from processes import workers
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QDialog, QLabel, QSlider, QStyle, QStyleOptionSlider, QWidget
from pytestqt.qtbot import QtBot

from aeviz.app import live_run
from aeviz.app.memory import Memory
from aeviz.app.style import STYLE
from aeviz.app.window import Window
from aeviz.core.field import Field
from aeviz.core.settings import Settings
from aeviz.figure.export import image_of, picture_bytes
from aeviz.figure.theme import font
from aeviz.work.messages import Frame

LONG = 30_000  # ms: the machine may be busy with something else
QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))


@pytest.fixture(autouse=True, scope="session")
def as_in_the_program(qapp: QApplication) -> Iterator[None]:
    """Style and font as the program sets them."""
    qapp.setStyle(STYLE)
    qapp.setFont(font(13))
    yield
    while _kept:  # where the tests were stopped
        _destroy(_kept.pop())
    qapp.setStyleSheet("")


@pytest.fixture(autouse=True, scope="session")
def patient() -> Iterator[None]:
    """A process that is slow on a busy machine is not taken for a stuck one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_run, "PATIENCE", 60.0)
        yield


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Exception], None]:
    """Let a function of the disk fail, but in the journal's thread, whose notice would come between."""

    def breaks(owner: Any, name: str, error: Exception) -> None:
        real = getattr(owner, name)

        def work(*args: Any, **how: Any) -> Any:
            if threading.current_thread().name == "aeviz-journal":
                return real(*args, **how)
            raise error

        monkeypatch.setattr(owner, name, work)

    return breaks


@pytest.fixture(autouse=True, scope="module")
def collected_here() -> Iterator[None]:
    """Garbage is collected between tests, in this thread: in another one, Qt's objects must not die."""
    gc.collect()
    gc.freeze()  # all that is imported
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.fixture(autouse=True)
def collect_after(collected_here: None) -> Iterator[None]:
    """As often as it would be done by itself."""
    yield
    for generation in (2, 1, 0):
        if gc.get_count()[generation] > gc.get_threshold()[generation]:
            gc.collect(generation)
            break


@pytest.fixture
def new_window(tmp_path: Path, qtbot: QtBot) -> Iterator[Callable[..., Window]]:
    """Open a window, with its worker unless that is not wanted."""
    windows: list[Window] = []

    def new_window(
        settings: Settings = QUICK, memory: Path | None = None, *, start: bool = True,
        size: tuple[int, int] | None = (1_300, 820),
    ) -> Window:  # fmt: skip
        windows.append(Window(settings, Memory(memory or tmp_path / "window.ini")))
        if size is not None:
            windows[-1].resize(*size)
        windows[-1].show()
        if start:
            windows[-1].start()
        return windows[-1]

    yield new_window
    for window in windows:
        _destroy(window)


_kept: list[Window] = []


@pytest.fixture(scope="module")
def others() -> set[int]:
    """The processes of other folders' tests, which are kept."""
    return workers() - {pid for window in _kept for pid in window.run.pids.values()}


@pytest.fixture(scope="module")
def shared_window(
    tmp_path_factory: pytest.TempPathFactory, as_in_the_program: None, others: set[int]
) -> Window:
    """The window that this folder’s tests share, for one takes seconds to start; they take it from `desk`."""
    if not _kept:
        window = Window(QUICK, Memory(tmp_path_factory.mktemp("memory") / "window.ini"))
        window.resize(1_300, 820)
        window.show()
        window.start()
        _kept.append(window)
    return _kept[0]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """After the last test of this folder the window goes: those of other folders are to begin without."""
    if _kept and (nextitem is None or Path(__file__).parent not in nextitem.path.parents):
        _destroy(_kept.pop())


def _destroy(window: Window) -> None:
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


class Desk:
    """A window at the beginning of a run, and the hands and eyes of who sits before it."""

    def __init__(self, window: Window, qtbot: QtBot) -> None:
        self.window, self.qtbot = window, qtbot
        self.run, self.store, self.figure = window.run, window.store, window.view.figure
        self.frames: list[Frame] = []
        self.fields: list[Field] = []
        self.run.framed.connect(self._note)

    def leave(self) -> None:
        """Disconnect, and let the worker rest."""
        self.run.framed.disconnect(self._note)
        self.run.drive(playing=False)

    def _note(self, frame: Frame, field: Field) -> None:
        self.frames.append(frame)
        self.fields.append(field)

    def until(self, condition: Callable[[], Any]) -> None:
        """Let the window live until something is so."""
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=LONG)

    def expect(self, signal: Any) -> Any:
        """At the end of a `with`, let the window live until a signal came, since its beginning."""
        return self.qtbot.waitSignal(signal, timeout=LONG)

    def begin(self, settings: Settings = QUICK, *, playing: bool = True, speed: float = math.inf) -> None:
        """Begin a run; the first frame is there, and those before are forgotten."""
        self.run.drive(playing=False, speed=speed)
        begun: list[bool] = []
        self.run.rebuilt.connect(note := lambda: begun.append(True))
        self.store.put(settings)
        self.run.rebuilt.disconnect(note)
        self.figure.home()
        self.window.notice.hide()
        if not begun:
            self.run.reset()
        self.frames.clear()
        self.until(lambda: self.frames)
        self.frames.clear(), self.fields.clear()
        if playing:
            self.run.drive(playing=True)

    def finish(self) -> None:
        """Train to the last epoch, which is on the screen then."""
        self.until(
            lambda: (
                self.run.phase == "finished"
                and self.frames
                and self.frames[-1].epoch == self.store.settings.epochs
            )
        )

    def settle(self, frames: int = 3) -> None:
        """Let some more frames come: what is wrongly under way shows in them."""
        for _ in range(frames):
            count = len(self.frames)
            self.run.refresh()
            self.until(lambda count=count: len(self.frames) > count)

    def press(
        self, key: Qt.Key, widget: Any = None, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        """Type a key into the window, or into a widget that has the focus."""
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)  # only then it has shortcuts
        QTest.keyClick(widget or self.window.view, key, modifier)

    def choose(self, box: Any, index: int) -> None:
        """Open a list and choose by keyboard."""
        box.showPopup()
        box.view().setCurrentIndex(box.model().index(index, 0))
        QTest.keyClick(box.view(), Qt.Key.Key_Return)

    def colour(self, place: Any) -> str:
        """The colour at a place of the plane, painted now."""
        (colour,) = self.colours([place])
        return colour

    def colours(self, places: Iterable[Any]) -> list[str]:
        """The colours at some places of the plane, painted now."""
        image, box = image_of(self.figure), self.figure.box
        points = [box.mapToScene(box.mapFromView(QPointF(*place))) for place in places]
        return [image.pixelColor(math.floor(point.x()), math.floor(point.y())).name() for point in points]

    def ringed(self, place: Any, radius: float, colour: str) -> bool:
        """Whether a ring of this radius, in pixels, is drawn round a place, in a line of 2 px."""
        angles = np.arange(0.2, 2.0 * np.pi, 0.7)
        way = np.stack((np.cos(angles), np.sin(angles)), axis=1) * self.pixel
        wanted = np.array(QColor(colour).getRgb())
        seen = np.array([
            [QColor(each).getRgb() for each in self.colours(np.array(place) + r * way)]
            for r in radius + np.arange(-1.0, 1.1, 0.25)
        ])  # fmt: skip
        off = np.abs(seen - wanted).max(axis=2).min(axis=0)  # a line has few pixels for itself alone
        return bool((off < 90).all())

    @property
    def message(self) -> str:
        """What the status bar says for a while."""
        return self.window.statusBar().currentMessage()

    @property
    def texts(self) -> list[str]:
        """What is written in the figure, taken from its SVG."""
        root = ET.fromstring(picture_bytes(self.figure, ".svg"))
        nodes = root.iter("{http://www.w3.org/2000/svg}text")
        return ["".join(node.itertext()).replace("\u200a", "").strip() for node in nodes]  # thin spaces

    def says(self, widget: QWidget, text: str) -> bool:
        """Whether a visible label in a widget says something."""
        return any(text in label.text() and label.isVisible() for label in widget.findChildren(QLabel))

    # The mouse over the field

    @property
    def pixel(self) -> float:
        """Size of a pixel of the field, in data units."""
        (x0, x1), _ = self.figure.box.viewRange()
        return (x1 - x0) / self.figure.box.geometry().width()

    def at(self, place: Any) -> QPoint:
        """Where a place of the plane is in the widget of the field."""
        box = self.figure.box
        return self.window.view.mapFromScene(box.mapToScene(box.mapFromView(QPointF(*place))))

    def hover(self, place: Any) -> None:
        """Move the mouse to a place, or with None beside the field."""
        point = QPoint(2, 2) if place is None else self.at(place)
        QTest.mouseMove(self.window.windowHandle(), self._in_window(point))

    def click(self, place: Any, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        """Click at a place."""
        QTest.mouseClick(self.window.windowHandle(), button, pos=self._in_window(self.at(place)))

    def double_click(self, place: Any) -> None:
        """Click twice at a place."""
        pos = self._in_window(self.at(place))
        QTest.mouseDClick(self.window.windowHandle(), Qt.MouseButton.LeftButton, pos=pos)

    def drag(self, *path: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        """Drag from pixel to pixel of the field's widget."""
        window, points = self.window.windowHandle(), [self._in_window(point) for point in path]
        QTest.mousePress(window, button, pos=points[0])
        for start, end in itertools.pairwise(points):
            for step in range(1, 11):
                QTest.mouseMove(window, start + (end - start) * (step / 10.0))
        QTest.mouseRelease(window, button, pos=points[-1])

    def _in_window(self, point: QPoint) -> QPoint:
        return self.window.view.mapTo(self.window, point)

    def in_view(self, points: np.ndarray) -> np.ndarray:
        """Those points that are drawn whole."""
        (x0, x1), (y0, y1) = self.figure.box.viewRange()
        margin = 0.05 * (x1 - x0)
        low, high = np.array([x0, y0]) + margin, np.array([x1, y1]) - margin
        return points[np.all((points > low) & (points < high), axis=1)]


@pytest.fixture
def desk(shared_window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The shared window, at rest at the beginning of a quick run."""
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", 0)  # this mouse is faster than a hand
    desk = Desk(shared_window, qtbot)
    if desk.run.lost:  # by a test before
        desk.run.start()
    for slider in shared_window.findChildren(QSlider):
        slider.setSliderDown(False)
    shared_window.activateWindow()
    desk.until(shared_window.isActiveWindow)
    shared_window.resize(1_300, 820)
    shared_window.view.setFocus()
    desk.hover(None)
    desk.run.set_probe(None)
    desk.run.set_cloud(None)
    shared_window.pencil.put(False)
    desk.begin(playing=False)
    for branch in [*desk.run.history]:
        desk.run.history.remove(branch.number)  # but for the current one: those of other tests
    shared_window.lessons.close()
    shared_window.statusBar().clearMessage()
    yield desk
    for dialog in shared_window.findChildren(QDialog):
        dialog.close()
    desk.leave()


@pytest.fixture
def desk_at(qtbot: QtBot) -> Iterator[Callable[[Window], Desk]]:
    """Sit down at a window."""
    desks: list[Desk] = []

    def desk_at(window: Window) -> Desk:
        desks.append(Desk(window, qtbot))
        return desks[-1]

    yield desk_at
    for desk in desks:
        desk.leave()


@pytest.fixture
def drag() -> Callable[..., None]:
    """Drag a slider's handle with the mouse, step by step; `seen` is called after each."""

    def handle(slider: QSlider, value: int) -> QPoint:
        option = QStyleOptionSlider()
        slider.initStyleOption(option)
        option.sliderPosition = option.sliderValue = value
        style = slider.style()
        return style.subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider
        ).center()

    def drag(
        slider: QSlider, value: int, *, seen: Callable[[], None] = lambda: None, release: bool = True
    ) -> None:
        start, end = handle(slider, slider.value()), handle(slider, value)
        if not slider.isSliderDown():
            QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=start)
        for step in range(1, 6):
            QTest.mouseMove(slider, start + (end - start) * (step / 5.0))
            seen()
        if release:
            QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=end)

    return drag
