"""The line at the bottom: how far the run is, what is under the cursor, how fast it all goes."""

from __future__ import annotations

from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QStatusBar

from aeviz.app.inspector import place_texts
from aeviz.app.live_run import LiveRun
from aeviz.core.explanation import loss_text, percent
from aeviz.core.metrics import Quality
from aeviz.core.numbers import grouped
from aeviz.core.rate import Rate
from aeviz.work.messages import Frame

_SIGNS = {"place": "ŷ", "reconstruction": "ỹ", "magnitude": "moves by", "ambiguity": "a"}
_WIDE = 1_250  # px: a narrower window has no room for all that is measured
_STAYS, _GOES_ON = 6_000, 60_000  # ms that a message stays; one of what goes on is replaced at its end


class StatusLine(QStatusBar):
    """Three readings, over which a message may stand for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.progress, self.place, self.rates = QLabel("starting: loading torch …"), QLabel(), QLabel()
        self.quality = QLabel()
        self._narrow = False
        self._shown = Quality(), 1.0  # of which there is nothing to say
        self._frames = Rate()
        for label in (self.progress, self.quality, self.place, self.rates):
            label.setProperty("role", "muted")
            label.setContentsMargins(10, 0, 10, 0)
        self.addWidget(self.progress)
        self.quality.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )  # cut, if need be
        self.addWidget(self.quality, 1_000)
        self.addWidget(self.place, 1)
        self.addPermanentWidget(self.rates)
        self.setSizeGripEnabled(False)

    def say(self, text: str) -> None:
        """Show a message for a while."""
        self.showMessage(text, _GOES_ON if text.endswith("…") else _STAYS)

    def set_narrow(self, narrow: bool) -> None:
        """Where there is little room, the values under the cursor take that of other readings."""
        self._narrow = narrow
        self.rates.setVisible(not narrow)

    def show_quality(self, quality: Quality, noise: float) -> None:
        """Show how near the network is to the best possible with this noise σ."""
        self._shown = quality, noise
        self.quality.setText(quality_text(quality, noise, short=self.width() < _WIDE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say as much as there is room for, at rest too."""
        super().resizeEvent(event)
        self.show_quality(*self._shown)

    def count_frame(self) -> None:
        """Count a frame that has been drawn."""
        self._frames.count()

    def show_frame(self, frame: Frame, run: LiveRun) -> None:
        """Show the readings of a frame that has been drawn."""
        self.progress.setText(f"epoch {grouped(frame.epoch)}   loss {_loss_of(run, frame.epoch)}")
        place = frame.marks.cursor
        texts = place_texts(place, run.data)
        here = "   ".join(f"{sign} {texts[name]}" for name, sign in _SIGNS.items())
        self.place.setText(here if place is not None and self._narrow else "")
        if not self.currentMessage():  # over which it would stand
            self.quality.setVisible(place is None or not self._narrow)
        self.rates.setText(
            f"{grouped(run.steps_per_second)} steps/s   {self._frames.per_second:.0f} frames/s   "
            f"seed {run.settings.seed}"
        )


def _loss_of(run: LiveRun, epoch: int) -> str:
    if not 0 < epoch <= len(run.losses):
        return "—"
    loss, regulariser = run.losses[epoch - 1]
    return loss_text(float(loss), float(regulariser), ".4f")


def quality_text(quality: Quality, noise: float, *, short: bool = False) -> str:
    """How near the network is to the best possible, in words; a `short` text leaves out the ridge."""
    if quality.bayes_floor is None:
        known = noise <= 0.0 or quality.identityness is not None
        return "no exact reference" + _copying(quality) if known else ""
    if quality.sketch:
        return "above optimum …" if short else "above the optimum …   midline agreement …   ridge off by …"
    risk, agreement, ridge = quality.excess_risk, quality.midline_iou, quality.ridge_distance
    above = "—" if risk is None else percent(risk)
    agrees = "—" if agreement is None else f"{agreement:.2f}"
    away = "—" if ridge is None else f"{ridge:.3f}"
    exact = quality.exact_ridge_distance
    best = "" if ridge is None or exact is None else f" (exact {exact:.3f})"
    if short:
        return f"above optimum {above}   agreement {agrees}{_copying(quality)}"
    near = f"above the optimum {above}   midline agreement {agrees}   ridge off by {away}{best}"
    return near + _copying(quality)


def _copying(quality: Quality) -> str:
    return "" if quality.identityness is None else f"   copies {100.0 * quality.identityness:.0f} %"
