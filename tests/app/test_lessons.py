"""Lessons: every one opens with its settings, its words and its marks; the way through them; the theme."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QTextDocumentFragment
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QPushButton

from aeviz.app.lessons import Lessons
from aeviz.app.store import Store
from aeviz.core.clean_data import clean_data
from aeviz.core.field import Grid
from aeviz.core.presets import load_preset, preset, preset_names
from aeviz.core.settings import FILE_GROUPS, SPECS, Settings
from aeviz.figure.theme import theme_of

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
NAMES = preset_names()
USUAL = Settings().theme
PLAIN = [name for name in NAMES if preset(name).theme == USUAL]  # that take the user's theme
DRESSED = [name for name in NAMES if preset(name).theme != USUAL]
RING = 24.0  # px, radius of the ring round what is to be looked at
SHIFT = Qt.KeyboardModifier.ShiftModifier


def words(desk) -> str:
    """What the card says, as plain text."""
    html = desk.window.inspector.lesson.text.text()
    return " ".join(QTextDocumentFragment.fromHtml(html).toPlainText().split())


def marked(desk) -> list[str]:
    here = [name for name, spec in SPECS.items() if spec.group not in FILE_GROUPS]
    return [name for name in here if row(desk, name).property("marked")]


def row(desk, name: str):
    """The row of a setting in the left panel."""
    editor = desk.window.controls.editor(name)
    return editor.parent()


def ringed(desk, name: str) -> bool:
    """Whether the place that a lesson points to is ringed."""
    place = load_preset(name).look_at
    return place is not None and desk.ringed(place, RING, theme_of(desk.store.settings.theme).look)


def shows(desk, name: str) -> bool:
    """Whether the card is that of a lesson."""
    card = desk.window.inspector.lesson
    number = f"LESSON {NAMES.index(name) + 1} OF {len(NAMES)}"
    return card.isVisible() and desk.says(card, number) and load_preset(name).title in words(desk)


# Every one


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_opens_with_settings_words_marks_and_a_frame(name, desk):
    lesson = load_preset(name)
    run = desk.run._run
    desk.frames.clear(), desk.fields.clear()
    desk.window.lessons.open(name)
    assert desk.store.settings == lesson.settings  # the user's theme is the usual one here
    assert desk.run._run == run + 1, "it begins more than once"
    assert desk.run.playing
    assert shows(desk, name)
    for text in (lesson.title, lesson.text, lesson.look):
        assert " ".join(text.split()) in words(desk)
    assert marked(desk) == ([lesson.try_next] if lesson.try_next else [])
    if lesson.try_next:
        spec = SPECS[lesson.try_next]
        assert f"Try next: {f'{spec.label} {spec.symbol}'.strip()}" in words(desk)
        assert row(desk, lesson.try_next).isVisible(), "what is to be tried is not to be seen"
    (x0, x1), (y0, y1) = desk.figure.box.viewRange()
    if lesson.look_at is not None:
        x, y = lesson.look_at
        assert (x0 < x < x1, y0 < y < y1) == (True, True), "it points out of the view"
        assert ringed(desk, name)
        assert lesson.look in desk.texts
    desk.until(lambda: desk.frames)
    assert desk.frames[-1].settings.drawn_as(lesson.settings) == lesson.settings
    assert desk.fields[0].grid == Grid.home(lesson.settings, clean_data(lesson.settings))
    assert desk.fields[-1].displacement.shape == (*desk.fields[0].grid.shape, 2)


def test_a_lesson_that_is_opened_again_begins_anew(desk):
    name = NAMES[0]
    desk.window.lessons.open(name)
    desk.until(lambda: desk.run.epoch > 20)
    desk.store.set(noise=0.9)
    desk.figure.box.scaleBy((0.4, 0.4))
    desk.run.set_probe((0.3, 0.3))
    run, home = desk.run._run, Grid.home(preset(name), clean_data(preset(name)))
    desk.window.lessons.open(name)
    assert (desk.run._run, desk.run.epoch) == (run + 1, 0)
    assert desk.store.settings == preset(name)
    assert desk.figure.grid_in_view() == home
    assert desk.run.probe is None


def test_after_a_run_that_is_finished_a_lesson_has_its_own_epochs(desk):
    desk.begin(QUICK)
    desk.finish()
    desk.window.lessons.open(NAMES[0])
    assert desk.store.settings == preset(NAMES[0])


# The way through


def test_keys_lead_through_all_of_them_and_round(desk):
    lessons = desk.window.lessons
    seen = []
    for _ in range(len(NAMES) + 1):
        desk.press(Qt.Key.Key_PageDown, modifier=SHIFT)
        seen.append(lessons.current.name)
        assert shows(desk, seen[-1])
    assert seen == [*NAMES, NAMES[0]]
    for name in (NAMES[-1], NAMES[-2]):
        desk.press(Qt.Key.Key_PageUp, modifier=SHIFT)
        assert lessons.current.name == name
        assert shows(desk, name)
    desk.until(lambda: desk.frames and desk.frames[-1].run == desk.run._run)
    assert desk.frames[-1].settings.drawn_as(desk.store.settings) == desk.store.settings


@pytest.mark.parametrize("by", [1, -1])
def test_from_no_lesson_the_way_leads_to_the_first(by, desk):
    desk.window.lessons.step(by)
    assert desk.window.lessons.current.name == NAMES[0]


def test_the_cards_buttons_lead_on_and_back(desk):
    desk.window.lessons.open(NAMES[0])
    card = desk.window.inspector.lesson
    buttons = {button.text(): button for button in card.findChildren(QPushButton)}
    for text, name in (("Next ›", NAMES[1]), ("‹ Back", NAMES[0]), ("‹ Back", NAMES[-1])):
        QTest.mouseClick(buttons[text], Qt.MouseButton.LeftButton)
        assert desk.window.lessons.current.name == name
        assert shows(desk, name)
    assert all(button.toolTip() for button in buttons.values())
    assert buttons["×"].accessibleName() == "Close the lesson"


def test_the_menu_leads_through_them_too(desk):
    (menu,) = [each.menu() for each in desk.window.menuBar().actions() if each.text() == "&Lessons"]
    actions = {each.text().replace("&", ""): each for each in menu.actions()}
    for text, name in (
        ("Next lesson", NAMES[0]), ("Next lesson", NAMES[1]), ("Lesson before", NAMES[0]),
    ):  # fmt: skip
        actions[text].trigger()
        assert desk.window.lessons.current.name == name
    actions["Close the lesson"].trigger()
    assert desk.window.lessons.current is None
    assert not desk.window.inspector.lesson.isVisible()


def test_a_new_card_is_read_from_its_top(desk):
    bar = desk.window.inspector.verticalScrollBar()
    desk.window.lessons.open(NAMES[0])
    desk.until(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    desk.window.lessons.step(1)
    assert bar.value() == 0
    for name in NAMES[:3]:
        desk.window.lessons.open(name)
        text = desk.window.inspector.lesson.text
        desk.until(lambda text=text: text.height() >= text.heightForWidth(text.width()))  # all of its words


# Closing, and moving on


@pytest.mark.parametrize("how", ["button", "menu"])
def test_a_closed_lesson_takes_its_marks_with_it_and_leaves_the_settings(how, desk):
    (name,) = [each for each in NAMES if load_preset(each).look_at and load_preset(each).try_next][:1]
    desk.window.lessons.open(name)
    assert ringed(desk, name)
    settings, run = desk.store.settings, desk.run._run
    if how == "button":
        (close,) = [
            each for each in desk.window.inspector.lesson.findChildren(QPushButton) if each.text() == "×"
        ]
        QTest.mouseClick(close, Qt.MouseButton.LeftButton)
    else:
        desk.window.lessons.close()
    assert desk.window.lessons.current is None
    assert not desk.window.inspector.lesson.isVisible()
    assert not ringed(desk, name)
    assert load_preset(name).look not in desk.texts
    assert marked(desk) == []
    assert (desk.store.settings, desk.run._run) == (settings, run)
    desk.window.lessons.close()  # once more, and nothing happens


def test_the_ring_goes_when_the_run_is_another_one(desk):
    name = next(each for each in NAMES if load_preset(each).look_at)
    desk.window.lessons.open(name)
    desk.store.set(noise=0.31, threshold=2.5)
    assert ringed(desk, name), "the noise does not move it"
    desk.store.set(activation="relu")
    assert not ringed(desk, name)
    assert shows(desk, name), "the words go as well"
    desk.window.lessons.open(name)
    assert ringed(desk, name)


def test_the_mark_goes_when_what_it_marks_is_tried(desk):
    name = next(each for each in NAMES if load_preset(each).try_next == "noise")
    desk.window.lessons.open(name)
    look = theme_of(desk.store.settings.theme).look
    marked_row = row(desk, "noise")

    def framed() -> bool:
        image = marked_row.grab().toImage()
        middle = image.height() // 2
        return all(image.pixelColor(x, middle).name() == look for x in (0, 1, image.width() - 1))

    assert framed()
    desk.store.set(layer="curl")
    assert framed()
    desk.store.set(noise=0.6)
    assert not framed()
    assert marked(desk) == []


def test_the_next_lesson_has_its_own_mark(desk):
    for name in NAMES[:4]:
        desk.window.lessons.open(name)
        assert marked(desk) == ([load_preset(name).try_next] if load_preset(name).try_next else [])


# The theme


class Own:
    """The settings of a user who likes it light, and the lessons."""

    def __init__(self) -> None:
        self.store = Store(QUICK.replace(theme="light"))
        self.lessons = Lessons(self.store)

    def after(self, name: str) -> str:
        """The theme when this lesson has been opened."""
        self.lessons.open(name)
        return self.store.settings.theme


@pytest.fixture
def own(qapp):
    return Own()


def test_a_lesson_keeps_the_users_theme_unless_it_has_its_own(own):
    assert PLAIN
    assert DRESSED
    for name in NAMES:
        lesson = preset(name)
        assert own.after(name) == (lesson.theme if name in DRESSED else "light"), name
        assert own.store.settings == lesson.replace(theme=own.store.settings.theme)


def test_after_lessons_with_a_theme_of_their_own_the_users_comes_back(own):
    for name in DRESSED:
        assert own.after(name) == preset(name).theme
    assert own.after(PLAIN[0]) == "light"


def test_a_theme_that_is_chosen_in_such_a_lesson_is_the_users(own):
    own.after(DRESSED[0])
    own.store.set(theme="dark")
    assert own.after(PLAIN[0]) == "dark"
    own.after(DRESSED[0])
    assert own.after(PLAIN[0]) == "dark"


def test_a_theme_that_is_chosen_after_such_a_lesson_was_closed_is_the_users(own):
    own.after(DRESSED[0])
    own.lessons.close()
    own.store.set(theme="dark")
    assert own.after(PLAIN[0]) == "dark"


def test_the_theme_of_a_lesson_is_not_remembered_as_the_users(desk):
    desk.store.set(theme="light")
    memory, lessons = desk.window.memory, desk.window.lessons
    assert memory.theme == "light"
    lessons.open(DRESSED[0])
    assert desk.store.settings.theme == preset(DRESSED[0]).theme
    assert memory.theme == "light"
    desk.store.set(theme="dark")  # by hand
    assert memory.theme == "dark"


# Without the right panel


def test_where_there_is_no_panel_the_words_stand_over_the_field(desk):
    desk.window.resize(900, 600)
    desk.settle()
    assert not desk.window.inspector.isVisible()
    notice = desk.window.notice
    for index, name in enumerate(NAMES[:2]):
        if index == 0:
            desk.window.lessons.open(name)
        else:
            QTest.mouseClick(notice.button, Qt.MouseButton.LeftButton)
        assert desk.window.lessons.current.name == name
        assert notice.isVisible()
        assert " ".join(notice.text.text().split()) == " ".join(load_preset(name).text.split())
        assert notice.button.text() == "Next lesson"
        assert desk.window.view.rect().contains(notice.geometry()), "it does not fit"
