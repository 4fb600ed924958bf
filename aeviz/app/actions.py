"""What there is to do by menu and key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from aeviz.app.menus import Entry, switch
from aeviz.app.recent import RecentMenu
from aeviz.core.settings import Settings

if TYPE_CHECKING:
    from aeviz.app.window import Window


def actions_of(window: Window) -> dict[str, list[Entry | QAction | QMenu]]:
    """The menus of a window."""
    run, store, exports, figure = window.run, window.store, window.exports, window.view.figure
    playback = window.playback

    def clear_marks() -> None:
        window.pencil.put(False)
        run.set_probe(None)
        run.set_cloud(None)

    return {
        "&File": [
            ("&Open…", "Ctrl+O", window.files.choose),
            RecentMenu(window, window.keeper, window.memory),
            ("&Save run", "Ctrl+S", window.keeper.save),
            ("Save run &as…", "Ctrl+Shift+S", window.keeper.save_as),
            ("Export &figure…", "Ctrl+E", exports.figure),
            ("Export fil&m…", "", window.films.open),
            ("Export &data…", "Ctrl+Shift+E", exports.data),
            ("&Quit", "Ctrl+Q", window.close),
        ],
        "&Lessons": [
            ("&All lessons…", "Ctrl+L", window.show_gallery),
            ("&Next lesson", "Shift+PgDown", partial(window.lessons.step, 1)),
            ("&Lesson before", "Shift+PgUp", partial(window.lessons.step, -1)),
            ("&Close the lesson", "", window.lessons.close),
        ],
        "&Edit": [
            window.undo.undo_action,
            window.undo.redo_action,
            ("C&hanges…", "Ctrl+Shift+H", window.show_changes),
            ("&Copy figure", "Ctrl+C", exports.copy),
            ("Copy as c&ommand", "Ctrl+Shift+C", partial(exports.copy_words, "command")),
            ("Copy as P&ython", "", partial(exports.copy_words, "python")),
            ("&Draw points", "D", window.pencil.toggle),
            ("All settings to &default", "", lambda: store.put(Settings(theme=store.settings.theme))),
        ],
        "&Run": [
            ("&Play or pause", "Space", window.toggle_play),
            ("&One epoch", "S", run.step),
            ("&Begin again", "R", run.reset),
            ("&New seed", "N", window.take_new_seed),
            ("&Unlimited speed and back", "U", window.toggle_speed),
            ("Back to &live", "L", lambda: run.look_at(None)),
            ("&Continue from here", "K", window.branches.fork),
            window.timeline.readout.branches.runs,
        ],
        "&Past": [
            ("&Play back and pause", "Shift+Space", playback.toggle),
            ("One epoch &back", "Left", partial(playback.step, -1)),
            ("One epoch &on", "Right", partial(playback.step, 1)),
            ("A &hundred epochs back", "Shift+Left", partial(playback.step, -100)),
            ("A hundred epochs o&n", "Shift+Right", partial(playback.step, 100)),
            ("To the &mark before", "Ctrl+Left", partial(playback.to_mark, -1)),
            ("To the mark &after", "Ctrl+Right", partial(playback.to_mark, 1)),
            switch(window, store, "loop"),
            switch(window, store, "pause_past"),
        ],
        "&View": [
            ("&Home", "H", figure.home),
            ("Next la&yer", "M", partial(store.cycle, "layer")),
            ("Laye&r before", "Shift+M", partial(store.cycle, "layer", -1)),
            ("&Compare layers", "V", partial(store.cycle, "compare")),
            ("Next se&cond layer", "B", partial(store.cycle, "beside")),
            ("Next &arrows", "A", partial(store.cycle, "arrows")),
            ("Decoder’s &reach", "O", partial(store.cycle, "decoder")),
            ("&Particles", "F", partial(store.cycle, "flow")),
            ("Learned m&idline", "I", partial(store.cycle, "midline")),
            ("&Exact midline", "E", partial(store.cycle, "exact_midline")),
            ("&Geometric midline", "G", partial(store.cycle, "geometric_midline")),
            ("&Drop a probe", "P", lambda: run.set_probe(run.cursor or figure.middle)),
            ("Drop a cloud of &noise", "C", lambda: run.set_cloud(run.cursor or figure.middle)),
            ("Take probe and cloud a&way", "Esc", clear_marks),
            ("Next &theme", "T", partial(store.cycle, "theme")),
            ("&Left panel", "F2", lambda: window.controls.setVisible(window.controls.isHidden())),
            ("&Right panel", "F3", window.toggle_inspector),
            ("&Full screen", "F11", window.toggle_full_screen),
        ],
        "&Help": [("&What am I seeing?", "F1", window.show_help), ("&About aeviz", "", window.show_about)],
    }
