"""The small windows: help, about, and the report of an error."""

from __future__ import annotations

import platform
import traceback
from types import TracebackType

import numpy
import pyqtgraph
from PyQt6.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, Qt
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from aeviz.core.resources import RESOURCES
from aeviz.version import __version__


def show_help(parent: QWidget, keys: dict[str, str]) -> None:
    """Show the page that explains the picture; `keys` maps what a key does to the key."""
    rows = "".join(f"<tr><td><b>{key}</b></td><td>{action}</td></tr>" for action, key in keys.items())
    text = (RESOURCES / "help" / "overview.html").read_text(encoding="utf-8").format(keys=rows)
    dialog = _single(parent, "aeviz help")
    if dialog is None:
        return
    dialog.resize(640, 680)
    page = QTextBrowser()
    page.setHtml(text)
    _fill(dialog, page)
    dialog.show()


def show_about(parent: QWidget, torch_version: str) -> None:
    """Show the versions, to be copied into a report."""
    dialog = _single(parent, "About aeviz")
    if dialog is None:
        return
    dialog.resize(460, 300)
    title = QLabel("aeviz")
    title.setProperty("role", "brand")
    page = QPlainTextEdit(versions(torch_version))
    page.setReadOnly(True)
    _fill(dialog, title, QLabel("Watch a denoising autoencoder learn."), page)
    dialog.show()


def versions(torch_version: str) -> str:
    """Versions of the program and of what it stands on, one a line."""
    return "\n".join((
        f"aeviz {__version__}", f"Python {platform.python_version()}",
        f"torch {torch_version or 'not loaded yet'}",
        f"Qt {QT_VERSION_STR}, PyQt {PYQT_VERSION_STR}", f"pyqtgraph {pyqtgraph.__version__}",
        f"numpy {numpy.__version__}", platform.platform(), "License: GPL-3.0-or-later",
    ))  # fmt: skip


class ReportDialog(QDialog):
    """An error that should not have happened, as a text that can be copied; the window lives on."""

    def __init__(self, parent: QWidget | None, headline: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Something went wrong in aeviz")
        self.resize(640, 420)
        self._headline = QLabel(headline)
        self._headline.setWordWrap(True)
        self._page = QPlainTextEdit()
        self._page.setReadOnly(True)
        buttons = _fill(self, self._headline, self._page)
        copy = buttons.addButton("Copy report", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self.report))

    @property
    def report(self) -> str:
        """The whole text."""
        return self._page.toPlainText()

    def add(self, report: str) -> None:
        """Add a report below those that stand there."""
        if report not in self.report:
            self._page.appendPlainText(report + "\n")


class Reporter:
    """Shows what no one caught; install it as ``sys.excepthook``."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.dialog: ReportDialog | None = None

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        self.show("".join(traceback.format_exception(kind, error, trace)))

    def show(self, report: str) -> None:
        """Show a report, below those before."""
        if self.dialog is None:
            headline = (
                "An error inside aeviz. The window lives, and nothing that was recorded is lost; please "
                "report the text below."
            )
            self.dialog = ReportDialog(self._parent, headline)
            self.dialog.add(versions(""))
        self.dialog.add(report)
        self.dialog.show()


def _single(parent: QWidget, title: str) -> QDialog | None:
    """A new window of this title, or None where one is open, which comes to the front."""
    for open_one in parent.findChildren(QDialog):
        if open_one.windowTitle() == title:
            open_one.raise_()
            open_one.activateWindow()
            return None
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def _fill(dialog: QDialog, *widgets: QWidget) -> QDialogButtonBox:
    column = QVBoxLayout(dialog)
    column.setContentsMargins(18, 16, 18, 14)
    column.setSpacing(10)
    for widget in widgets:
        column.addWidget(widget)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    column.addWidget(buttons)
    return buttons
