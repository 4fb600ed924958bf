"""What painting leaves behind: nothing, however often the screen is painted."""

from __future__ import annotations

import dataclasses
import gc
import sys

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QObject

from aeviz.core.clean_data import clean_data
from aeviz.core.settings import Settings
from aeviz.figure.export import figure_of, picture_bytes

PAINTS = 100
SETTINGS = Settings(midline=True, exact_midline=True, arrows="both", show_noisy=True, grid=(20, 17))


@pytest.fixture
def view(open_view):
    return open_view(SETTINGS, 500, 420)


def test_painting_the_field_again_and_again_keeps_no_memory(view, best):
    """PyQt6's arrays of points and lines lose 72 bytes whenever one is made or sliced."""
    field = best(SETTINGS)

    def paint(times: int) -> None:
        for k in range(times):  # another number of arrows, of other lengths, each time
            view.figure.set_field(dataclasses.replace(field, displacement=field.displacement * (k % 7) / 7.0))
            view.grab()

    def kept() -> int:
        gc.collect()
        before = sys.getallocatedblocks()
        paint(PAINTS)
        gc.collect()
        return sys.getallocatedblocks() - before

    paint(5 * PAINTS)  # numpy keeps some small pieces for later, up to a number
    assert min(kept() for _ in range(3)) < PAINTS  # others may keep something once


def test_a_figure_that_was_written_leaves_nothing(qapp, best):
    """PyQt keeps some bytes of connections to what is no QObject, and a scene that its own item owns."""
    field, data = best(SETTINGS), clean_data(SETTINGS)

    def write(times: int) -> None:
        for _ in range(times):
            picture_bytes(figure_of(field, SETTINGS, data), ".png")
        gc.collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    write(10)
    before = len(gc.get_objects()), sys.getallocatedblocks()
    write(20)
    assert len(gc.get_objects()) - before[0] < 20 * 6  # pyqtgraph keeps a few weak references of each box
    assert sys.getallocatedblocks() - before[1] < 20 * 12


class Paintings(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget):
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_view_at_rest_is_not_painted_again(view, best, qtbot):
    paintings = Paintings(view.viewport())
    view.figure.set_field(best(SETTINGS))
    qtbot.waitUntil(lambda: paintings.count > 0)
    before = paintings.count
    for _ in range(20):
        QCoreApplication.processEvents()
    assert paintings.count - before <= 2
