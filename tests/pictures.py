"""Makes the README's pictures of the window: python tests/pictures.py

They are taken from the real window, on Qt's offscreen platform, at a fixed epoch of a fixed seed.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QApplication

from aeviz.app.memory import Memory
from aeviz.app.style import Style
from aeviz.app.window import Window
from aeviz.core.marks import Point
from aeviz.core.resources import RESOURCES
from aeviz.core.settings import Settings
from aeviz.work.messages import Frame

FOLDER = RESOURCES / "readme"


@dataclass(frozen=True)
class Picture:
    """What the window shows: settings, the epoch, and where cursor and probe are."""

    settings: Settings
    epoch: int = 1_200
    cursor: Point | None = None
    probe: Point | None = None


PICTURES = {
    "window.png": Picture(Settings(), cursor=(0.0, 1.26)),
    "compare.png": Picture(
        Settings(
            layer="ambiguity", compare="split", beside="exact-ambiguity", theme="light", arrows="none",
            exact_midline=True, geometric_midline=True,
        )
    ),
    "basins.png": Picture(
        Settings(layer="basins", arrows="none", flow="walk-back", midline=False), probe=(-0.2, 0.1)
    ),
}  # fmt: skip


def show(window: Window, picture: Picture) -> None:
    """Let the window train and show one epoch."""
    loop, run, epoch = QEventLoop(), window.run, picture.epoch

    def look(frame: Frame, _: object) -> None:
        seen = frame.marks.cursor.place if frame.marks.cursor else None
        if run.epoch > epoch + 300 and run.looking_at is None:
            run.look_at(epoch)
            run.point_at(picture.cursor)
            run.set_probe(picture.probe)
        elif frame.epoch == epoch and seen == picture.cursor and run.quality.excess_risk is not None:
            QTimer.singleShot(2_500, loop.quit)  # after the last repaint and the last text

    run.framed.connect(look)
    run.speed = 500.0
    window.start()
    loop.exec()


if __name__ == "__main__":
    application = QApplication(["aeviz"])
    application.setStyle(Style())
    for name, picture in PICTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            window = Window(picture.settings, Memory(Path(folder) / "window.ini"))
            window.resize(1440, 860)
            window.show()
            show(window, picture)
            window.grab().save(str(FOLDER / name))
            window.close()
