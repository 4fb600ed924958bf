"""The settings table: every setting of the program, defined once, here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

from aeviz.core.data_file import SUFFIXES
from aeviz.core.layers import LAYERS
from aeviz.core.manifolds import BITS, CURVES
from aeviz.core.setting import SettingError, Spec, nearest, setting

LECTURE_EXTENT = (-2.2, 1.7, -1.4, 1.9)
MOST_DRAWN = 2_000  # points
FILE_GROUPS = ("Figure", "Film")  # groups of settings that no window is drawn by
SIZE, SPLIT_SIZE = (900, 760), (1440, 720)  # px at 96 dpi of a figure that is given none; of two fields
CSS_DPI = 96.0  # at which one pixel is one of the screen's
MOST_PIXELS, MOST_ACROSS = 200_000_000, 30_000  # of an exported figure
MAX_ASPECT = 50.0  # of the extent: a longer strip has no cells that could be seen


def check_pixels(width: float, height: float) -> None:
    """Make sure that a figure of this size can be painted.

    Raises
    ------
    SettingError
        Where it is too large.
    """
    if width * height > MOST_PIXELS or max(width, height) > MOST_ACROSS:
        raise SettingError(
            f"--size with this --resolution makes {width:,.0f} × {height:,.0f} pixels; at most "
            f"{MOST_PIXELS:,}, and {MOST_ACROSS:,} across: take a smaller one"
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run and of its drawing; immutable, always valid.

    Raises
    ------
    SettingError
        On construction, where a value is of the wrong kind or out of range.
    """

    # fmt: off
    data: str = setting(
        "spiral", "Data", "The manifold on which the clean points lie, or a file of two columns.",
        group="Data", applies="rebuild", symbol="y", choices=(*CURVES, *BITS, "drawn"), files=SUFFIXES,
    )
    drawn: tuple[float, ...] = setting(
        (), "Drawn points", "Points drawn with the mouse, as x,y,x,y…: the data, where these are drawn.",
        group="Data", applies="rebuild", unit="data units", low=-1e9, high=1e9, length=(0, 2 * MOST_DRAWN),
    )
    bad_rows: str = setting(
        "refuse", "Bad rows", "What becomes of a file that has rows without two numbers, or of those rows.",
        group="Data", applies="rebuild", choices=("refuse", "skip"),
    )
    standardise: bool = setting(
        False, "Standardise",
        "Works with each coordinate minus its mean, over its standard deviation; axes keep a file's units.",
        group="Data", applies="rebuild",
    )
    points: int = setting(
        151, "Points", "How many clean points lie on the manifold.",
        group="Data", applies="rebuild", symbol="N", low=1, high=1_000_000, step=1.25, scale="log",
    )
    turns: float = setting(
        1.5, "Turns", "How often a spiral winds round the origin; the arms stay one unit apart.",
        group="Data", applies="rebuild", unit="turns", low=0.25, high=4.0, step=0.25,
    )
    jitter: float = setting(
        0.0, "Jitter", "Moves each clean point off the curve by this standard deviation, once.",
        group="Data", applies="rebuild", unit="data units", low=0.0, high=0.5, step=0.01,
    )
    noise: float = setting(
        0.25, "Noise",
        "Standard deviation of the noise that corrupts clean points; of masking and flips, the probability.",
        group="Noise", applies="live", symbol="σ", unit="data units", low=0.0, high=1.0, step=0.01,
    )
    noise_kind: str = setting(
        "gaussian", "Kind",
        "Uniform: each coordinate within σ√3. Rare: one point in twenty is moved ten times as far. Masking: "
        "a coordinate becomes 0. Flip: it is mirrored in the data’s box, a bit becomes the other one.",
        group="Noise", applies="live", choices=("gaussian", "uniform", "rare", "masking", "flip"),
    )
    noise_draw: str = setting(
        "fresh", "Draw", "Fresh: new noise in every step. Frozen: each point is corrupted once, for good.",
        group="Noise", applies="live", choices=("fresh", "frozen"),
    )
    test_noise: float = setting(
        1.0, "Test noise",
        "How many times the training noise it is that corrupts the points which are shown and tested.",
        group="Noise", applies="view", unit="σ", low=0.0, high=10.0, step=0.1,
    )
    target: str = setting(
        "original", "Target",
        "What is to be reconstructed: the point that was corrupted, or the nearest one to where it went.",
        group="Noise", applies="live", choices=("original", "nearest"),
    )
    hidden: tuple[int, ...] = setting(
        (64,), "Hidden widths", "Widths of the encoder's layers before the code; may be empty.",
        group="Network", applies="rebuild", unit="units", low=1, high=1024, length=(0, 4),
        whole=True,
    )
    code: int = setting(
        64, "Code width", "Width of the code h: above 2 over-complete, 1 under-complete.",
        group="Network", applies="rebuild", symbol="d", unit="units", low=1, high=1024, step=1.25,
        scale="log",
    )
    mirror: bool = setting(
        False, "Mirrored decoder",
        "The decoder repeats the encoder's hidden widths backwards; off, it is one affine layer from h.",
        group="Network", applies="rebuild",
    )
    activation: str = setting(
        "tanh", "Activation", "The encoder's and decoder's nonlinearity.",
        group="Network", applies="rebuild", symbol="f",
        choices=("tanh", "sigmoid", "relu", "silu", "gelu", "identity"),
    )
    output: str = setting(
        "identity", "Output",
        "The last layer's nonlinearity; tanh keeps ỹ in −1…1, sigmoid in 0…1.",
        group="Network", applies="rebuild", symbol="g", choices=("identity", "tanh", "sigmoid"),
    )
    tied: bool = setting(
        False, "Tied weights",
        "The decoder mirrors the encoder, and its weights are the encoder's, transposed.",
        group="Network", applies="rebuild",
    )
    cost: str = setting(
        "squared", "Cost",
        "Squared: ‖y − ỹ‖². Bce: binary cross-entropy, of data mapped into the unit square, g the sigmoid.",
        group="Training", applies="rebuild", symbol="C", choices=("squared", "bce"),
    )
    regulariser: str = setting(
        "none", "Regulariser",
        "What is asked of the code beside: small and sparse (l1), small (l2), steady (contractive), or noisy "
        "and near a standard normal (variational).",
        group="Training", applies="rebuild", symbol="R",
        choices=("none", "l1", "l2", "contractive", "variational"),
    )
    strength: float = setting(
        0.001, "Strength", "Weight of the regulariser in the loss C + λ R(h).",
        group="Training", applies="live", symbol="λ", low=0.0, high=10.0, step=0.001,
    )
    learning_rate: float = setting(
        0.03, "Learning rate", "Size of the optimiser's first steps.",
        group="Training", applies="live", symbol="η", low=1e-5, high=1.0, step=1.1, scale="log",
    )
    schedule: str = setting(
        "falling", "Rate over time",
        "Falling: half after 1,000 steps, a third after 2,000, never below a thirtieth.",
        group="Training", applies="live", choices=("falling", "constant"),
    )
    batch: int = setting(
        302, "Batch",
        "Noisy points per step; a batch larger than the data uses points again, with new noise.",
        group="Training", applies="live", symbol="B", unit="points", low=1, high=65_536, step=1.25,
        scale="log",
    )
    optimiser: str = setting(
        "adam", "Optimiser", "How a gradient becomes a step.",
        group="Training", applies="rebuild", choices=("adam", "momentum", "sgd"),
    )
    epochs: int = setting(
        2_000, "Epochs", "The run stops here; raise it to go on.",
        group="Training", applies="live", unit="epochs", low=1, high=1_000_000, step=1.25, scale="log",
    )
    device: str = setting(
        "cpu", "Device", "Where the network is trained: these small ones are fastest on a processor.",
        group="Training", applies="rebuild", choices=("cpu", "cuda"),
    )
    seed: int = setting(
        0, "Seed", "Fixes the initial weights and all noise: the same seed gives the same run.",
        group="Training", applies="rebuild", low=0, high=2**31 - 1, step=1,
    )
    grid: tuple[int, int] = setting(
        (40, 34), "Grid", "Cells of the heat map, across and down, in the first view.",
        group="View", applies="view", unit="cells", low=2, high=400, length=(2, 2),
        whole=True,
    )
    extent: tuple[float, ...] = setting(
        (), "Extent", "First and last cell centre across, then up: x0,x1,y0,y1. Empty, it fits the data.",
        group="View", applies="view", unit="data units", low=-1e9, high=1e9, length=(0, 4),
    )
    layer: str = setting(
        "magnitude", "Layer", "What colours the plane, and which arrows lie over it.",
        group="View", applies="view", choices=tuple(LAYERS),
    )
    compare: str = setting(
        "off", "Compare",
        "Split: a second layer beside the first. Wipe: on top of it, right of a line that can be dragged.",
        group="View", applies="view", choices=("off", "split", "wipe"),
    )
    beside: str = setting(
        "exact", "Second layer", "The other layer, where two are compared.",
        group="View", applies="view", choices=tuple(LAYERS),
    )
    wipe: float = setting(
        0.5, "Wipe line", "Where the wipe line stands: 0 is the field's left edge, 1 its right one.",
        group="View", applies="view", low=0.0, high=1.0, step=0.05,
    )
    midline: bool = setting(
        True, "Learned midline", "Outlines the places where the network's ambiguity is above the threshold.",
        group="Midlines", applies="view",
    )
    exact_midline: bool = setting(
        False, "Exact midline", "Outlines the places where the exact ambiguity is above the threshold.",
        group="Midlines", applies="view",
    )
    geometric_midline: bool = setting(
        False, "Geometric midline",
        "The places that are as near to one part of the curve as to another, far away along it.",
        group="Midlines", applies="view",
    )
    threshold: float = setting(
        2.0, "Threshold",
        "A place is ambiguous where its neighbourhood is spread more than this many times.",
        group="Midlines", applies="view", symbol="τ", low=1.0, high=10.0, step=0.1,
    )
    arrows: str = setting(
        "grid", "Arrows", "Where arrows start: at the cell centres, at the noisy points, or both.",
        group="View", applies="view", choices=("grid", "samples", "both", "none"),
    )
    arrow_length: str = setting(
        "true", "Arrow length",
        "True: an arrow ends at the reconstruction. Scaled: the longest arrow is one cell long.",
        group="View", applies="view", choices=("true", "scaled"),
    )
    show_data: bool = setting(
        True, "Data points", "Draws the clean points y.",
        group="View", applies="view", symbol="y",
    )
    show_noisy: bool = setting(
        False, "Noisy points", "Draws one corrupted point for each clean one.",
        group="View", applies="view", symbol="ŷ",
    )
    show_reconstruction: bool = setting(
        False, "Reconstructions", "Draws where the network puts the noisy points.",
        group="View", applies="view", symbol="ỹ",
    )
    decoder: bool = setting(
        False, "Decoder’s reach",
        "Draws what the decoder makes of the codes: its curve where d is 1, else a grid over two directions.",
        group="View", applies="view", symbol="Dec(h)",
    )
    code_plot: bool = setting(
        True, "Code plot",
        "Plots the data’s codes in the panel: h along the data where d is 1, else in two directions.",
        group="View", applies="view", symbol="h",
    )
    code_histogram: bool = setting(
        False, "Code histogram", "Plots in the panel how often the code’s units take which values.",
        group="View", applies="view",
    )
    error_curve: bool = setting(
        False, "Error over noise",
        "Plots in the panel how large the error is when the points are corrupted with other noise.",
        group="View", applies="view",
    )
    votes: bool = setting(
        True, "Votes at the cursor",
        "Shows at the cursor which data points claim the place, the posterior's ellipse, and both arrows.",
        group="View", applies="view",
    )
    flow: str = setting(
        "off", "Particles",
        "Drift: they follow the arrows. Walk-back: corrupted and reconstructed again and again.",
        group="View", applies="view", choices=("off", "drift", "walk-back"),
    )
    particles: int = setting(
        2_000, "Number of particles", "How many particles there are.",
        group="View", applies="view", low=1, high=10_000, step=1.25, scale="log",
    )
    colour_map: str = setting(
        "viridis", "Colour map", "Colours of the heat map; all are perceptually even.",
        group="View", applies="view", choices=("viridis", "cividis", "magma", "inferno", "plasma"),
    )
    colour_range: str = setting(
        "fixed", "Colour range",
        "Fixed: as the value below says. Automatic: from the smallest to the largest in view.",
        group="View", applies="view", choices=("fixed", "automatic"),
    )
    colour_max: float = setting(
        1.0, "Colour maximum",
        "Magnitude at the upper end of the colour bar; a quarter of it for differences, 2τ for ambiguities.",
        group="View", applies="view", unit="data units", low=0.01, high=100.0, step=1.1, scale="log",
    )
    theme: str = setting(
        "dark", "Theme", "Lecture: black surroundings and grey axes, as in the lecture's figures.",
        group="View", applies="view", choices=("dark", "light", "lecture", "system"),
    )
    size: tuple[float, ...] = setting(
        (), "Size", "Width and height of an exported figure, in its unit. Empty, it is 900x760 px at 96 dpi.",
        group="Figure", applies="view", unit="size unit", low=1.0, high=20_000.0, length=(0, 2),
    )
    size_unit: str = setting(
        "cm", "Size unit", "In which unit the size is given; px are those of the PNG file.",
        group="Figure", applies="view", choices=("cm", "in", "px"),
    )
    resolution: float = setting(
        192.0, "Resolution", "Pixels per inch of a PNG file, and of a video’s pictures.",
        group="Figure", applies="view", unit="dpi", low=36.0, high=1_200.0, step=1.25, scale="log",
    )
    font_size: float = setting(
        9.0, "Font size", "Of the legend; points, arrow heads and lines keep their proportion to it.",
        group="Figure", applies="view", unit="pt", low=4.0, high=48.0, step=0.5,
    )
    title: str = setting(
        "", "Title", "A line above an exported figure.",
        group="Figure", applies="view",
    )
    legend: bool = setting(
        True, "Legend", "Draws the legend above an exported figure.",
        group="Figure", applies="view",
    )
    axes: bool = setting(
        True, "Axes", "Draws an exported figure’s axes with their numbers.",
        group="Figure", applies="view",
    )
    colour_bar: bool = setting(
        True, "Colour bar", "Draws the colour bar beside an exported figure.",
        group="Figure", applies="view",
    )
    film: str = setting(
        "training", "Film",
        "What a video shows: the training, epoch by epoch, or trained networks as σ changes.",
        group="Film", applies="view", choices=("training", "noise"),
    )
    film_noise: tuple[float, ...] = setting(
        (0.05, 0.6), "From σ to σ", "The first and the last noise of a video over the noise.",
        group="Film", applies="view", low=0.0, high=1.0, length=(2, 2),
    )
    film_steps: int = setting(
        32, "Steps of σ", "How many networks are trained for a video over the noise.",
        group="Film", applies="view", low=2, high=500, step=1.25, scale="log",
    )
    duration: float = setting(
        8.0, "Duration", "How long a video is, without its last picture’s rest.",
        group="Film", applies="view", unit="s", low=0.2, high=600.0, step=0.5,
    )
    frame_rate: float = setting(
        30.0, "Frame rate", "Pictures per second of a video; a GIF takes at most 50.",
        group="Film", applies="view", unit="1/s", low=1.0, high=60.0, step=1.0,
    )
    easing: str = setting(
        "early", "Easing", "Early: slow at first, where most happens. Even: every epoch lasts as long.",
        group="Film", applies="view", choices=("early", "even"),
    )
    hold: float = setting(
        1.0, "Hold", "How long the last picture of a video rests.",
        group="Film", applies="view", unit="s", low=0.0, high=60.0, step=0.5,
    )
    history: int = setting(
        256, "History", "How much memory, and room on disk, keeps what brings every past epoch back.",
        group="View", applies="view", unit="MB", low=16, high=16_384, step=1.25, scale="log",
    )
    pause_past: bool = setting(
        False, "Rest while looking back", "Training rests as long as a past epoch is shown.",
        group="View", applies="view",
    )
    loop: bool = setting(
        False, "Play back in a loop", "Playing back past epochs begins again at the end.",
        group="View", applies="view",
    )
    # fmt: on

    def __post_init__(self) -> None:
        for spec in TABLE:
            object.__setattr__(self, spec.name, spec.checked(getattr(self, spec.name)))
        self._check_together()

    def _check_together(self) -> None:
        """Check what more than one value decides, each of which may be."""
        if len(self.size) == 1:
            raise SettingError("--size needs two numbers, width and height: 16x9")
        check_pixels(*self.figure_pixels)
        if len(self.drawn) % 2:
            raise SettingError("--drawn needs two numbers for each point: x,y,x,y…")
        if not self.extent:
            return
        if len(self.extent) != 4:
            raise SettingError("--extent needs four numbers x0,x1,y0,y1, or none to fit the data")
        x0, x1, y0, y1 = self.extent
        if x1 - x0 < 1e-6 or y1 - y0 < 1e-6:
            raise SettingError("--extent must have x0 below x1 and y0 below y1: it is x0,x1,y0,y1")
        if not 1.0 / MAX_ASPECT <= (x1 - x0) / (y1 - y0) <= MAX_ASPECT:
            raise SettingError(f"--extent must not be more than {MAX_ASPECT:g} times as long as it is wide")

    @property
    def figure_pixels(self) -> tuple[float, float]:
        """Width and height of an exported figure in a PNG file's pixels."""
        if not self.size:
            width, height = SPLIT_SIZE if self.compare == "split" else SIZE
            return width * self.resolution / CSS_DPI, height * self.resolution / CSS_DPI
        per_unit = {"cm": self.resolution / 2.54, "in": self.resolution, "px": 1.0}[self.size_unit]
        return self.size[0] * per_unit, self.size[1] * per_unit

    @property
    def is_from_file(self) -> bool:
        """Whether the data are a file's, named instead of one of the choices."""
        return self.data not in SPECS["data"].choices

    @property
    def in_unit_square(self) -> bool:
        """Whether the clean points are mapped into the unit square, as a cross-entropy needs them."""
        return self.cost == "bce"

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are shown, one or two."""
        return (self.layer,) if self.compare == "off" else (self.layer, self.beside)

    @property
    def optimum(self) -> tuple[object, ...]:
        """What of these settings decides, for given data, what the best possible network does."""
        return self.noise, self.noise_kind, self.target

    @property
    def tested(self) -> Self:
        """The same with the noise of the test."""
        return self.replace(noise=min(1.0, self.noise * self.test_noise))

    def on_screen(self) -> Self:
        """The same, without what is meant for an exported figure alone."""
        return self.replace(**{spec.name: spec.default for spec in TABLE if spec.group in FILE_GROUPS})

    def drawn_as(self, view: Settings) -> Self:
        """The same run, drawn as `view`."""
        look = {spec.name: getattr(view, spec.name) for spec in TABLE if spec.applies == "view"}
        return self.replace(**look)

    def shown_as(self, view: Settings) -> Self:
        """The same run, drawn as `view` and up to the same last epoch."""
        return self.drawn_as(view).replace(epochs=view.epochs)

    @property
    def shows_exact(self) -> bool:
        """Whether something of the exact field is drawn."""
        return self.exact_midline or any(LAYERS[name].arrows.exact for name in self.layers)

    @property
    def shows_samples(self) -> bool:
        """Whether noisy points or their reconstructions are drawn."""
        return self.show_noisy or self.show_reconstruction or self.arrows in ("samples", "both")

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of all layers from input to output; the code is at index ``len(hidden) + 1``."""
        decoder = self.hidden[::-1] if self.mirror or self.tied else ()
        return (2, *self.hidden, self.code, *decoder, 2)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some settings changed.

        Raises
        ------
        SettingError
            Where a name is unknown or a value impossible.
        """
        for name in changes:
            if name not in SPECS:
                raise SettingError(f"there is no setting {name!r}{nearest(name, tuple(SPECS))}")
        # To check the others once more takes five to twenty times as long.
        copied = self._of_checked(
            spec.checked(changes[name]) if name in changes else getattr(self, name)
            for name, spec in SPECS.items()
        )
        copied._check_together()
        return copied

    @classmethod
    def _of_checked(cls, values: Iterable[object]) -> Self:
        """Settings of these values, in the table's order, each of which was checked before."""
        made = object.__new__(cls)
        for name, value in zip(SPECS, values, strict=True):
            object.__setattr__(made, name, value)
        return made

    def __reduce__(self) -> tuple[Callable[..., Settings], tuple[object, ...]]:
        """Go over a pipe by its values alone, and be one there with those that are equal."""
        return _unpickled, tuple(getattr(self, name) for name in SPECS)

    def to_json(self) -> dict[str, Any]:
        """All settings as plain JSON values, by name."""
        return dataclasses.asdict(self)

    def changed(self, other: Settings) -> dict[str, Any]:
        """The settings of `other` that differ from this one's, by name."""
        return {name: getattr(other, name) for name in SPECS if getattr(other, name) != getattr(self, name)}


@lru_cache(maxsize=16)
def _unpickled(*values: object) -> Settings:
    """The settings of these values, checked when they were made: every frame and keyframe brings some."""
    return Settings._of_checked(values)


def _specs() -> tuple[Spec, ...]:
    return tuple(
        Spec(name=field.name, default=field.default, **field.metadata)
        for field in dataclasses.fields(Settings)
    )


TABLE: tuple[Spec, ...] = _specs()
SPECS: dict[str, Spec] = {spec.name: spec for spec in TABLE}
DEFAULTS = Settings()
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(spec.group for spec in TABLE))


def applies(changes: dict[str, Any]) -> set[str]:
    """Which kinds of change these are: some of "live", "rebuild", "view"."""
    return {SPECS[name].applies for name in changes}
