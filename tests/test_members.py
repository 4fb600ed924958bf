"""Each member of the family of autoencoders: what it is there for, as a number, with a reason."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.special import entr
from scipy.stats import spearmanr

from aeviz.core.clean_data import CleanData, clean_data
from aeviz.core.field import Grid
from aeviz.core.manifolds import FloatArray
from aeviz.core.metrics import NoiseTest, Reference
from aeviz.core.midline import Midline
from aeviz.core.settings import Settings
from aeviz.core.truth import Denoiser, finish
from aeviz.learn.training import Training

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


pytestmark = pytest.mark.usefixtures("one_thread")


class Trained(Training):
    """A network that is trained to its last epoch, and what it does, by the weights that are shown."""

    def __init__(self, settings: Settings, clean: CleanData | None = None) -> None:
        self.clean = clean or clean_data(settings)
        super().__init__(settings, self.clean)
        losses = (loss for loss in self.epochs() if loss is not None)
        self.losses = np.array([*itertools.islice(losses, settings.epochs)])
        self._weights = self.average.double()

    def __call__(self, x: Any) -> FloatArray:
        """r(x)."""
        return self.network.reconstruct(self._weights, np.asarray(x, float))

    def encode(self, x: FloatArray) -> FloatArray:
        return self.network.encode(self._weights, x)

    def decode(self, h: FloatArray) -> FloatArray:
        return self.network.decode(self._weights, h)

    def error(self, noisy: FloatArray, clean: FloatArray) -> float:
        """E‖r(ŷ) − y‖²."""
        return float(np.square(self(noisy) - clean).sum(axis=1).mean())

    @property
    def code_slopes(self) -> FloatArray:
        """∂h/∂y at the clean points, (N, d, 2), by central differences of the encoder."""
        y, step = self.clean.points, 1e-5
        return np.stack(
            [(self.encode(y + step * e) - self.encode(y - step * e)) / (2.0 * step) for e in np.eye(2)],
            axis=-1,
        )

    @property
    def copies(self) -> float:
        """How far it copies what is no data: 1 where nothing moves, 0 where all moves as far as the data."""
        x = Grid.home(self.settings, self.clean).points
        away = np.hypot(*(x[:, None] - self.clean.points).transpose(2, 0, 1)).min(axis=1)
        return 1.0 - float(np.minimum(np.hypot(*(self(x) - x).T), away).sum() / away.sum())


@cache
def trained(**change: Any) -> Trained:
    return Trained(Settings(**change))


def fresh(settings: Settings, noise: float, draws: int = 20) -> tuple[FloatArray, FloatArray]:
    """Clean points and noisy ones of Gaussian noise, from draws of our own."""
    clean = np.repeat(clean_data(settings).points, draws, axis=0)
    return clean, clean + noise * np.random.default_rng(5).standard_normal(clean.shape)


# Under-complete


def square_of_points() -> CleanData:
    side = np.linspace(-1.0, 1.0, 15)
    return CleanData(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2))


@pytest.mark.parametrize("d", [1, 2])
def test_what_one_number_can_say_is_a_curve_and_no_curve_comes_near_to_much_of_a_plane(d: int) -> None:
    """All that is within r of a curve of length ℓ has an area of at most 2rℓ + πr² (Steiner's tube)."""
    settings = Settings(code=d, mirror=True, noise=0.0, epochs=1_000, learning_rate=0.01)
    network = Trained(settings, square_of_points())
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (4_000, 2))
    off = np.hypot(*(network(x) - x).T)
    if d == 2:  # there it can be the identity, and the bound below is broken
        assert (off < 0.05).mean() > 0.9
        return
    all_codes = np.linspace(-1.0, 1.0, 40_001)[:, None]  # of tanh
    curve = network.decode(all_codes)
    steps = np.hypot(*np.diff(curve, axis=0).T)
    found = network(x)
    distance = np.hypot(*(found[::40, None] - curve).transpose(2, 0, 1)).min(axis=1)
    assert distance.max() <= steps.max()
    assert np.ptp(found, axis=0).max() > 1.0  # and it does try
    for r in (0.02, 0.05, 0.1):
        bound = (2.0 * r * steps.sum() + np.pi * r**2) / 4.0
        assert (off < r).mean() < bound + 5.0 * np.sqrt(0.25 / len(x))
        assert bound < 0.9 or r == 0.1  # it says something


def test_one_number_tells_how_far_along_the_curve_a_point_lies() -> None:
    network = trained(data="s-curve", hidden=(64, 64), code=1, mirror=True, learning_rate=0.01)
    h = network.encode(network.clean.points)[:, 0]
    assert abs(spearmanr(h, np.arange(len(h))).statistic) > 0.999
    # The mean of all clean points, which needs no code at all, is off by their variance.
    assert (
        network.error(network.clean.points, network.clean.points) < 0.01 * network.clean.points.var(0).sum()
    )


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": (), "optimiser": "momentum", "learning_rate": 0.03},
        {"hidden": (6,), "optimiser": "adam", "learning_rate": 0.01},
    ],
    ids=str,
)
def test_a_linear_network_with_a_narrow_code_finds_the_main_direction(change: dict[str, Any]) -> None:
    """Principal component analysis (Bourlard and Kamp 1988; Baldi and Hornik 1989), by NumPy's SVD."""
    network = trained(
        data="s-curve", activation="identity", code=1, mirror=True, noise=0.0, batch=151, epochs=3_000,
        **change,
    )  # fmt: skip
    y = network.clean.points
    mean = y.mean(axis=0)
    _, sizes, directions = np.linalg.svd(y - mean, full_matrices=False)
    assert sizes[0] > 1.5 * sizes[1]
    x = np.random.default_rng(1).uniform(-2.0, 2.0, (200, 2))
    best = mean + (x - mean) @ np.outer(directions[0], directions[0])
    assert np.abs(network(x) - best).max() < 1e-3  # of places up to 3 away: float32 weights
    # What is left is the other direction's variance, and no line leaves less (Eckart and Young 1936).
    left = sizes[1] ** 2 / len(y)
    assert (network.losses > left * (1.0 - 1e-5)).all()
    assert network.losses[-1] < left * (1.0 + 1e-4)


def test_two_numbers_denoise_as_well_as_sixty_four() -> None:
    """It is the noise and not a narrow code that makes a denoiser of it."""
    exact = Denoiser(clean_data(Settings()).points, 0.25)
    clean, noisy = fresh(Settings(), 0.25)
    best = float(np.square(exact.at(noisy).mean - clean).sum(axis=1).mean())
    narrow = trained(hidden=(64, 64), code=2, mirror=True, learning_rate=0.01, epochs=1_500)
    assert best < narrow.error(noisy, clean) < 1.03 * best
    assert trained(epochs=1_000).error(noisy, clean) < 1.03 * best


# Over-complete

# One tied layer, the identity at first: what keeps a network from staying there?
COPIER: dict[str, Any] = {"noise": 0.0, "hidden": (), "tied": True, "epochs": 800}


def test_without_noise_an_over_complete_network_copies_its_input() -> None:
    network = trained(**COPIER)
    assert network.losses[-1] < 1e-3
    assert network.copies > 0.9
    for each in (network, trained(epochs=1_000)):  # and so says the status bar
        data, grid = each.clean, Grid.home(each.settings, each.clean)
        reference = finish(Reference.solving(each.settings, data, None, Midline(), KDTree(data.points)))
        said = reference.identityness((each(grid.points) - grid.points).reshape(*grid.shape, 2))
        assert said is not None
        assert abs(said - each.copies) < 1e-12


@pytest.mark.parametrize(
    "change",
    [
        {"noise": 0.25},
        {"regulariser": "l1", "strength": 0.01},
        {"regulariser": "l2", "strength": 0.03},
        {"regulariser": "contractive", "strength": 0.3},
    ],
    ids=str,
)
def test_noise_or_a_price_on_the_code_keeps_it_from_copying(change: dict[str, Any]) -> None:
    network = trained(**COPIER | change)
    assert network.copies < trained(**COPIER).copies - 0.2
    y = network.clean.points
    assert network.error(y, y) < 0.1 * y.var(axis=0).sum()  # and still it knows the data


# Sparse and small codes


@pytest.mark.parametrize("regulariser", ["l1", "l2"])
def test_a_price_on_the_code_makes_it_small_and_sparse(regulariser: str) -> None:
    """What earns less than it costs goes to 0; without a price, hardly a value is near it."""
    quiet, size = [], []
    for strength in (0.0, 0.002, 0.01):
        network = trained(regulariser=regulariser, strength=strength, epochs=1_000)
        h = np.abs(network.encode(network.clean.points))
        quiet.append(float((h < 0.05 * h.max()).mean()))
        size.append(float(np.square(h).sum(axis=1).mean()))
    assert quiet[0] < 0.05  # which is the share of values spread evenly over −1…1; tanh's lie at the ends
    assert quiet[0] + 0.1 < quiet[1] < quiet[2] - 0.2
    assert size[0] > 1.3 * size[1]
    assert size[1] > 3.0 * size[2]


# Contractive


def test_contraction_flattens_the_code_and_across_the_curve_more_than_along_it() -> None:
    settings: dict[str, Any] = {"noise": 0.0, "tied": True, "code": 16, "learning_rate": 0.01, "epochs": 800}
    plain, some, much = (
        trained(**settings),
        trained(**settings, regulariser="contractive", strength=0.1),
        trained(**settings, regulariser="contractive", strength=1.0),
    )
    sizes = [np.square(each.code_slopes).sum(axis=(1, 2)).mean() for each in (plain, some, much)]
    assert sizes[1] < 0.3 * sizes[0]
    assert sizes[2] < 0.3 * sizes[1]
    # To tell the data apart, h must change along them; to be the same across them costs nothing.
    along = np.gradient(plain.clean.points, axis=0)
    along /= np.hypot(*along.T)[:, None]
    across = np.stack((-along[:, 1], along[:, 0]), axis=1)

    def share(network: Trained) -> float:
        size = [np.square(np.einsum("nkj,nj->nk", network.code_slopes, way)).sum() for way in (along, across)]
        return float(size[1] / size[0])

    assert share(plain) > 0.9
    assert share(much) < 0.75


# Tied


def test_the_field_of_one_tied_layer_is_a_slope_and_an_untied_ones_is_not() -> None:
    """Its Jacobian Wᵀ diag f′ W is symmetric: the field has a potential (Kamyshanska and Memisevic 2013)."""
    x = np.random.default_rng(2).uniform(-2.0, 2.0, (500, 2))
    curls = []
    for tied in (True, False):
        network = trained(hidden=(), tied=tied, epochs=800)
        found = network.network.field(network._weights, x)
        step = 1e-5  # the curl once more, by central differences of the reconstruction
        right, up = (
            (network(x + step * e) - network(x - step * e)) / (2.0 * step) for e in np.eye(2)
        )  # ∂r/∂x, ∂r/∂y
        assert np.abs(found.curl - (right[:, 1] - up[:, 0])).max() < 1e-5  # the step's square, and rounding
        curls.append(np.abs(found.curl).max())
    assert curls[0] < 1e-9
    assert curls[1] > 0.1


# Bits: the answer is a probability


def posterior(data: str, kind: str, p: float) -> dict[tuple[float, float], tuple[FloatArray, float]]:
    """For each noisy pair of bits: how likely each bit was a 1, and how often it comes. By Bayes' rule."""
    clean = [(0, 1), (1, 0)] if data == "xor" else [(0, 0), (0, 1), (1, 0), (1, 1)]
    joint: dict[Any, dict[Any, float]] = {tuple(corner): {} for corner in CORNERS.tolist()}
    for y in clean:
        for hit in itertools.product((False, True), repeat=2):
            corrupted = [0, 0] if kind == "masking" else [1 - bit for bit in y]
            noisy = tuple(float(c if h else bit) for bit, c, h in zip(y, corrupted, hit, strict=True))
            weight = float(np.prod([p if h else 1.0 - p for h in hit])) / len(clean)
            joint[noisy][y] = joint[noisy].get(y, 0.0) + weight
    return {
        noisy: (np.average([*ways], axis=0, weights=[*ways.values()]), sum(ways.values()))
        for noisy, ways in joint.items()
        if ways
    }


@pytest.mark.parametrize("cost", ["bce", "squared"])
@pytest.mark.parametrize("kind", ["flip", "masking"])
@pytest.mark.parametrize("data", ["corners", "xor"])
def test_of_bits_the_posterior_probability_is_learned(data: str, kind: str, cost: str) -> None:
    network = trained(
        data=data, noise_kind=kind, noise=0.3, cost=cost, output="sigmoid", hidden=(), code=16,
        epochs=1_500, batch=600,
    )  # fmt: skip
    by_hand = posterior(data, kind, 0.3)
    noisy = np.array([*by_hand])
    best, often = (np.array(each) for each in zip(*by_hand.values(), strict=True))
    # Counted from so many noisy points, a probability is off by 0.02 where a place comes least often.
    assert np.abs(network(noisy) - best).max() < 0.03
    assert np.abs(noisy - best).max() > 0.2  # the noisy bits themselves
    # What is left is chance: the bits' entropy, or their variance; five standard errors.
    each = entr(best) + entr(1.0 - best) if cost == "bce" else best * (1.0 - best)
    floor, late = float((often * each.sum(axis=1)).sum()), network.losses[-500:]
    assert late.mean() > floor - 5.0 * late.std() / np.sqrt(len(late))
    assert late.mean() < 1.02 * floor


# Masking and flips of other data


def test_what_is_masked_is_filled_in() -> None:
    """On the line y = x/2 one coordinate tells the other; without both, the mean is the best answer."""
    network = trained(data="line", points=61, noise_kind="masking", noise=0.5, epochs=1_500)
    x = network.clean.points[[3, 12, 20, 42, 50, 57]]
    known, no_y, no_x = x, x * (1.0, 0.0), x * (0.0, 1.0)
    for noisy in (known, no_y, no_x):
        assert np.abs(network(noisy) - x).max() < 0.06
    assert np.abs(no_y - x).max() > 0.5
    assert np.abs(network([[0.0, 0.0]])).max() < 0.06


def test_on_a_circle_flips_leave_what_the_coin_leaves() -> None:
    """(x, y) comes from (±x, ±y), each bit of it with probability 1 − p or p: the mean is (1 − 2p)·(x, y)."""
    network = trained(data="circle", points=160, noise_kind="flip", noise=0.2, epochs=1_500, batch=1_000)
    y = network.clean.points
    assert np.abs(network(y) - 0.6 * y).max() < 0.1
    assert np.sqrt(np.square(network(y) - 0.6 * y).sum(axis=1).mean()) < 0.05


# Variational


def code_of(network: Trained) -> tuple[FloatArray, FloatArray]:
    """μ and σ_h² of the data's codes, (N, d) each, of a network with one hidden layer."""
    shape, weights = network.network, network._weights
    (W, b), (W_mean, b_mean) = (
        [part.numpy() for part in layer] for layer in shape.layers(weights)[: shape.code]
    )
    W_log, b_log = (part.numpy() for part in shape.log_variance(weights))
    hidden = np.tanh(W @ ((network.clean.points - shape.centre) / shape.unit).T + b)
    mean = (W_mean @ hidden + b_mean).T
    assert np.abs(mean - network.encode(network.clean.points)).max() < 1e-12
    return mean, np.exp(W_log @ hidden + b_log).T


def test_a_variational_code_is_as_wide_as_its_prior_and_says_less_the_more_that_costs() -> None:
    used, told = [], []
    for strength in (0.01, 0.1, 3.0):
        network = trained(
            regulariser="variational", strength=strength, noise=0.0, code=4, hidden=(32,), mirror=True,
            epochs=1_200,
        )  # fmt: skip
        mean, variance = code_of(network)
        # A unit that is made c times as large, its decoder's weights c times as small, changes the KL
        # alone, by ½(c² − 1)·E(μ² + σ_h²) − log c: least at c = 1 where E(μ² + σ_h²) = 1. It is slow to
        # get there where λ is small.
        second_moment = (np.square(mean) + variance).mean(axis=0)
        assert np.abs(second_moment - 1.0).max() < (0.3 if strength < 0.1 else 0.12)
        used.append(int((mean.var(axis=0) > 0.1).sum()))
        told.append(float(0.5 * (np.square(mean) + variance - 1.0 - np.log(variance)).sum(axis=1).mean()))
    assert used == [2, 2, 0]  # of four: as many as the plane has, and none where nothing is worth its price
    assert told[0] > 1.3 * told[1]
    assert told[1] > 1.0
    assert told[2] < 0.01


# Frozen noise, and noise of another size


def test_frozen_noise_is_learned_by_heart() -> None:
    frozen, thawed = trained(noise_draw="frozen", epochs=1_500), trained(epochs=1_000)
    exact = Denoiser(frozen.clean.points, 0.25)
    clean, noisy = fresh(frozen.settings, 0.25)
    best = exact.at(noisy).mean
    floor = float(np.square(best - clean).sum(axis=1).mean())
    # No network's loss of fresh noise goes below the floor; the pairs that never change are no chance.
    assert frozen.losses[-100:].mean() < 0.15 * floor
    assert thawed.losses[-100:].mean() > 0.9 * floor
    excess = [network.error(noisy, best) / floor for network in (frozen, thawed)]
    assert excess[0] > 1.0
    assert excess[1] < 0.02


def test_a_network_is_best_at_the_noise_it_was_trained_with() -> None:
    noises = (0.1, 0.25, 0.5)
    networks = [trained(noise=noise, epochs=1_000) for noise in noises]
    errors, floors = np.empty((3, 3)), np.empty(3)  # of each network, at each noise
    for k, noise in enumerate(noises):
        clean, noisy = fresh(Settings(), noise)
        floors[k] = np.square(Denoiser(networks[0].clean.points, noise).at(noisy).mean - clean).sum(1).mean()
        errors[:, k] = [network.error(noisy, clean) for network in networks]
    assert (errors.argmin(axis=0) == [0, 1, 2]).all()
    assert (errors > 0.97 * floors).all()  # 3,020 draws
    assert (errors.diagonal() < 1.05 * floors).all()
    # Trained with much and tested with little noise, it is worse than leaving the points where they are.
    assert errors[2, 0] > 1.5 * 2.0 * noises[0] ** 2
    assert errors[2, 2] < 2.0 * noises[2] ** 2
    # The curve that is drawn tells the same.
    for k, network in enumerate(networks):
        curve = finish(NoiseTest.solving(network.settings, network.clean)).curve(network)
        assert curve.best is not None
        worse = curve.learned[1:] / curve.best[1:]
        assert 0.5 < curve.noises[1:][worse.argmin()] / noises[k] < 1.7
        at = [np.interp(noise, curve.noises, curve.learned) for noise in noises if noise <= curve.noises[-1]]
        assert np.abs(at / errors[k, : len(at)] - 1.0).max() < 0.2  # 1,024 draws, and a chord of a bow
