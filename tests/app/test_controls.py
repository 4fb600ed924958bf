"""The left panel: every setting of the table can be read, changed, mistyped and put back."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel, QLineEdit, QToolButton, QWidget

from aeviz.app.controls import Controls, Row, SliderRow
from aeviz.app.editors import (
    ChoiceEditor,
    DrawnEditor,
    NumberEditor,
    SliderEditor,
    SwitchEditor,
    TextEditor,
)  # fmt: skip
from aeviz.app.store import Store
from aeviz.core.clean_data import clean_data
from aeviz.core.manifolds import BITS, CURVES
from aeviz.core.numbers import grouped
from aeviz.core.setting import SettingError, Spec
from aeviz.core.settings import FILE_GROUPS, GROUPS, SPECS, Settings
from aeviz.core.settings import TABLE as WHOLE_TABLE

TABLE = [spec for spec in WHOLE_TABLE if spec.group not in FILE_GROUPS]  # the others' editors: in dialogs
every_spec = pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
edited_here = [spec for spec in TABLE if spec.name != "drawn"]  # which the field's own pencil edits
numbers = [spec for spec in TABLE if type(spec.default) in (int, float)]
typed = [*numbers, *(spec for spec in edited_here if isinstance(spec.default, tuple))]
SLIDERS = {"noise", "threshold", "wipe"}
EFFECT = {"live": "next epoch", "rebuild": "new run", "view": "drawing only"}


class Panel:
    """The controls over a store, with what the store said."""

    def __init__(self) -> None:
        self.store = Store(Settings())
        self.changes: list[dict[str, Any]] = []
        self.refusals: list[str] = []
        self.store.changed.connect(lambda old, new: self.changes.append(old.changed(new)))
        self.store.refused.connect(self.refusals.append)
        self.controls = Controls(self.store)
        self.wanted: list[str] = []
        self.controls.file_wanted.connect(lambda: self.wanted.append("file"))
        self.controls.draw_wanted.connect(lambda: self.wanted.append("draw"))
        self.rows = {row.editor: row for row in self.controls.findChildren(Row)}

    def row(self, name: str) -> Row:
        return self.rows[self.controls.editor(name)]

    def choose(self, name: str, text: str) -> None:
        """Open a list and choose by keyboard."""
        box = self.controls.editor(name)
        box.showPopup()
        box.view().setCurrentIndex(box.model().index(box.findText(text), 0))
        QTest.keyClick(box.view(), Qt.Key.Key_Return)

    def field(self, name: str) -> QWidget:
        """Where the setting can be typed: a slider has a number over it."""
        row = self.row(name)
        return row.number if isinstance(row, SliderRow) else row.editor

    def type_into(self, name: str, text: str, key: Qt.Key = Qt.Key.Key_Return) -> None:
        editor = self.field(name)
        editor.setFocus()
        editor.selectAll()
        if not text:
            QTest.keyClick(editor, Qt.Key.Key_Delete)
        elif text.isascii():
            QTest.keyClicks(editor, text)
        else:  # which QTest cannot type
            (editor if isinstance(editor, QLineEdit) else editor.findChild(QLineEdit)).insert(text)
        QTest.keyClick(editor, key)


@pytest.fixture(scope="module")
def shared_panel(qapp: object):
    panel = Panel()
    panel.controls.resize(290, 900)
    panel.controls.show()
    yield panel
    panel.controls.close()
    panel.controls.deleteLater()


@pytest.fixture
def panel(shared_panel: Panel, qtbot) -> Panel:
    shared_panel.store.put(Settings())
    shared_panel.controls.mark(None)
    for told in (shared_panel.changes, shared_panel.refusals, shared_panel.wanted):
        told.clear()
    return shared_panel


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of points, of which one row is bad."""
    path = tmp_path_factory.mktemp("data") / "points of mine.csv"
    path.write_text("x,y\n1,2\n3,4\n5,\n7,9\n", encoding="utf-8")
    return str(path)


def shown(editor: QWidget, spec: Spec) -> Any:
    """The value that an editor shows, read by its own means."""
    match editor:
        case SwitchEditor():
            return editor.isChecked()
        case ChoiceEditor():
            return editor.currentText()
        case SliderEditor():
            return spec.low + editor.value() * spec.step / 2  # it goes by half steps
        case NumberEditor():
            return editor.value()
        case TextEditor() | DrawnEditor():
            return editor.text()
    raise AssertionError(editor)


def as_shown(spec: Spec, value: Any) -> Any:
    """What the editor of a setting should show."""
    if spec.name == "drawn":
        return f"{grouped(len(value) // 2)} · draw" if value else "Draw…"
    if spec.name == "data":
        return Path(value).name
    if isinstance(value, tuple):
        return spec.text(value)
    if isinstance(value, str | bool):
        return value
    return pytest.approx(value, rel=1e-9, abs=0.26 * spec.step if spec.name in SLIDERS else 1e-10)


def values(spec: Spec) -> st.SearchStrategy[Any]:
    """Values that a person may set, by any means."""
    if spec.name == "data":
        return st.sampled_from([choice for choice in spec.choices if choice != "drawn"])
    if spec.choices:
        return st.sampled_from(spec.choices)
    if spec.name == "drawn":
        points = st.lists(st.tuples(st.floats(-9.0, 9.0), st.floats(-9.0, 9.0)), max_size=9)
        return points.map(lambda each: tuple(itertools.chain(*each)))
    if isinstance(spec.default, bool):
        return st.booleans()
    if spec.name == "extent":
        place = st.tuples(st.floats(-800, 800), st.floats(-800, 800))
        size = st.tuples(st.floats(0.01, 90), st.floats(0.5, 2.0))
        return st.tuples(place, size).map(
            lambda box: (box[0][0], box[0][0] + box[1][0], box[0][1], box[0][1] + box[1][0] * box[1][1])
        )
    if isinstance(spec.default, tuple):
        least, most = spec.length
        each = st.integers(int(spec.low), min(400, int(spec.high)))
        return st.lists(each, min_size=least, max_size=most).map(tuple)
    if isinstance(spec.default, int):
        return st.integers(int(spec.low), min(int(spec.high), 10**9))
    return st.floats(spec.low, spec.high)


# What a control says of itself


@every_spec
def test_every_setting_has_an_editor_that_explains_itself(spec, panel):
    row = panel.row(spec.name)
    editor = row.editor
    assert spec.label in editor.accessibleName()
    assert spec.symbol in editor.accessibleName()
    for text in (spec.range, spec.help, EFFECT[spec.applies]):
        assert text in editor.toolTip()
    if spec.unit:
        assert spec.unit in editor.toolTip()
    assert spec.help in editor.accessibleDescription()
    assert editor.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert row.label.buddy() is editor
    assert spec.label in row.reset.accessibleName()
    assert shown(editor, spec) == as_shown(spec, spec.default)
    assert isinstance(row, SliderRow) == (spec.name in SLIDERS)
    assert row.reset.isHidden(), "there is nothing to reset"


@pytest.mark.parametrize("group", [group for group in GROUPS if group not in FILE_GROUPS])
def test_what_rebuilds_is_marked(group, panel):
    """A group of one kind says so in its heading; where there are several, each row does."""
    (heading,) = [each for each in panel.controls.findChildren(QToolButton) if each.text() == group.upper()]
    labels = heading.parent().findChildren(QLabel)
    (tag,) = [label.text() for label in labels if label.property("role") == "tag"]
    specs = [spec for spec in TABLE if spec.group == group]
    kinds = {spec.applies for spec in specs}
    assert tag == (
        {"live": "LIVE", "rebuild": "REBUILDS", "view": ""}[kinds.pop()] if len(kinds) == 1 else ""
    )
    for spec in specs:
        marked = spec.applies == "rebuild" and tag == ""
        assert ("↻" in panel.row(spec.name).label.text()) == marked


def test_an_extent_that_is_left_empty_is_automatic(panel):
    editor = panel.controls.editor("extent")
    assert (editor.text(), editor.placeholderText()) == ("", "automatic")
    panel.type_into("extent", "-1,1,-2,2")
    assert panel.store.settings.extent == (-1.0, 1.0, -2.0, 2.0)
    panel.type_into("extent", "")
    assert panel.store.settings.extent == ()
    assert panel.refusals == []


# Both ways


@every_spec
@given(data=st.data())
@effort(max_examples=15)
def test_an_editor_shows_what_is_set_and_never_echoes(spec, data, shared_panel):
    panel = shared_panel
    value = data.draw(values(spec))
    panel.store.put(Settings())
    panel.changes.clear()
    assert panel.store.set(**{spec.name: value})
    new = panel.store.settings
    row = panel.row(spec.name)
    assert shown(row.editor, spec) == as_shown(spec, getattr(new, spec.name))
    never = spec.name == "drawn"  # no data would be left
    assert row.reset.isHidden() == (never or getattr(new, spec.name) == spec.default)
    field = panel.field(spec.name)
    if isinstance(field, NumberEditor | TextEditor):  # as when the focus leaves it
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_Return)
        field.clearFocus()
    assert panel.store.settings == new, "a look at a value changed it"
    assert len(panel.changes) == (new != Settings())


@pytest.mark.parametrize("name", sorted(SLIDERS))
def test_a_slider_goes_to_where_it_is_clicked(name: str, panel: Panel) -> None:
    slider, spec = panel.controls.editor(name), SPECS[name]
    for part in (0.8, 0.3):
        place = QPoint(round(part * slider.width()), slider.height() // 2)
        QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=place)
        gone_to = (panel.changes[-1][name] - spec.low) / (spec.high - spec.low)
        assert gone_to == pytest.approx(part, abs=0.05)
    assert len(panel.changes) == 2, "at once, in one change"


@pytest.mark.parametrize("spec", edited_here, ids=lambda spec: spec.name)
def test_every_editor_changes_its_setting_and_reset_puts_the_default_back(spec, panel):
    editor = panel.controls.editor(spec.name)
    match editor:
        case SwitchEditor():
            editor.click()
        case ChoiceEditor():
            QTest.keyClick(editor, Qt.Key.Key_Down)
        case SliderEditor():
            QTest.keyClick(editor, Qt.Key.Key_Right)
        case NumberEditor():
            editor.setFocus()
            QTest.keyClick(editor, Qt.Key.Key_Up)
        case TextEditor():
            other = {"hidden": "32,16", "grid": "20x17", "extent": "-1,1,−2.5,2"}
            panel.type_into(spec.name, other[spec.name])
    (change,) = panel.changes
    assert {*change} == {spec.name}
    assert change[spec.name] != spec.default
    assert type(change[spec.name]) is type(spec.default)
    row = panel.row(spec.name)
    assert not row.reset.isHidden()
    row.reset.click()
    assert panel.store.settings == Settings()
    assert shown(editor, spec) == as_shown(spec, spec.default)
    assert panel.refusals == []


@pytest.mark.parametrize("spec", numbers, ids=lambda spec: spec.name)
def test_arrow_keys_step_to_the_ends_and_no_further(spec, panel):
    editor = panel.controls.editor(spec.name)
    kind = type(spec.default)
    for end, key in ((kind(spec.low), Qt.Key.Key_Down), (kind(spec.high), Qt.Key.Key_Up)):
        panel.store.set(**{spec.name: end})
        QTest.keyClick(editor, key)
        assert getattr(panel.store.settings, spec.name) == end
    panel.store.set(**{spec.name: kind(spec.low)})
    QTest.keyClick(editor, Qt.Key.Key_Up)
    up = getattr(panel.store.settings, spec.name)
    assert up > spec.low
    if spec.scale == "linear":
        assert up == pytest.approx(spec.low + spec.step)
    else:
        assert spec.low * 1.05 <= up <= max(spec.low + 1, spec.low * spec.step * 1.01)
    assert panel.refusals == []


def test_the_wheel_over_a_number_scrolls_the_panel(panel):
    from PyQt6.QtCore import QPoint, QPointF
    from PyQt6.QtGui import QWheelEvent
    from PyQt6.QtWidgets import QApplication

    panel.controls.setFocus()
    for name in ("points", "learning_rate", "activation"):
        editor = panel.controls.editor(name)
        editor.clearFocus()
        event = QWheelEvent(
            QPointF(5, 5), editor.mapToGlobal(QPointF(5, 5)), QPoint(), QPoint(0, -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(editor, event)
    assert panel.store.settings == Settings()


# Mistakes


NONSENSE = ["abc", "", "nan", "1,,2,3,4,5,6,7,8,9", "-7.5e300"]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (spec, text)
        for spec in typed
        for text in NONSENSE
        if (spec.name, text) not in {("hidden", ""), ("extent", "")}  # which are choices
    ],
    ids=lambda each: each or "nothing" if isinstance(each, str) else each.name,
)
def test_nonsense_is_refused_in_one_line_and_the_old_value_comes_back(spec, text, panel):
    editor = panel.field(spec.name)
    before = editor.text()
    panel.type_into(spec.name, text)
    assert panel.store.settings == Settings()
    assert editor.text() == before
    assert panel.refusals
    for line in panel.refusals:
        assert spec.option in line
        assert "\n" not in line
        assert len(line) < 200
    assert len(panel.refusals) == 1, "it is told more than once"


def test_what_only_the_whole_of_the_settings_refuses_is_put_back(panel):
    panel.type_into("extent", "2,1,0,3")
    assert panel.store.settings == Settings()
    assert panel.controls.editor("extent").text() == SPECS["extent"].text(Settings().extent)
    assert "x0 below x1" in panel.refusals[0]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("learning_rate", "3e-4", 0.0003),
        ("learning_rate", ".02", 0.02),
        ("points", " 200 ", 200),
        ("points", "2e3", 2_000),
        ("turns", "−0.25", None),
        ("turns", "2.125", 2.125),
        ("seed", "123456789", 123_456_789),
        ("hidden", "", ()),
        ("hidden", "8, 16 ,32", (8, 16, 32)),
        ("grid", "12×9", (12, 9)),
        ("grid", "12,9", (12, 9)),
    ],
)
def test_numbers_are_read_as_people_write_them(name, text, value, panel):
    panel.type_into(name, text)
    assert getattr(panel.store.settings, name) == (getattr(Settings(), name) if value is None else value)
    assert len(panel.refusals) == (value is None)


def test_a_number_is_taken_when_it_is_done_not_at_every_key(panel):
    editor = panel.controls.editor("points")
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, "1200")
    assert panel.changes == []
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert panel.changes == [{"points": 1_200}]


@pytest.mark.parametrize("spec", numbers, ids=lambda spec: spec.name)
def test_a_number_fits_its_field(spec, panel):
    editor = panel.field(spec.name)
    line = editor.findChild(QLineEdit)
    for value in (spec.low, spec.default, spec.high):
        panel.store.set(**{spec.name: type(spec.default)(value)})
        assert line.fontMetrics().horizontalAdvance(editor.text()) <= line.width(), editor.text()


def test_the_large_number_and_the_slider_of_the_noise_go_together(panel):
    number, slider = panel.row("noise").number, panel.controls.editor("noise")
    assert number.accessibleName() != slider.accessibleName() != ""
    number.setFocus()
    number.selectAll()
    QTest.keyClicks(number, "0.333")
    QTest.keyClick(number, Qt.Key.Key_Return)
    assert panel.store.settings.noise == 0.333
    assert slider.value() == 67  # of 0.005 each
    assert panel.changes == [{"noise": 0.333}]
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert panel.store.settings.noise == pytest.approx(0.345)
    assert number.value() == pytest.approx(0.345)
    number.setFocus()
    number.selectAll()
    QTest.keyClicks(number, "7")
    QTest.keyClick(number, Qt.Key.Key_Return)
    assert panel.store.settings.noise == pytest.approx(0.345)
    assert number.text() == "0.345"
    assert len(panel.refusals) == 1
    assert "--noise cannot be '7'" in panel.refusals[0]


# Data of the user's own


NO_POPUPS = pytest.mark.qt_log_ignore("plugin does not support", extend=True)  # the offscreen platform's


def test_a_file_stands_there_by_its_name_and_goes_when_it_is_no_longer_the_data(file, panel):
    editor = panel.controls.editor("data")
    items = [*SPECS["data"].choices, "file…"]
    for value, shown_as in ((file, "points of mine.csv"), ("circle", "circle"), (file, "points of mine.csv")):
        assert panel.store.set(data=value, bad_rows="skip")
        assert editor.currentText() == shown_as
        wanted = items if value == "circle" else [*items, "points of mine.csv"]
        assert [editor.itemText(index) for index in range(editor.count())] == wanted
    panel.row("data").reset.click()
    assert panel.store.settings.data == "spiral"
    assert editor.currentText() == "spiral"


@NO_POPUPS
@pytest.mark.parametrize("before", ["spiral", "a file"])
def test_where_a_file_is_wanted_the_data_stay_until_there_is_one(before, file, panel):
    panel.store.set(data=file if before == "a file" else before, bad_rows="skip")
    settings, editor = panel.store.settings, panel.controls.editor("data")
    text = editor.currentText()
    panel.choose("data", "file…")
    assert panel.wanted == ["file"]
    assert panel.store.settings == settings
    assert editor.currentText() == text
    if before == "a file":
        panel.choose("data", text)  # itself
        assert panel.store.settings == settings
    panel.choose("data", "moons")
    assert panel.store.settings == settings.replace(data="moons")
    assert panel.wanted == ["file"]


@NO_POPUPS
def test_where_nothing_is_drawn_yet_the_pencil_is_wanted(panel):
    panel.choose("data", "drawn")
    assert panel.wanted == ["draw"]
    assert not panel.refusals
    assert panel.store.settings == Settings()
    assert panel.controls.editor("data").currentText() == "spiral"
    panel.store.set(drawn=(1.0, 2.0, 3.0, 4.0))
    panel.choose("data", "drawn")
    assert panel.store.settings.data == panel.controls.editor("data").currentText() == "drawn"
    assert panel.wanted == ["draw"]
    assert panel.refusals == []


def test_the_drawn_points_are_counted_and_a_press_asks_for_the_pencil(panel):
    editor = panel.controls.editor("drawn")
    assert editor.text() == "Draw…"
    panel.store.set(data="drawn", drawn=tuple(np.arange(4_000.0).tolist()))
    assert editor.text() == "2\u2009000 · draw"
    assert editor.fontMetrics().horizontalAdvance(editor.text()) < editor.width()
    before = panel.store.settings
    editor.click()
    assert panel.wanted == ["draw"]
    assert panel.store.settings == before
    assert panel.row("drawn").reset.isHidden(), "it would leave no data"


def test_what_the_store_refuses_is_said_in_one_line_and_the_editor_goes_back(file, panel):
    panel.store.set(data=file, bad_rows="skip")
    settings, editor = panel.store.settings, panel.controls.editor("bad_rows")
    editor.setCurrentText("refuse")  # there are bad rows
    (line,) = panel.refusals
    assert file in line
    assert "\n" not in line
    assert panel.store.settings == settings
    assert editor.currentText() == "skip"


# Rows that do nothing


def others(name: str, settings: Settings) -> list[Settings]:
    """The same settings with other values of one."""
    choices = {
        "drawn": [(*settings.drawn, 8.0, -8.0)], "points": [7, 300], "turns": [0.5, 3.0],
        "jitter": [0.1, 0.2], "seed": [7],
    }  # fmt: skip
    values = choices.get(name) or SPECS[name].choices or (False, True)
    return [settings.replace(**{name: value}) for value in values if value != getattr(settings, name)]


def points_of(settings: Settings) -> bytes | None:
    try:
        return clean_data(settings).points.tobytes()
    except SettingError:
        return None


def does_something(name: str, settings: Settings) -> bool:
    """Whether another value of a setting would be another run or another picture."""
    match name:
        case "drawn" | "bad_rows" | "points" | "turns" | "jitter" | "standardise":
            return any(points_of(other) != points_of(settings) for other in others(name, settings))
        case "mirror" | "tied" | "hidden":
            return any(other.widths != settings.widths for other in others(name, settings))
        case "beside":
            return any(other.layers != settings.layers for other in others(name, settings))
        case "strength":
            return settings.regulariser != "none"
        case "wipe":
            return settings.compare == "wipe"
        case "particles":
            return settings.flow != "off"
    return True


def visible(panel: Panel) -> set[str]:
    return {spec.name for spec in TABLE if not panel.row(spec.name).isHidden()}


def walk(file: str) -> list[dict[str, Any]]:
    """Settings between which rows come and go."""
    drawn = {"drawn": (0.0, 0.0, 1.0, 0.5, 3.0, 1.0)}
    return [
        {}, *({"data": name} for name in (*CURVES, *BITS)), {"data": "drawn"} | drawn, drawn,
        {"data": file, "bad_rows": "skip"},
        {"hidden": ()}, {"hidden": (8, 4)}, {"hidden": (8,), "tied": True},
        {"hidden": (8,), "mirror": True}, {"hidden": (), "mirror": True},
        *({"regulariser": name} for name in SPECS["regulariser"].choices),
        *({"compare": name} for name in SPECS["compare"].choices),
        *({"flow": name} for name in SPECS["flow"].choices), {"cost": "bce"},
    ]  # fmt: skip


CONDITIONAL = (
    "drawn", "bad_rows", "standardise", "points", "turns", "mirror", "strength", "beside", "wipe",
    "particles",
)  # fmt: skip


def test_a_row_is_there_exactly_where_it_does_something(file, panel):
    seen: dict[str, set[bool]] = {name: set() for name in CONDITIONAL}
    for changes in walk(file):
        settings = Settings().replace(**changes)
        assert panel.store.put(settings), changes
        shown_here = visible(panel)
        for name in CONDITIONAL:
            assert (name in shown_here) == does_something(name, settings), (name, changes)
            seen[name].add(name in shown_here)
        for spec in TABLE:
            assert spec.name in CONDITIONAL or spec.name in shown_here, (spec.name, changes)
    assert all(values == {False, True} for values in seen.values()), seen


def test_the_row_that_standardises_is_not_there_where_the_data_are_mapped_anyway(panel):
    panel.store.set(cost="bce")
    assert ("standardise" in visible(panel)) == does_something("standardise", panel.store.settings)


# What is to be tried next


def marked(panel: Panel) -> set[str]:
    return {spec.name for spec in TABLE if panel.row(spec.name).property("marked")}


@pytest.mark.parametrize("name", ["noise", "code", "theme", "learning_rate"])
def test_a_row_is_marked_until_its_setting_is_changed(name, panel, qtbot):
    panel.controls.mark(name)
    assert marked(panel) == {name}
    row = panel.row(name)
    assert row.isVisible(), "it is in a group that is closed"
    qtbot.waitUntil(lambda: row.visibleRegion().boundingRect().height() == row.height())  # it is scrolled to
    panel.store.set(layer="curl", seed=5)
    assert marked(panel) == {name}
    panel.store.set(**{name: {"noise": 0.4, "code": 3, "theme": "light", "learning_rate": 0.001}[name]})
    assert marked(panel) == set()


def test_another_mark_replaces_the_last(panel):
    for name in ("noise", "data"):
        panel.controls.mark(name)
    assert marked(panel) == {"data"}
    panel.controls.mark(None)
    assert marked(panel) == set()


# The drawing of the network


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "2 inputs, hidden layer of 64, code of 64, 2 outputs; over-complete"),
        ({"code": 1, "hidden": (8, 4), "mirror": True}, "code of 1, hidden layer of 4, hidden layer of 8"),
        ({"code": 2}, "as wide as the input"), ({"code": 1}, "under-complete"),
        ({"tied": True}, "tied weights"),
        ({"regulariser": "variational"}, "mean μ and deviation σ"),
    ],
)  # fmt: skip
def test_the_drawing_follows_the_network(changes, said, panel):
    before = panel.controls.network.grab().toImage()
    panel.store.set(**changes)
    assert said in panel.controls.network.accessibleDescription()
    assert (panel.controls.network.grab().toImage() == before) == (changes == {})
    panel.store.put(Settings())
    assert panel.controls.network.grab().toImage() == before
