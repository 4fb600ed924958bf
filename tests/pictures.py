"""Makes the README's pictures of the window: python tests/pictures.py

They are taken from the real window, on Qt's offscreen platform, at a fixed epoch of a fixed seed.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QApplication

from aeviz.app.memory import Memory
from aeviz.app.style import Style
from aeviz.app.window import Window
from aeviz.core.resources import RESOURCES
from aeviz.core.settings import Settings
from aeviz.work.messages import Frame

FOLDER = RESOURCES / "readme"
PICTURES = {
    "window.png": (Settings(), 1_200, (0.0, 1.26)),
    "ambiguity.png": (Settings(layer="ambiguity", arrows="none", theme="light"), 1_200, (0.0, 1.26)),
    "samples.png": (
        Settings(arrows="samples", layer="none", show_noisy=True, show_reconstruction=True),
        1_200, (0.5, 0.9),
    ),
}  # fmt: skip


def picture(settings: Settings, epoch: int, cursor: tuple[float, float]) -> None:
    """Let the window train and show one epoch, with the cursor at a place."""
    loop = QEventLoop()

    def look(frame: Frame, _: object) -> None:
        if window.run.epoch > epoch + 300 and window.run.looking_at is None:
            window.run.look_at(epoch)
            window.run.point_at(cursor)
        elif frame.epoch == epoch and frame.place == cursor:
            QTimer.singleShot(300, loop.quit)  # after the last repaint

    window.run.framed.connect(look)
    window.run.speed = 500.0
    window.start()
    loop.exec()


if __name__ == "__main__":
    application = QApplication(["aeviz"])
    application.setStyle(Style())
    for name, (settings, epoch, cursor) in PICTURES.items():
        with tempfile.TemporaryDirectory() as folder:
            window = Window(settings, Memory(Path(folder) / "window.ini"))
            window.resize(1440, 860)
            window.show()
            picture(settings, epoch, cursor)
            window.grab().save(str(FOLDER / name))
            window.close()
