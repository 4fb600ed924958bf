"""What stops Qt from starting is found before Qt is asked, and told in one line."""

import ctypes
import importlib.util
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from aeviz.figure.qt import SYSTEM_PACKAGES, QtUnavailable, debian_packages, require_qt

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is checked elsewhere")
PACKAGES = [(use, *pair) for use, table in SYSTEM_PACKAGES.items() for pair in table.items()]
PLUGINS = {"every use": "offscreen.so", "xcb": "xcb.so", "wayland": "wayland[.-][sg]*"}  # -generic, once
# What any Linux that can start Python and apt already has.
SYSTEM_BASE = {"libc", "libm", "libdl", "libpthread", "librt", "libgcc_s", "libstdc++", "libz", "libzstd"}


@pytest.fixture(autouse=True)
def no_session_but_a_compositor_to_ask(monkeypatch, tmp_path):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-0"))
        compositor.listen()
        yield


def install_all_but(monkeypatch, *missing, x_error=0):
    def load(soname):
        if soname in missing:
            raise OSError(f"{soname}: cannot open shared object file")
        return Mock(**{"xcb_connect.return_value": 1, "xcb_connection_has_error.return_value": x_error})

    monkeypatch.setattr(ctypes, "CDLL", load)


def refusal(*, screen):
    with pytest.raises(QtUnavailable, match=r"\Aaeviz: .*\Z") as caught:  # the dot matches no newline
        require_qt(screen=screen)
    return str(caught.value)


@pytest.mark.parametrize(("use", "soname", "package"), PACKAGES)
def test_a_missing_library_is_named_with_its_package(use, soname, package, monkeypatch):
    install_all_but(monkeypatch, soname)
    monkeypatch.setenv("QT_QPA_PLATFORM", f"{use}:nograb")
    line = refusal(screen=use != "every use")
    assert f"({soname})" in line
    assert line.endswith(f"apt-get install -y {package}")


def test_one_line_is_enough_for_a_bare_system(monkeypatch):
    install_all_but(monkeypatch, *(soname for _, soname, _ in PACKAGES))
    x11 = dict.fromkeys(package for use, _, package in PACKAGES if use != "wayland")
    assert refusal(screen=True).endswith(f"install -y {' '.join(x11)}")
    assert refusal(screen=False).endswith(f"install -y {' '.join(debian_packages(screen=False))}")
    assert set(debian_packages(screen=True)) == {package for *_, package in PACKAGES}


@pytest.mark.parametrize("dead", [{}, {"DISPLAY": ":7777"}, {"WAYLAND_DISPLAY": "gone", "DISPLAY": ":7777"}])
def test_no_display_is_told_and_drawing_goes_without(dead, monkeypatch):
    for name, value in dead.items():
        monkeypatch.setenv(name, value)
    line = refusal(screen=True)
    for words in ("no display", "`aeviz render`", *(f"{name}={value}" for name, value in dead.items())):
        assert words in line
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen:configfile=screens.json")
    require_qt(screen=True)


@pytest.mark.skipif(not shutil.which("Xvfb"), reason="needs an X server")
def test_a_living_x_server_answers(monkeypatch):
    monkeypatch.setitem(SYSTEM_PACKAGES, "xcb", {})  # whether this machine has those is not asked here
    command = ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        monkeypatch.setenv("DISPLAY", f":{server.stdout.readline().strip()}")
        try:
            require_qt(screen=True)
        finally:
            server.terminate()


@pytest.mark.parametrize(("missing", "x_error"), [("libwayland-cursor.so.0", 0), ("libxcb-cursor.so.0", 1)])
def test_one_of_two_platforms_is_enough(missing, x_error, monkeypatch):
    install_all_but(monkeypatch, missing, x_error=x_error)
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    require_qt(screen=True)


def test_what_passes_here_starts_qt_in_a_fresh_process(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    program = """if True:
        import sys; from aeviz.figure.qt import require_qt; require_qt(screen=False)
        assert not any(name.startswith("PyQt6") for name in sys.modules)
        from PyQt6.QtWidgets import QApplication; QApplication([])"""
    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)


@pytest.mark.parametrize("use", SYSTEM_PACKAGES)
def test_the_table_covers_what_the_wheel_loads(use):
    wheel = Path(importlib.util.find_spec("PyQt6").submodule_search_locations[0])
    (plugin,) = wheel.glob(f"Qt6/plugins/platforms/libq{PLUGINS[use]}")
    waiting = [plugin, *(wheel / f"Qt{name}.abi3.so" for name in ("Widgets", "Svg", "Test", "OpenGLWidgets"))]
    for path in waiting:  # grows by the bundled libraries as they are met
        for name in needed(path) - {*SYSTEM_PACKAGES["every use"], *SYSTEM_PACKAGES[use]}:
            bundled = wheel / "Qt6/lib" / name
            assert bundled.exists() or name.split(".")[0] in SYSTEM_BASE, f"{path.name} needs {name}"
            waiting += {bundled} - {*waiting} if bundled.exists() else ()


def needed(library):  # every soname among the strings of the ELF file: those it links, and hardly another
    return {name.decode() for name in re.findall(rb"\0(lib[^\0/ ]+\.so\.\d+)(?=\0)", library.read_bytes())}
