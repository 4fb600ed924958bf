"""Whether Qt can start here, asked before Qt is imported.

Qt itself answers a missing system library with an ImportError that names one
file, or by aborting the process; it aborts as well where no display answers.
So the program calls `require_qt` first, and what it says names everything at
once: the libraries, the packages that hold them, the display.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

SYSTEM_PACKAGES: Final[Mapping[str, Mapping[str, str]]] = {
    "every use": {
        "libGL.so.1": "libgl1",
        "libEGL.so.1": "libegl1",
        "libX11.so.6": "libx11-6",
        "libxcb.so.1": "libxcb1",
        "libxkbcommon.so.0": "libxkbcommon0",
        "libdbus-1.so.3": "libdbus-1-3",
        "libfontconfig.so.1": "libfontconfig1",
        "libfreetype.so.6": "libfreetype6",
        # Debian 13 and Ubuntu 24.04 call it libglib2.0-0t64, which provides this name.
        "libglib-2.0.so.0": "libglib2.0-0",
        "libgthread-2.0.so.0": "libglib2.0-0",
    },
    "xcb": {
        "libX11-xcb.so.1": "libx11-xcb1",
        "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
        "libxcb-cursor.so.0": "libxcb-cursor0",
        "libxcb-icccm.so.4": "libxcb-icccm4",
        "libxcb-image.so.0": "libxcb-image0",
        "libxcb-keysyms.so.1": "libxcb-keysyms1",
        "libxcb-randr.so.0": "libxcb-randr0",
        "libxcb-render.so.0": "libxcb-render0",
        "libxcb-render-util.so.0": "libxcb-render-util0",
        "libxcb-shape.so.0": "libxcb-shape0",
        "libxcb-shm.so.0": "libxcb-shm0",
        "libxcb-sync.so.1": "libxcb-sync1",
        "libxcb-util.so.1": "libxcb-util1",
        "libxcb-xfixes.so.0": "libxcb-xfixes0",
        "libxcb-xkb.so.1": "libxcb-xkb1",
    },
    "wayland": {
        "libwayland-client.so.0": "libwayland-client0",
        "libwayland-cursor.so.0": "libwayland-cursor0",
    },
}
"""Soname to Debian package, by what needs it: read from the Qt 6.7 to 6.11 wheels."""


_PLATFORMS = ("xcb", "wayland", "offscreen", "minimal", "vnc")


class QtUnavailable(RuntimeError):  # noqa: N818 - a state of the system, not a slip of the program
    """Qt cannot start here; the text is the one line to show."""


def debian_packages(*, screen: bool = True) -> tuple[str, ...]:
    """Every Debian or Ubuntu package that Qt needs, without repeats.

    Parameters
    ----------
    screen : bool
        Whether windows are wanted, on X11 or Wayland, or files only.
    """
    uses = SYSTEM_PACKAGES if screen else ("every use",)
    return tuple(dict.fromkeys(package for use in uses for package in SYSTEM_PACKAGES[use].values()))


def require_qt(*, screen: bool) -> None:
    """Make sure that Qt can start; nothing to do on macOS and Windows.

    Call it before PyQt6.QtGui is imported. What it loads stays loaded: Qt
    gets the very libraries that were found, and loads them no second time.

    Parameters
    ----------
    screen : bool
        True to open windows where the environment says, False to draw on
        Qt's offscreen platform.

    Raises
    ------
    QtUnavailable
        Libraries are missing, or no display answers.
    """
    if not sys.platform.startswith("linux"):
        return
    platforms = _platforms() if screen else []
    if unknown := [name for name in platforms if name not in _PLATFORMS]:
        raise QtUnavailable(
            f"aeviz: QT_QPA_PLATFORM names {unknown[0]!r}, which aeviz does not know; "
            f"leave it unset, or use one of {', '.join(_PLATFORMS)}"
        )
    if missing := _missing("every use"):
        # With the window's own libraries, so that one installation is enough.
        raise QtUnavailable(_libraries_line(missing + _missing(*platforms[:1])))
    # Before the window's libraries: without a display they are of no use.
    answering = [platform for platform in platforms if _answers(platform)]
    if platforms and not answering:
        raise QtUnavailable(_display_line(platforms))
    # From a platform that does not load, Qt goes on to the next.
    lacking = [_missing(platform) for platform in answering]
    if lacking and all(lacking):
        raise QtUnavailable(_libraries_line(lacking[0]))


def _platforms() -> list[str]:
    # As QGuiApplicationPrivate::createPlatformIntegration lists them.
    if chosen := os.environ.get("QT_QPA_PLATFORM"):
        names = [part.split(":")[0].lower() for part in chosen.split(";")]
        return ["wayland" if name.startswith("wayland") else name for name in names]
    wayland = "WAYLAND_DISPLAY" in os.environ or os.environ.get("XDG_SESSION_TYPE") == "wayland"
    return ["wayland", "xcb"] if wayland else ["xcb"]


def _missing(*uses: str) -> list[str]:
    missing = []
    for soname in (soname for use in uses for soname in SYSTEM_PACKAGES.get(use, ())):
        try:
            ctypes.CDLL(soname)
        except OSError:
            missing.append(soname)
    return missing


def _answers(platform: str) -> bool:
    if platform == "xcb":
        xcb = ctypes.CDLL("libxcb.so.1")
        xcb.xcb_connect.restype = ctypes.c_void_p
        connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
        error = xcb.xcb_connection_has_error(connection)
        xcb.xcb_disconnect(connection)
        return bool(error == 0)
    if platform == "wayland":
        folder = Path(os.environ.get("XDG_RUNTIME_DIR") or os.devnull)
        name = os.environ.get("WAYLAND_DISPLAY", "wayland-0")
        with socket.socket(socket.AF_UNIX) as compositor, suppress(OSError):
            compositor.connect(os.fspath(folder / name))
            return True
        return False
    return True  # offscreen, vnc and the like ask no display


def _libraries_line(sonames: list[str]) -> str:
    package = {soname: name for part in SYSTEM_PACKAGES.values() for soname, name in part.items()}
    packages = dict.fromkeys(package[soname] for soname in sonames)
    sudo = "sudo " if os.geteuid() else ""  # a bare system has none, and root needs none
    return (
        f"aeviz: Qt needs system libraries that are missing ({', '.join(sonames)}); "
        f"on Debian or Ubuntu: {sudo}apt-get install -y {' '.join(packages)}"
    )


def _display_line(platforms: list[str]) -> str:
    variables = ["WAYLAND_DISPLAY" if platform == "wayland" else "DISPLAY" for platform in platforms]
    tried = " or ".join(f"{name}={os.environ[name]}" for name in variables if os.environ.get(name))
    return (
        f"aeviz: no display to open a window on{f' (no answer at {tried})' if tried else ''}; "
        "set DISPLAY, or use `aeviz render` to make figures without one"
    )


@cache
def offscreen_application() -> object:
    """Return the application that runs, or make one that needs no display; it stays for good.

    Raises
    ------
    QtUnavailable
        Libraries are missing.
    """
    require_qt(screen=False)
    from PyQt6.QtWidgets import QApplication

    if (running := QApplication.instance()) is not None:
        return running
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # whatever the environment asks a window to use
    return QApplication(["aeviz"])
