"""What is sent to bring a past epoch back: all that it takes, and nothing twice."""

from __future__ import annotations

import pytest
from driven import SMALL, Course

from aeviz.core.history import Branch
from aeviz.work import messages as m
from aeviz.work.pasts import Pasts

SHORT = SMALL.replace(epochs=30)
CHANGES = {n: SHORT.replace(noise=0.01 * n) for n in (0, 9, 10, 19, 20, 25)}


@pytest.fixture(scope="module")
def course() -> Course:
    return Course(SHORT, CHANGES)


def of(pasts: Pasts, branch: Branch, epoch: int, beside: bool = False) -> m.Past:
    past = pasts.of(branch, epoch, beside=beside)
    assert past is not None
    return past


def test_it_is_the_keyframe_before_and_the_changes_from_there_to_the_epoch(course: Course) -> None:
    branch = course.branch(10, 20)
    for epoch, keyframe, changes in (
        (0, 0, ()), (1, 0, (0,)), (9, 0, (0,)), (10, 10, ()), (19, 10, (10,)), (20, 20, ()),
        (30, 20, (20, 25)),
    ):  # fmt: skip
        past = of(Pasts(), branch, epoch)
        assert past.keyframe is course.states[keyframe]
        assert past.changes == tuple((n, CHANGES[n]) for n in changes)
        assert past.epoch == epoch and past.origin is None  # which is the run's


def test_a_keyframe_is_sent_once_as_long_as_it_is_the_same(course: Course) -> None:
    pasts, branch = Pasts(), course.branch(10, 20)
    sent = [of(pasts, branch, epoch).keyframe for epoch in (12, 12, 19, 11, 22, 12, 12)]
    assert [frame and frame.epoch for frame in sent] == [10, None, None, None, 20, 10, None]
    pasts.forget()
    assert of(pasts, branch, 12).keyframe is not None


def test_what_is_beside_is_sent_apart_and_with_its_origin_once(course: Course) -> None:
    pasts, branch, other = Pasts(), course.branch(10), course.branch(10, number=2)
    assert of(pasts, branch, 12).keyframe is not None
    first, again = (of(pasts, other, epoch, beside=True) for epoch in (12, 13))
    assert first.origin == m.Origin(other.origin, other.data) and first.keyframe is not None
    assert (again.origin, again.keyframe) == (None, None)
    assert of(pasts, other, 3, beside=True).origin is None  # another keyframe of the same course
    assert of(pasts, branch, 13).keyframe is None
    assert of(pasts, branch, 13, beside=True).origin is not None
    pasts.forget()
    assert of(pasts, branch, 13, beside=True).origin is not None


def test_what_was_cut_off_is_another_course(course: Course) -> None:
    pasts, branch = Pasts(), course.branch(10)
    before = [of(pasts, branch, 12), of(pasts, branch, 12, beside=True)]
    pasts.serial += 1
    after = [of(pasts, branch, 12), of(pasts, branch, 12, beside=True)]
    assert {past.course for past in before}.isdisjoint(past.course for past in after)
    assert all(past.keyframe is not None for past in after) and after[1].origin is not None
    assert of(pasts, course.branch(10, number=2), 12).course not in {past.course for past in after}


def test_nothing_is_known_of_a_branch_that_has_only_begun(course: Course) -> None:
    pasts, branch = Pasts(), Branch(1, SHORT, course.data)
    assert pasts.of(branch, 0) is pasts.of(branch, 0, beside=True) is None
    branch.timeline.add(course.states[0])
    assert of(pasts, branch, 0).keyframe is course.states[0]
    assert of(pasts, branch, 0, beside=True).origin is not None
