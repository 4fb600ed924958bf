"""Makes the README's pictures and those of the lessons: python tests/pictures.py [NAME …]

Those of the window are taken from the real one, on Qt's offscreen platform, at a fixed epoch of a fixed seed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()  # what these windows trained is nobody's

from PyQt6.QtCore import QEventLoop, QSize, QTimer

from aeviz.app.export_dialog import ExportDialog
from aeviz.app.gallery import shown_small
from aeviz.app.main import new_application
from aeviz.app.memory import Memory
from aeviz.app.window import Window
from aeviz.core.marks import Point
from aeviz.core.presets import FOLDER as PRESETS
from aeviz.core.presets import preset, preset_names
from aeviz.core.resources import RESOURCES
from aeviz.core.settings import Settings
from aeviz.figure.export import THUMBNAIL, figure_of, thumbnail
from aeviz.runs import train
from aeviz.work.messages import Frame

FOLDER = RESOURCES / "readme"
SMALL = QSize(339, 279)  # px of a lesson’s picture: half as many again as a card’s


@dataclass(frozen=True)
class Picture:
    """What the window shows: settings, the epoch, and where cursor and probe are."""

    settings: Settings
    epoch: int = 1_200
    cursor: Point | None = None
    probe: Point | None = None
    fork: int | None = None  # the epoch from which another run goes on, with twice the noise
    exported: bool = False  # the dialog that exports it, instead of the window


PICTURES = {
    "window.png": Picture(Settings(), cursor=(0.0, 1.26)),
    "compare.png": Picture(
        Settings(
            layer="ambiguity", compare="split", beside="exact-ambiguity", theme="light", arrows="none",
            exact_midline=True, geometric_midline=True,
        )
    ),
    "code.png": Picture(
        Settings(
            code=1, hidden=(64, 64), mirror=True, epochs=4_000, decoder=True, arrows="none", midline=False,
        ),
        epoch=3_000, cursor=(0.3, 1.0),
    ),
    "error.png": Picture(
        Settings(
            noise=0.15, test_noise=2.0, error_curve=True, code_plot=False, show_noisy=True,
            show_reconstruction=True, arrows="samples", midline=False,
        )
    ),
    "branches.png": Picture(Settings(), fork=400),
    "export.png": Picture(Settings(), epoch=600, exported=True),
    "basins.png": Picture(
        Settings(layer="basins", arrows="none", flow="walk-back", midline=False), probe=(-0.2, 0.1)
    ),
}  # fmt: skip


def show(window: Window, picture: Picture) -> None:
    """Let the window train and show one epoch."""
    loop, run, epoch = QEventLoop(), window.run, picture.epoch

    def look(frame: Frame, _: object) -> None:
        seen = frame.marks.cursor.place if frame.marks.cursor else None
        if picture.fork is not None and len(run.history) == 1:
            if run.epoch > epoch:
                run.look_at(picture.fork)
                window.branches.fork()
                window.branches.show_beside(1)
                window.store.set(noise=2.0 * picture.settings.noise)
        elif run.epoch > epoch + 300 and run.looking_at is None:
            run.look_at(epoch)
            run.point_at(picture.cursor)
            run.set_probe(picture.probe)
        elif frame.epoch == epoch and seen == picture.cursor and run.quality.excess_risk is not None:
            QTimer.singleShot(2_500, loop.quit)  # after the last repaint and the last text

    run.framed.connect(look)
    run.judged.connect(run.refresh)  # which may come after the last frame
    run.speed = 500.0
    window.start()
    loop.exec()


def dialog_of(window: Window) -> ExportDialog:
    """The dialog that exports what the window shows."""
    loop, look = QEventLoop(), QTimer()
    look.timeout.connect(lambda: loop.quit() if window.findChildren(ExportDialog) else None)
    look.start(100)
    window.exports.figure()
    loop.exec()
    (dialog,) = window.findChildren(ExportDialog)
    QTimer.singleShot(500, loop.quit)  # until it is laid out and painted
    loop.exec()
    return dialog


def of_lesson(name: str) -> None:
    """Train a preset to its end and make the picture of its card."""
    settings = shown_small(preset(name))
    with train(settings) as run:
        figure = figure_of(run.field(), settings, run.data)
    figure.resize(*THUMBNAIL)
    thumbnail(figure, SMALL).save(str(PRESETS / f"{name}.png"))


def of_window(name: str) -> None:
    """Show the window as it is to be seen, and take its picture."""
    with tempfile.TemporaryDirectory() as folder:
        window = Window(PICTURES[name].settings, Memory(Path(folder) / "window.ini"))
        window.resize(1440, 860)
        window.show()
        show(window, PICTURES[name])
        seen = dialog_of(window) if PICTURES[name].exported else window
        seen.grab().save(str(FOLDER / name))
        window.close()


if __name__ == "__main__":
    application = new_application()
    for name in sys.argv[1:] or (*preset_names(), *PICTURES):
        of_window(name) if name in PICTURES else of_lesson(name)
