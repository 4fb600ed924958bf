"""Past epochs as the observer is asked for them: what it has been sent once is not sent again."""

from __future__ import annotations

from aeviz.core.history import Branch
from aeviz.work import messages as m


class Pasts:
    """Puts past epochs into messages, for one observer.

    Attributes
    ----------
    serial : int
        Of the history; to be raised whenever something of it is cut off.
    """

    def __init__(self) -> None:
        self.serial = 0
        self._sent: dict[str, tuple[tuple[int, int], int]] = {}

    def forget(self) -> None:
        """The observer has nothing of what it was sent: it is a new one, or looks at another run."""
        self._sent.clear()

    def of(self, branch: Branch, epoch: int, *, beside: bool = False) -> m.Past | None:
        """An epoch of the current branch, or of one beside it; None where nothing of it is known yet."""
        if not len(branch.timeline):
            return None
        kind = "beside" if beside else "past"
        frame, course = branch.timeline.before(epoch), (self.serial, branch.number)
        before, now = self._sent.get(kind), (course, frame.epoch)
        self._sent[kind] = now
        is_new = beside and (before is None or before[0] != course)
        return m.Past(
            course, epoch, None if before == now else frame,
            branch.timeline.changes_between(frame.epoch, epoch),
            m.Origin(branch.origin, branch.data) if is_new else None,
        )  # fmt: skip
