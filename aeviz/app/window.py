"""The window: lays the parts out and connects them; what computes stands elsewhere."""

from __future__ import annotations

import random
import time

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QMainWindow,
    QSplitter,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from aeviz.app.actions import actions_of
from aeviz.app.branches import Branches
from aeviz.app.change_list import ChangeList
from aeviz.app.controls import Controls
from aeviz.app.data_files import DataFiles
from aeviz.app.dialogs import Reporter, show_about, show_help
from aeviz.app.exports import Exports
from aeviz.app.film_export import FilmExport
from aeviz.app.gallery import Gallery
from aeviz.app.inspector import Inspector
from aeviz.app.keeper import Keeper
from aeviz.app.lessons import Lessons
from aeviz.app.lineage import branch_label
from aeviz.app.live_run import LiveRun
from aeviz.app.memory import Memory
from aeviz.app.menus import fill_menu_bar
from aeviz.app.notice import Notice
from aeviz.app.pencil import Pencil
from aeviz.app.playback import Playback
from aeviz.app.recovery import RecoveryDialog
from aeviz.app.status import StatusLine
from aeviz.app.store import Store
from aeviz.app.style import icon, style_sheet
from aeviz.app.timeline import TimelinePanel
from aeviz.app.toolbar import Toolbar
from aeviz.app.undo import Undo
from aeviz.core.corruption import shown_noisy
from aeviz.core.field import Field
from aeviz.core.numbers import grouped
from aeviz.core.presets import Preset
from aeviz.core.settings import SPECS, Settings, applies
from aeviz.figure.composition import Beside
from aeviz.figure.overlays import Lines
from aeviz.figure.panel import stride
from aeviz.figure.theme import theme_of
from aeviz.figure.view import FieldView
from aeviz.work.messages import Frame

READ_EVERY = 0.08  # seconds between readings while training: each makes labels and layouts anew
EXPLAIN_AFTER = 120  # ms without a change until the explaining text follows: laying it out holds up a frame
EXPLAIN_EVERY = 2_000  # ms between two texts while training changes their numbers
_NARROW, _NARROW_FOR_TWO = 1_000, 1_250  # px: a narrower window has no room for the inspector
_MOVES_NOISY = {"noise", "noise_kind", "test_noise"}  # settings that move the noisy points at once
_TITLE_BAR = 40  # px that a window's frame may take


class Window(QMainWindow):
    """The program's one window."""

    def __init__(self, settings: Settings, memory: Memory) -> None:
        super().__init__()
        self.memory = memory
        self.store = Store(settings)
        self.status = StatusLine()
        self.notice = Notice()
        self.keeper = Keeper(self, memory, self.notice, self.status.say)
        self.run = LiveRun(settings, self.keeper.listen)
        self.undo = Undo(self, self.store, self.run)
        self.view = FieldView(settings, self.run.data)
        self.controls = Controls(self.store)
        self.inspector = Inspector()
        self.timeline = TimelinePanel(self.store)
        self.branches = Branches(self, self.store, self.run, self.status.say)
        self.playback = Playback(self.run, lambda: self.timeline.slider.stops)
        self.toolbar = Toolbar(self.store)
        self.notice.stand_over(self.view)
        self.keeper.follow(self.store, self.run, self.view.figure)
        self.reporter = Reporter(self)
        say, notice, figure = self.status.say, self.notice, self.view.figure
        self.exports = Exports(self, figure, self.run, memory, self._beside, notice, say)
        self.films = FilmExport(self, self.run, figure.grid_in_view, memory, notice, say)
        self.files = DataFiles(self, self.store, memory, self.notice, self.status.say)
        self.lessons = Lessons(self.store)
        self.pencil = Pencil(self.view, self.store, self.notice, self.run.data)
        self._narrow = False
        self._inspector_wanted = True
        self._shown, self._shown_settings = 0, settings  # which epoch, and how it was trained
        self._was_live = False
        self._read = 0.0  # when the readings were last brought up to date
        self._explaining = QTimer(self)
        self._explaining.setSingleShot(True)
        self._explaining.timeout.connect(self._explain)
        self._torch_version = ""
        self._keys = fill_menu_bar(self, actions_of(self))
        self._lay_out()
        self._connect()
        self._repaint()
        self._show_start()
        self.view.setFocus()

    def start(self) -> None:
        """Start training; the window is usable before torch is loaded."""
        self.run.start()
        self.files.remark(self.run.data)
        if cut_off := self.keeper.left():
            RecoveryDialog(self, cut_off, self.keeper.recover).show()

    # Layout

    def _lay_out(self) -> None:
        self.setWindowTitle("aeviz")
        self.setMinimumSize(760, 520)
        screen = QApplication.primaryScreen()
        room = screen.availableSize() if screen else QSize(1440, 900)
        self.resize(min(1440, room.width()), min(900, room.height() - _TITLE_BAR))
        self._across = QSplitter(Qt.Orientation.Horizontal)
        for part in (self.controls, self.view, self.inspector):
            self._across.addWidget(part)
        self._across.setStretchFactor(1, 1)
        self._across.setSizes([292, 860, 288])
        self._down = QSplitter(Qt.Orientation.Vertical)
        self._down.addWidget(self._across)
        self._down.addWidget(self.timeline)
        self._down.setStretchFactor(0, 1)
        self._down.setSizes([700, 142])
        for splitter in self._splitters.values():
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        self.controls.setMinimumWidth(270)
        self.inspector.setMinimumWidth(230)
        self.view.setMinimumSize(260, 220)
        self.timeline.setMinimumHeight(122)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.toolbar)
        column.addWidget(self._down, 1)
        self.setCentralWidget(content)
        self.setStatusBar(self.status)
        self.memory.restore_layout(self, self._splitters)
        for button in self.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click, Space is for play and pause again

    @property
    def _splitters(self) -> dict[str, QSplitter]:
        return {"across": self._across, "down": self._down}

    def _connect(self) -> None:
        self.store.changed.connect(self._follow)
        self.store.refused.connect(self.status.say)
        self.run.use_grid(self.view.figure.grid_in_view)
        self.run.framed.connect(self._show_frame)
        self.run.judged.connect(self._show_quality)
        self.run.rebuilt.connect(self._show_start)
        self.run.ready.connect(self._welcome)
        self.run.diverged.connect(
            lambda reason: self._warn(f"Training stopped at epoch {grouped(self.run.epoch)}: {reason}.")
        )
        self.run.refused.connect(self._go_on_without)
        self.run.failed.connect(self.reporter.show)
        self.run.failed.connect(lambda _: self.timeline.show_run(self.run, self._shown))
        self.run.died.connect(self._mourn)
        self.view.view_changed.connect(self.run.refresh)
        self.view.hovered.connect(self.run.point_at)
        self.view.probed.connect(self.run.set_probe)
        self.view.clouded.connect(self.run.set_cloud)
        self.view.figure.wiped.connect(lambda at: self.store.set(wipe=round(at, 3)))
        self.toolbar.export_wanted.connect(self.exports.figure)
        self.toolbar.help_wanted.connect(self.show_help)
        self.toolbar.gallery_wanted.connect(self.show_gallery)
        self.controls.file_wanted.connect(self.files.choose)
        self.files.reopened.connect(self.run.reset)
        self.files.run_wanted.connect(self.keeper.open)
        self.keeper.named.connect(lambda name: self.setWindowTitle(f"{name} – aeviz" if name else "aeviz"))
        self.keeper.opened.connect(self.lessons.close)
        self.controls.draw_wanted.connect(lambda: self.pencil.put(True))
        self.inspector.code.hovered.connect(self._light)
        self.inspector.lesson.step_wanted.connect(self.lessons.step)
        self.inspector.lesson.gallery_wanted.connect(self.show_gallery)
        self.inspector.lesson.close_wanted.connect(self.lessons.close)
        self.lessons.changed.connect(self._teach)
        self.lessons.moved_on.connect(lambda: self.view.figure.show_look(None))
        self.timeline.play_wanted.connect(self._play)
        self.timeline.step_wanted.connect(self.run.step)
        self.timeline.reset_wanted.connect(self.run.reset)
        self.timeline.seed_wanted.connect(self.take_new_seed)
        self.timeline.speed_wanted.connect(lambda speed: self.run.drive(speed=speed))
        self.timeline.epoch_wanted.connect(self.run.look_at)
        self.timeline.playback_wanted.connect(self.playback.toggle)
        self.timeline.held.connect(self.playback.hold)
        self.timeline.readout.fork_wanted.connect(self.branches.fork)
        self.playback.changed.connect(self.timeline.show_playback)
        runs = self.timeline.readout.branches
        runs.wanted.connect(self.branches.go_to)
        runs.beside_wanted.connect(self.branches.show_beside)
        runs.rename_wanted.connect(self.branches.rename)
        runs.forget_wanted.connect(self.branches.forget)
        for signal in (self.run.looked, self.branches.changed, self.playback.changed):
            signal.connect(self._show_run)
        hints = QApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._repaint)

    # What the run says

    def _show_start(self) -> None:
        """Show the points at once; the field comes with the first frame."""
        settings = self.store.settings
        self._shown_settings = settings
        self.view.figure.set_settings(settings)
        self.view.figure.set_data(self.run.data)
        self.pencil.follow(self.run.data)  # a new run makes the last message pointless
        self._show_points(settings)
        self.timeline.show_speed(self.run.speed)
        self._shown = self.run.epoch
        self._show_run()
        self._show_quality()

    def _show_run(self) -> None:
        self.timeline.show_run(self.run, self._shown)

    def _show_points(self, settings: Settings) -> None:
        data, every = self.run.data, stride(len(self.run.data.points))
        self.view.figure.show_points(data.points[::every], shown_noisy(settings.tested, data, every))

    def _welcome(self, torch_version: str) -> None:
        self._torch_version = torch_version

    def _show_quality(self) -> None:
        self.status.show_quality(self.run.quality, self._shown_settings.noise)
        self.timeline.curve.show_floor(self.run.quality.bayes_floor)
        trained = self._shown_settings.drawn_as(self.store.settings)
        self.inspector.show_measured(self.run.code, self.run.over_noise, trained)
        if not self._explaining.isActive():
            self._explaining.start(EXPLAIN_EVERY if self.run.phase == "training" else EXPLAIN_AFTER)

    def _explain(self) -> None:
        settings = self._shown_settings.shown_as(self.store.settings)
        if self.run.beside is not None:
            settings = settings.replace(compare="off")  # the other panel has the same layer
        self.inspector.explain(settings, self.run.quality, self.run.midline, self.run.data)

    def _show_frame(self, frame: Frame, field: Field) -> None:
        lines = self.run.lines
        if not self.pencil.is_drawing:
            self.view.figure.set_field(field, frame.marks, lines, self._beside(frame, field, lines))
            asked_before = frame.settings.optimum != self.store.settings.optimum  # the last change
            if asked_before and self.run.looking_at is None:
                self._show_points(self.store.settings)
        self._shown, self._shown_settings = frame.epoch, frame.settings
        self.timeline.follow(self.run, frame.epoch)
        self.status.count_frame()
        now = time.perf_counter()
        place = frame.marks.cursor
        live = self.run.phase == "training" and self.run.looking_at is None and place is None
        if now - self._read > READ_EVERY or not (live and self._was_live):
            self._read, self._was_live = now, live
            self.inspector.show_place(place, self.run.data)
            self.timeline.show_run(self.run, frame.epoch)
            self.status.show_frame(frame, self.run)

    def _beside(self, frame: Frame, field: Field, lines: Lines) -> Beside | None:
        """The other run that is shown, where one is."""
        branch, other = self.run.branch_beside, frame.beside
        if branch is None or other is None:
            return None
        own_title = branch_label(self.run.branch, frame.epoch)
        same = branch.data is self.run.data
        return Beside(other, lines if same else (), branch_label(branch, other.epoch), own_title)

    def _warn(self, text: str) -> None:
        self.timeline.show_run(self.run, self.run.epoch)
        self.notice.say(text)

    def _go_on_without(self, reason: str) -> None:
        """Train on the processor instead of a device that is not there."""
        self.store.set(device=SPECS["device"].default)
        self._warn(f"{reason}.")

    def _mourn(self, how: str) -> None:
        self.timeline.show_run(self.run, self.run.epoch)
        text = f"{how}. The window lives; nothing before epoch {grouped(self.run.epoch)} is lost."
        self.notice.say(text, f"Go on from epoch {grouped(self.run.epoch)}", self._revive)

    def _revive(self) -> None:
        self.notice.hide()
        if self.run.lost:
            self.run.playing = True
            self.run.start()

    # What the user wants

    def _follow(self, old: Settings, new: Settings) -> None:
        changes = old.changed(new)
        if "theme" in changes:
            self.memory.theme = self.lessons.own_theme
            self._repaint()
        self.run.change(old, new, self.store.aim.branch)
        self._explaining.start(EXPLAIN_AFTER)
        if "compare" in changes:
            self._fit()
        if "view" in applies(changes) or "noise_kind" in changes:
            self.view.figure.set_settings(new)
        if changes.keys() & _MOVES_NOISY and new.show_noisy and self.run.looking_at is None:
            self._show_points(new)
        self.inspector.show_sections(new)

    def _repaint(self) -> None:
        settings = self.store.settings
        theme = theme_of(settings.theme)
        application, sheet = QApplication.instance(), style_sheet(theme)
        if application.styleSheet() != sheet:  # Qt would look at every widget of every window once more
            application.setStyleSheet(sheet)
        self.setWindowIcon(icon("aeviz", ""))
        self.timeline.paint_with(theme)
        self.view.setBackground(theme.figure)
        self.view.figure.set_settings(settings)
        self.inspector.paint_with(theme)
        self.inspector.show_sections(settings)
        self.controls.paint_with(theme)
        self._explain()

    def _light(self, index: int | None) -> None:
        """Ring on the field the clean point that is pointed at in the code plot."""
        place = None if index is None or index >= len(self.run.data.points) else self.run.data.points[index]
        self.view.figure.show_lit(None if place is None else (float(place[0]), float(place[1])))

    def _teach(self, preset: Preset | None) -> None:
        self.inspector.lesson.show_lesson(preset)
        self.inspector.verticalScrollBar().setValue(0)
        self.controls.mark(preset.try_next or None if preset else None)
        self.view.figure.show_look(preset.look_at if preset else None, preset.look if preset else "")
        if preset is not None:
            self.run.set_probe(None)
            self.run.set_cloud(None)
            self.view.figure.home()
            if self.run.epoch:  # else it has begun anew already
                self.run.reset()
            self._play(True)
            if self.inspector.isHidden():
                self.notice.say(preset.text, "Next lesson", lambda: self.lessons.step(1))

    def show_gallery(self) -> None:
        """Show all lessons; the run rests meanwhile."""
        playing = self.run.playing
        self.run.drive(playing=False)
        gallery = Gallery(self, self.lessons.own_theme)
        gallery.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        gallery.chosen.connect(self.lessons.open)
        gallery.rejected.connect(lambda: self.run.drive(playing=playing))
        gallery.open()

    def show_changes(self) -> None:
        """Show the list of all changes of settings."""
        ChangeList(self, self.undo, self.run, self.status.say).show()

    def toggle_play(self) -> None:
        """Play or pause."""
        self._play(not self.run.playing or self.run.phase == "finished")

    def _play(self, playing: bool) -> None:
        if playing and self.run.lost:
            self._revive()
            return
        settings = self.store.settings
        if playing and self.run.phase == "finished":
            most = int(SPECS["epochs"].high or 0)
            if self.store.set(epochs=min(most, max(settings.epochs, self.run.epoch) * 2)):
                self.status.say(f"The run goes on to epoch {grouped(self.store.settings.epochs)}")
        self.run.drive(playing=playing)
        self.timeline.show_run(self.run, self._shown)

    def take_new_seed(self) -> None:
        """Begin again with another seed."""
        self.store.set(seed=random.randrange(10_000))

    def toggle_speed(self) -> None:
        """Train as fast as the machine can, or at the speed before."""
        self.run.toggle_speed()
        self.timeline.show_speed(self.run.speed)

    def toggle_inspector(self) -> None:
        """Show or hide the right panel."""
        self._inspector_wanted = self.inspector.isHidden()
        self.inspector.setVisible(self._inspector_wanted)

    def toggle_full_screen(self) -> None:
        """Take the whole screen, or give it back."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def show_help(self) -> None:
        """Show the page that explains the picture and its keys."""
        show_help(self, self._keys)

    def show_about(self) -> None:
        """Show the versions."""
        show_about(self, self._torch_version)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the field the inspector's place where the window is narrow."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        compare = self.store.settings.compare
        split = compare == "split" or (self.run.beside is not None and compare != "wipe")
        narrow = self.width() < (_NARROW_FOR_TWO if split else _NARROW)
        if narrow != self._narrow:
            self._narrow = narrow
            self.inspector.setVisible(self._inspector_wanted and not narrow)
            self.status.set_narrow(narrow)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the layout and end the run."""
        self.memory.save_layout(self, self._splitters)
        self.films.cancel()
        self.run.stop()
        self.keeper.close()
        super().closeEvent(event)
