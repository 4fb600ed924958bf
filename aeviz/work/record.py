"""What trainer and observer say of a run, put into its history."""

from __future__ import annotations

from aeviz.core.history import History
from aeviz.core.timeline import NO_PLAN
from aeviz.work import messages as m


def record(history: History, message: m.FromWorker) -> None:
    """Take up keyframes, live changes and losses of the current branch; other messages change nothing."""
    match message:
        case m.Kept():
            history.keep(message.keyframe)
        case m.Noted():
            history.note(message.epoch, message.settings)
        case m.Diverged():
            history.cut(message.epoch)
            history.current.plan = NO_PLAN  # it led there
        case m.Frame(progress=told):
            # What was said before the run went back is not true any more.
            if told.phase != "returning" and told.losses_from <= history.current.epoch:
                history.tell(told.losses_from, told.losses)
