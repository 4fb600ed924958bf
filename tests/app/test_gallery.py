"""The gallery: a picture comes alive under the cursor, a click opens its lesson, nothing outlives it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable

import pytest
from processes import children, working
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QPushButton

from aeviz.app.gallery import Card, Gallery, shown_small
from aeviz.core.presets import load_preset, preset, preset_names
from aeviz.core.settings import Settings, applies
from aeviz.figure.theme import DARK, LIGHT

QUICK = Settings(points=40, hidden=(8,), code=8, batch=40, epochs=100, grid=(12, 10))
NAMES = preset_names()
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)  # the offscreen platform has none
CONTROL = Qt.KeyboardModifier.ControlModifier
INSIDE = QRect(20, 20, 180, 150)  # of a card: its picture, without the frame round the card


@pytest.fixture
def pairs(others) -> Callable[[], int]:
    """How many trainers there are, each with an observer that it forks; one without its own counts too."""
    return lambda: len(working(children(os.getpid())) - others)


def open_ones(desk) -> list[Gallery]:
    return [each for each in desk.window.findChildren(Gallery) if each.isVisible()]


def picture(card: Card) -> QImage:
    """What a card's picture shows now."""
    return card.grab(INSIDE).toImage().convertToFormat(QImage.Format.Format_RGB32)


def still(name: str) -> QImage:
    """A card's picture from the resources."""
    card = Card(load_preset(name), 1, DARK)
    image = picture(card)
    card.deleteLater()
    return image


class Visit:
    """The open gallery, and the mouse over it."""

    def __init__(self, desk) -> None:
        self.desk = desk
        (self.gallery,) = open_ones(desk)
        self.cards = self.gallery.cards
        desk.until(self.gallery.isActiveWindow)

    def _in_dialog(self, card: Card) -> QPoint:
        return card.mapTo(self.gallery, card.rect().center())

    def point_at(self, name: str) -> Card:
        """Move the mouse over a card, from beside all of them."""
        card, window = self.cards[name], self.gallery.windowHandle()
        QTest.mouseMove(window, QPoint(3, 3))
        QTest.mouseMove(window, self._in_dialog(card))
        assert card.underMouse()
        return card

    def click(self, name: str) -> None:
        QTest.mouseClick(
            self.gallery.windowHandle(), Qt.MouseButton.LeftButton, pos=self._in_dialog(self.cards[name])
        )

    def comes_alive(self, card: Card, still: QImage) -> QImage:
        """Wait for a picture that is not the one from the resources, and return it."""
        self.desk.until(lambda: picture(card) != still)
        return picture(card)


@pytest.fixture
def enter(desk):
    """Open the gallery by key."""

    def enter() -> Visit:
        corner = QPoint(desk.window.width() - 2, desk.window.height() - 2)
        QTest.mouseMove(desk.window.windowHandle(), corner)  # no card opens under the mouse
        desk.press(Qt.Key.Key_L, modifier=CONTROL)
        return Visit(desk)

    return enter


def test_it_opens_by_key_button_menu_and_card(desk, enter, pairs):
    visit = enter()
    assert [*visit.cards] == [*NAMES]
    visit.gallery.close()
    desk.window.lessons.open(NAMES[0])
    buttons = desk.window.toolbar.findChildren(QPushButton)
    buttons += desk.window.inspector.lesson.findChildren(QPushButton)
    for text in ("Lessons", "All lessons"):
        (button,) = [each for each in buttons if each.text() == text]
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        Visit(desk).gallery.close()
    (menu,) = [each.menu() for each in desk.window.menuBar().actions() if each.text() == "&Lessons"]
    menu.actions()[0].trigger()
    assert menu.actions()[0].text() == "&All lessons…"
    Visit(desk).gallery.close()
    QApplication.processEvents()
    assert pairs() == 1, "a network was trained that nobody looked at"


def test_every_lesson_has_a_card_with_its_words(enter):
    visit = enter()
    for number, name in enumerate(NAMES, 1):
        card, lesson = visit.cards[name], load_preset(name)
        assert card.accessibleName() == f"Lesson {number}: {lesson.title}"
        assert card.accessibleDescription() == lesson.lesson
    placed = [card.geometry() for card in visit.cards.values()]
    for one, other in itertools.combinations(placed, 2):
        assert not one.intersects(other)
    order = sorted(range(len(placed)), key=lambda k: (placed[k].top(), placed[k].left()))
    assert order == [*range(len(placed))], "they do not stand in the order of the story"
    inside = visit.gallery._scroll.viewport().width()
    assert max(rect.right() for rect in placed) <= inside, "some are cut off at the right"


def test_a_card_comes_alive_under_the_mouse_and_rests_when_another_does(desk, enter, pairs):
    visit = enter()
    one, other = (visit.cards[name] for name in NAMES[:2])
    stills = still(NAMES[0]), still(NAMES[1])
    visit.point_at(NAMES[0])
    assert pairs() == 2
    first = visit.comes_alive(one, stills[0])
    assert picture(other) == stills[1]
    desk.until(lambda: picture(one) != first)  # it learns
    visit.point_at(NAMES[1])
    assert picture(one) == stills[0], "two are alive at once"
    visit.comes_alive(other, stills[1])
    assert pairs() == 2, "each has processes of its own"
    assert picture(one) == stills[0]
    visit.point_at(NAMES[0])
    visit.comes_alive(one, stills[0])
    assert picture(other) == stills[1]
    visit.gallery.close()
    assert pairs() == 1


def test_the_card_under_the_mouse_has_a_frame(enter):
    visit = enter()
    one, other = (visit.point_at(name) for name in NAMES[:2])

    def framed(card: Card) -> bool:
        image = card.grab().toImage()
        return DARK.look in {image.pixelColor(x, image.height() // 2).name() for x in (0, 1, 2)}

    assert framed(other)
    assert not framed(one)


def test_a_card_shows_the_lessons_own_network(desk, enter):
    visit = enter()
    name = next(each for each in NAMES if preset(each).layer != "none")
    settings = shown_small(preset(name))
    assert applies(settings.changed(preset(name))) <= {"view"}
    seen: list[tuple[int, Settings]] = []
    visit.point_at(name)
    visit.gallery._run.framed.connect(lambda frame, _: seen.append((frame.epoch, frame.settings)))
    desk.until(lambda: len(seen) > 3 and seen[-1][0] > 20)
    assert all(each.drawn_as(settings) == settings for _, each in seen)
    epochs = [epoch for epoch, _ in seen]
    assert epochs == sorted(epochs)


def akin() -> tuple[str, str]:
    """Two lessons that differ in nothing that begins a run anew."""
    for one, other in itertools.permutations(NAMES, 2):
        changes = preset(one).changed(preset(other))
        if "rebuild" not in applies(changes) and "live" in applies(changes):
            return one, other
    pytest.skip("all lessons have networks of their own")


def test_a_card_begins_with_an_untrained_network_whichever_was_alive_before(desk, enter):
    visit = enter()
    one, other = akin()
    visit.gallery._scroll.ensureWidgetVisible(visit.cards[one])
    visit.point_at(one)
    run = visit.gallery._run
    desk.until(lambda: run.epoch > 50)
    visit.gallery._scroll.ensureWidgetVisible(visit.cards[other])
    visit.point_at(other)
    assert run.epoch == 0


# By mouse and keyboard into a lesson, or back


@pytest.mark.parametrize("playing", [True, False])
def test_a_click_opens_the_lesson_which_trains_at_once(playing, desk, enter, pairs):
    desk.begin(QUICK.replace(epochs=1_000_000), playing=playing)
    visit = enter()
    name = NAMES[1]
    visit.point_at(name)
    visit.click(name)
    assert not open_ones(desk)
    assert pairs() == 1
    assert desk.store.settings == preset(name)
    assert desk.window.lessons.current.name == name
    desk.frames.clear()
    desk.until(lambda: desk.frames and desk.frames[-1].epoch > 3)
    assert desk.run.playing


@pytest.mark.parametrize("playing", [True, False])
def test_escape_leaves_everything_as_it_was(playing, desk, enter, pairs):
    desk.begin(QUICK.replace(epochs=1_000_000), playing=playing)
    before, run = desk.store.settings, desk.run._run
    desk.until(lambda: desk.run.epoch > 20 or not playing)
    visit = enter()
    desk.until(lambda: desk.run.phase == "paused")
    epoch = desk.run.epoch
    visit.point_at(NAMES[2])
    desk.settle()
    assert desk.run.epoch == epoch, "the run goes on behind the dialog"
    QTest.keyClick(visit.gallery, Qt.Key.Key_Escape)
    assert not open_ones(desk)
    assert pairs() == 1
    assert (desk.store.settings, desk.run._run, desk.run.playing) == (before, run, playing)
    assert desk.window.lessons.current is None
    if playing:
        desk.until(lambda: desk.run.epoch > epoch)
    else:
        desk.settle()
        assert desk.run.epoch == epoch


def test_it_can_be_used_by_keyboard(desk, enter, pairs):
    visit = enter()
    for _ in range(len(NAMES) + 5):  # what else has the focus first
        QTest.keyClick(visit.gallery.focusWidget() or visit.gallery, Qt.Key.Key_Tab)
        if visit.gallery.focusWidget() is visit.cards[NAMES[0]]:
            break
    first = visit.cards[NAMES[0]]
    assert first.hasFocus()
    assert pairs() == 2, "the focus does not enliven it"
    still = picture(visit.cards[NAMES[-1]])
    for _ in range(3):
        QTest.keyClick(visit.gallery.focusWidget(), Qt.Key.Key_Backtab)
        if isinstance(visit.gallery.focusWidget(), Card):
            break
    last = visit.cards[NAMES[-1]]
    assert last.hasFocus()
    seen = last.visibleRegion().boundingRect()
    assert (seen.width(), seen.height()) == (last.width(), last.height()), "it is not scrolled to"
    visit.comes_alive(last, still)
    assert pairs() == 2
    QTest.keyClick(last, Qt.Key.Key_Space)
    assert not open_ones(desk)
    assert desk.store.settings == preset(NAMES[-1]).replace(theme=desk.store.settings.theme)
    assert pairs() == 1


def test_to_look_again_and_again_leaves_nothing_behind(enter, pairs):
    for name in NAMES[:2]:
        visit = enter()
        visit.point_at(name)
        visit.gallery.close()
        assert pairs() == 1
        QApplication.processEvents()


def test_the_theme_of_the_cards_is_the_users_unless_a_lesson_has_its_own(desk, enter):
    desk.store.set(theme="light")
    visit = enter()
    for name in NAMES:
        theme = shown_small(load_preset(name).settings_in("light")).theme
        assert theme == (preset(name).theme if preset(name).theme != Settings().theme else "light")
        image = visit.cards[name].grab().toImage()
        assert image.pixelColor(6, image.height() - 14).name() == LIGHT.raised
