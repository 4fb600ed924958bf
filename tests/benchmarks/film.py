"""How fast a film of a trained run is made, next to how long it lasts.

    python tests/benchmarks/film.py [FILE [TIMES]]

The default film, 1280 × 720 pixels and 30 frames a second, of a run of the default network that is trained
already: its past epochs are brought back, painted and encoded by the run's processes and this one, on the
cores that there are. `taskset -c 0,1` before it leaves two. Real time is 1; more is faster.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import aeviz
from aeviz.core.film import film_epochs, film_settings
from aeviz.core.settings import Settings
from aeviz.film import film


def main(name: str, times: int) -> None:
    """Print the table."""
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder, aeviz.train(settings) as run:
        path = Path(folder) / name
        rate = film_settings(settings, path.suffix).frame_rate
        epochs = film_epochs(run.history.current.epoch, film_settings(settings, path.suffix))
        print(f"{len(epochs)} frames, {len({*epochs})} pictures; {os.cpu_count()} cores; "
              f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
        for _ in range(times):
            began, busy = time.perf_counter(), time.process_time()
            film(run, path)
            took, busy = time.perf_counter() - began, time.process_time() - busy
            print(f"{took:5.2f} s for {len(epochs) / rate:.1f} s: {len(epochs) / rate / took:.2f} × real "
                  f"time; {len({*epochs}) / took:.0f} pictures/s; {busy:.1f} s of this process; "
                  f"{path.stat().st_size / 1e6:.1f} MB")  # fmt: skip


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(arguments[0] if arguments else "film.mp4", int(arguments[1]) if len(arguments) > 1 else 5)
