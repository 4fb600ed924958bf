"""How often something happens: steps per second, frames per second."""

from __future__ import annotations

import time

WINDOW = 0.5  # seconds over which events are counted


class Rate:
    """Events per second over the last half second."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self._events = 0
        self._last = 0.0

    def count(self, events: int = 1) -> None:
        """Count events that happened just now."""
        self._events += events
        elapsed = time.perf_counter() - self._since
        if elapsed >= WINDOW:
            self._last, self._since, self._events = self._events / elapsed, self._since + elapsed, 0

    @property
    def per_second(self) -> float:
        """The rate; 0 when nothing has happened for some windows."""
        return self._last if time.perf_counter() - self._since < 3.0 * WINDOW else 0.0
