"""The left panel: every setting of the table can be read, changed, mistyped and put back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLineEdit, QWidget

from aeviz.app.controls import Controls, Row, SliderRow
from aeviz.app.editors import ChoiceEditor, NumberEditor, SliderEditor, SwitchEditor, TextEditor
from aeviz.app.store import Store
from aeviz.core.setting import Spec
from aeviz.core.settings import SPECS, TABLE, Settings

every_spec = pytest.mark.parametrize("spec", TABLE, ids=lambda spec: spec.name)
numbers = [spec for spec in TABLE if type(spec.default) in (int, float)]
typed = [*numbers, *(spec for spec in TABLE if isinstance(spec.default, tuple))]
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
        self.rows = {row.editor: row for row in self.controls.findChildren(Row)}

    def row(self, name: str) -> Row:
        return self.rows[self.controls.editor(name)]

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
    shared_panel.changes.clear()
    shared_panel.refusals.clear()
    return shared_panel


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
        case TextEditor():
            return editor.text()
    raise AssertionError(editor)


def as_shown(spec: Spec, value: Any) -> Any:
    """What the editor of a setting should show."""
    if isinstance(value, tuple):
        return spec.text(value)
    if isinstance(value, str | bool):
        return value
    return pytest.approx(value, rel=1e-9, abs=0.26 * spec.step if spec.name in SLIDERS else 1e-10)


def values(spec: Spec) -> st.SearchStrategy[Any]:
    """Values that a person may set, by any means."""
    if spec.choices:
        return st.sampled_from(spec.choices)
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


def test_what_rebuilds_is_marked(panel):
    texts = [label.text() for label in panel.controls.findChildren(type(panel.row("points").label))]
    assert "REBUILDS" in texts
    assert "LIVE" in texts
    for spec in TABLE:
        if spec.group == "Training":  # has both kinds
            assert ("↻" in panel.row(spec.name).label.text()) == (spec.applies == "rebuild")


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
    assert row.reset.isHidden() == (getattr(new, spec.name) == spec.default)
    field = panel.field(spec.name)
    if isinstance(field, NumberEditor | TextEditor):  # as when the focus leaves it
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_Return)
        field.clearFocus()
    assert panel.store.settings == new, "a look at a value changed it"
    assert len(panel.changes) == (new != Settings())


@every_spec
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
    follows = {"extent"} if spec.name == "cost" else set()  # another plane, so another view
    assert {*change} == {spec.name} | follows
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
        if (spec.name, text) != ("hidden", "")  # no hidden layer is a choice
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
