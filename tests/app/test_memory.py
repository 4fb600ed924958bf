"""What the window remembers, and that nothing it finds there can harm it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import QByteArray

from aeviz.app.memory import Memory


def sizes(window) -> list[list[int]]:
    return [splitter.sizes() for splitter in (window._across, window._down)]


def test_size_and_panels_come_back(tmp_path, qapp, new_window):
    path = tmp_path / "deep" / "er" / "window.ini"
    first = new_window(memory=path, start=False)
    first.resize(777, 666)  # the offscreen platform's screen is 800 px wide
    qapp.processEvents()
    first._across.setSizes([330, 446, 0])
    first._down.setSizes([400, 200])
    before = sizes(first)
    first.close()
    second = new_window(memory=path, start=False, size=None)
    qapp.processEvents()
    assert (second.width(), second.height()) == (777, 666)
    assert sizes(second) == before
    fresh = new_window(memory=tmp_path / "other.ini", start=False, size=None)
    qapp.processEvents()
    assert sizes(fresh) != before


def test_theme_and_folder_come_back(new_window, tmp_path):
    path = tmp_path / "window.ini"
    window = new_window(memory=path, start=False)
    window.store.set(theme="light")
    Memory(path).folder = tmp_path
    window.close()
    assert Memory(path).theme == "light"
    assert Memory(path).folder == tmp_path
    assert Memory(tmp_path / "new.ini").theme is None


def test_a_folder_that_is_gone_is_forgotten(tmp_path):
    memory = Memory(tmp_path / "window.ini")
    memory.folder = tmp_path / "gone"
    assert memory.folder.is_dir()
    assert memory.folder != tmp_path / "gone"


GARBAGE = {
    "bytes": bytes(range(256)) * 40,
    "empty": b"",
    "values": b"[General]\ngeometry=@ByteArray(nonsense)\ntheme=@Point(1 2)\nfolder=@Invalid()\n"
    b"[splitter]\nacross=7\ndown=@ByteArray(\\0\\0\\0\\xff\\0\\0)\n",
    "lists": b"[General]\ngeometry=a, b, c\ntheme=purple, pink\nfolder=x, y\n",
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_a_broken_file_is_like_a_new_one(content, new_window, tmp_path):
    path = tmp_path / "window.ini"
    path.write_bytes(content)
    memory = Memory(path)
    assert isinstance(memory.folder, Path)
    assert memory.folder.is_dir()
    assert memory.theme is None or isinstance(memory.theme, str)
    window = new_window(memory=path, start=False)
    assert window.isVisible()
    assert min(sizes(window)[0]) > 100
    window.close()
    assert isinstance(Memory(path)._store.value("geometry"), QByteArray), "it was not mended"


def test_a_place_that_cannot_be_written_to_is_no_error(new_window, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    window = new_window(memory=tmp_path / "file" / "window.ini", start=False)
    window.store.set(theme="light")
    window.close()
